"""Every format computes what the Keras model computes, in the program that reads it."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.images.preprocessing import Normalization
from enas_tf.models.classifier import build_classifier
from enas_tf.models.export import export
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.network import build_macro_network
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.network import build_micro_network
from enas_tf.spaces.rnn.architecture import RnnArchitecture
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.network import build_rnn_network

SIGNATURE = "serving_default"
TOLERANCE = 1e-5
# Odd sides, so that reductions need their padding.
PICTURE = (9, 8, 2)


@dataclasses.dataclass(frozen=True)
class Case:
    """A model, and what it computes of an input."""

    model: keras.Model
    inputs: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray]

    def check(self, outputs):
        for name, expected in self.outputs.items():
            np.testing.assert_allclose(outputs[name], expected, atol=TOLERANCE, err_msg=name)


def classifier(network):
    normalization = Normalization(np.float32([100.0, 120.0]), np.float32([50.0, 60.0]))
    model = build_classifier(network, normalization)
    images = np.random.default_rng(0).integers(0, 256, (5, *PICTURE), np.uint8)
    probabilities = tf.nn.softmax(model(images)).numpy()
    outputs = {"probabilities": probabilities, "classes": probabilities.argmax(1)}
    return Case(model, {"images": images}, outputs)


def macro():
    # Every operation but one, and skips over a reduction.
    architecture = MacroArchitecture.from_release_string("1 | 3 1 | 4 0 1 | 5 0 0 0")
    return classifier(
        build_macro_network(
            architecture, MacroNetworkConfig(filters=4), input_shape=PICTURE, num_classes=3
        )
    )


def micro():
    # Every operation.
    architecture = MicroArchitecture.from_release_string("0 0 1 1 0 2 1 3 0 4 1 0 2 1 1 4")
    return classifier(
        build_micro_network(
            architecture,
            MicroNetworkConfig(filters=4, num_layers=1),
            input_shape=PICTURE,
            num_classes=3,
        )
    )


def rnn():
    model = build_rnn_network(
        RnnArchitecture.from_release_string("0 2 1 0"),
        RnnNetworkConfig(hidden_size=8, initial_range=0.5),
        vocabulary_size=20,
    )
    # A TFLite file takes one row at a time.
    tokens = np.random.default_rng(0).integers(0, 20, (1, 7)).astype(np.int32)
    logarithms = tf.nn.log_softmax(model(tokens)).numpy()
    chosen = np.take_along_axis(logarithms[:, :-1], tokens[:, 1:, None], axis=2)
    outputs = {"log_probabilities": logarithms, "perplexity": np.exp(-chosen.mean(axis=(1, 2)))}
    return Case(model, {"tokens": tokens}, outputs)


@pytest.fixture(scope="module", params=[macro, micro, rnn])
def case(request):
    return request.param()


def test_tflite(case, tmp_path):
    path = export(case.model, tmp_path / "model.tflite", format="tflite")
    with pytest.warns(UserWarning, match="LiteRT"):
        interpreter = tf.lite.Interpreter(str(path))
    case.check(interpreter.get_signature_runner(SIGNATURE)(**case.inputs))


def test_onnx(case, tmp_path):
    pytest.importorskip("tf2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    path = export(case.model, tmp_path / "model.onnx", format="onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    case.check(dict(zip(names, session.run(names, case.inputs))))


def test_openvino_reads_a_saved_model(case, tmp_path):
    openvino = pytest.importorskip("openvino")
    # Processors that have bfloat16 compute in it otherwise.
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.compile_model(export(case.model, tmp_path), "CPU", precise)
    outputs = compiled(case.inputs)
    case.check({name: outputs[name] for name in case.outputs})
