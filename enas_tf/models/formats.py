"""Writing a model's functions in the formats that other programs read."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from enas_tf.errors import ExportError
from enas_tf.models.files import NEEDS_TF2ONNX

SIGNATURE = "serving_default"
_ONNX_OPSET = 17


@contextlib.contextmanager
def assets(texts: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Gives paths of files with some texts, for as long as a SavedModel is being written.

    Args:
      texts: by name of the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: pathlib.Path(folder) / name for name in texts}
        for name, path in paths.items():
            # As bytes, since writing as text would change line ends on some systems.
            path.write_bytes(texts[name].encode("utf-8"))
        yield {name: str(path) for name, path in paths.items()}


def weights(model: Any) -> list[Any]:
    """Returns the variables of a model, made by Keras or read from a SavedModel."""
    return [
        variable.value if isinstance(variable, keras.Variable) else variable
        for variable in model.variables
    ]


def no_keras_file() -> ExportError:
    """Returns what is wrong with writing a loaded SavedModel as a `.keras` file."""
    return ExportError(
        "A SavedModel cannot become a Keras file again; give the output folder of the retraining "
        "instead."
    )


def write_keras(model: keras.Model, path: pathlib.Path) -> None:
    """Writes a `.keras` file of any name."""
    # Keras wants the ending, which a temporary name need not have.
    with_ending = path.with_name(f"{path.name}.keras")
    model.save(with_ending)
    os.replace(with_ending, path)


def write_tflite(module: tf.Module, serve: Any, path: pathlib.Path) -> None:
    """Writes one function as a TFLite file of built-in operations.

    Args:
      module: has the variables.
      serve: a `tf.function` with an input signature, and with a dictionary as output.
      path: of the file.

    Raises:
      ExportError: TFLite has no such model.
    """
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={SIGNATURE: serve})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        with _converting("TFLite"):
            content = converter.convert()
        path.write_bytes(content)


def write_onnx(serve: Any, path: pathlib.Path) -> None:
    """Writes one function as an ONNX file.

    Args:
      serve: a `tf.function` with an input signature of one input, and with a dictionary as output.
      path: of the file.

    Raises:
      ExportError: the package `tf2onnx` is missing, or ONNX has no such model.
    """
    try:
        import tf2onnx
    except ImportError as error:
        raise ExportError(f"{NEEDS_TF2ONNX} ({error})") from error
    function = serve.get_concrete_function()
    # Frozen here, because tf2onnx takes captured constants for inputs.
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    (argument,) = serve.input_signature
    names = {argument.name: function.inputs[0].name}
    outputs = sorted(function.structured_outputs)  # TensorFlow orders them so.
    names |= {name: tensor.name for name, tensor in zip(outputs, function.outputs)}
    with _converting("ONNX"):
        tf2onnx.convert.from_graph_def(
            frozen.graph.as_graph_def(),
            input_names=[names[argument.name]],
            output_names=[names[name] for name in outputs],
            tensors_to_rename={tensor: name for name, tensor in names.items()},
            opset=_ONNX_OPSET,
            output_path=str(path),
        )


@contextlib.contextmanager
def _converting(name: str) -> Iterator[None]:
    """Makes an `ExportError` of what a converter says of a model that it cannot convert."""
    try:
        yield
    except (OSError, MemoryError):
        raise
    # Models may come from anybody, and converters have no list of what they raise.
    except Exception as error:
        message = " ".join(str(error).split()) or type(error).__name__
        raise ExportError(f"The model cannot be converted to {name} ({message:.160}).") from error
