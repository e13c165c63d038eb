"""Warm-up requests: what TensorFlow Serving asks a SavedModel before it opens its ports.

The first answers of a process are slow, since TensorFlow prepares what it needs when it first needs
it. A server that finds the file `assets.extra/tf_serving_warmup_requests` in a version's folder
answers the requests in it while it loads the version, so that no client waits for that. Every
record of that TFRecord file is a message `tensorflow.serving.PredictionLog`.

Those messages are written field by field, because the package that has them,
`tensorflow-serving-api`, is one for clients, and a retraining does not need it otherwise.
"""

import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

FILE = pathlib.PurePath("assets.extra", "tf_serving_warmup_requests")

# One request alone, and a batch of them, which may take other kernels.
BATCH_SIZES = (1, 8)

# Numbers of fields, from TensorFlow Serving's apis/*.proto; all of these hold texts or messages.
_LOG_PREDICT_LOG = 6
_PREDICT_LOG_REQUEST = 1
_REQUEST_MODEL_SPEC = 1
_REQUEST_INPUTS = 2
_MODEL_SPEC_SIGNATURE_NAME = 3
_ENTRY_KEY = 1
_ENTRY_VALUE = 2

_LENGTH_DELIMITED = 2


def filled(value: Any, dtype: tf.DType, shape: Sequence[int]) -> bytes:
    """Returns a tensor of one value as a message `TensorProto`, which holds the value once."""
    return tf.make_tensor_proto(value, dtype, shape).SerializeToString()


def predict_request(signature: str, inputs: Mapping[str, bytes]) -> bytes:
    """Returns a request as a message `PredictionLog`.

    The model has no name in it: the server knows which one it is loading.

    Args:
      signature: name of the signature.
      inputs: a message `TensorProto` for each input, by its name.
    """
    model_spec = _field(_MODEL_SPEC_SIGNATURE_NAME, signature.encode())
    request = _field(_REQUEST_MODEL_SPEC, model_spec)
    for name, tensor in sorted(inputs.items()):
        entry = _field(_ENTRY_KEY, name.encode()) + _field(_ENTRY_VALUE, tensor)
        request += _field(_REQUEST_INPUTS, entry)
    return _field(_LOG_PREDICT_LOG, _field(_PREDICT_LOG_REQUEST, request))


def write(folder: pathlib.Path, requests: Iterable[bytes]) -> None:
    """Adds requests to a SavedModel.

    Args:
      folder: of one version.
      requests: messages `PredictionLog`; a server reads the first 1,000.
    """
    path = folder / FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            writer.write(request)


def _field(number: int, content: bytes) -> bytes:
    """Returns a field of a protocol buffer message: its key, its length, its content."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """Returns a number in groups of seven bits, the lowest first; a high bit: more follow."""
    groups = []
    while number >= 0x80:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])
