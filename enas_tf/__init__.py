"""Efficient Neural Architecture Search via Parameter Sharing, for Keras 3 and TensorFlow 2.

The public names are loaded on first use, so that `import enas_tf` is fast.
"""

import importlib
import os
from typing import Any

# On CPUs without AVX-512 TensorFlow leaves oneDNN off, which makes convolutions 1.5 times slower.
# The switch is read when TensorFlow is first imported; a value that the user set is respected.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# When one of several machines is lost, native code writes a page where our line says it all.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3" if os.environ.get("TF_CONFIG") else "2")

__version__ = "0.1.0"

_PUBLIC = {
    "DataConfig": "enas_tf.settings.data",
    "DeriveConfig": "enas_tf.settings.search",
    "EnasError": "enas_tf.errors",
    "HardwareConfig": "enas_tf.settings.hardware",
    "ImageData": "enas_tf.data.images.dataset",
    "LossConfig": "enas_tf.settings.training",
    "LstmBaseline": "enas_tf.spaces.rnn.architecture",
    "MacroArchitecture": "enas_tf.spaces.macro.architecture",
    "MacroChannelArchitecture": "enas_tf.spaces.macro.architecture",
    "MacroControllerConfig": "enas_tf.spaces.macro.config",
    "MacroNetworkConfig": "enas_tf.spaces.macro.config",
    "MacroOperation": "enas_tf.spaces.macro.architecture",
    "MacroSpace": "enas_tf.spaces.macro.space",
    "MicroArchitecture": "enas_tf.spaces.micro.architecture",
    "MicroCell": "enas_tf.spaces.micro.architecture",
    "MicroControllerConfig": "enas_tf.spaces.micro.config",
    "MicroNetworkConfig": "enas_tf.spaces.micro.config",
    "MicroNode": "enas_tf.spaces.micro.architecture",
    "MicroOperand": "enas_tf.spaces.micro.architecture",
    "MicroOperation": "enas_tf.spaces.micro.architecture",
    "MicroSpace": "enas_tf.spaces.micro.space",
    "OwnOperation": "enas_tf.spaces.operations",
    "PolicyConfig": "enas_tf.settings.strategies",
    "RetrainConfig": "enas_tf.settings.training",
    "RnnArchitecture": "enas_tf.spaces.rnn.architecture",
    "RnnControllerConfig": "enas_tf.spaces.rnn.config",
    "RnnFunction": "enas_tf.spaces.rnn.architecture",
    "RnnNetworkConfig": "enas_tf.spaces.rnn.config",
    "RnnNode": "enas_tf.spaces.rnn.architecture",
    "RnnRegularization": "enas_tf.spaces.rnn.config",
    "RnnSpace": "enas_tf.spaces.rnn.space",
    "SearchConfig": "enas_tf.settings.search",
    "StudyConfig": "enas_tf.studies.plan",
    "TextData": "enas_tf.data.texts.dataset",
    "TextDataConfig": "enas_tf.settings.data",
    "TextRetrainConfig": "enas_tf.settings.training",
    "TrainingConfig": "enas_tf.settings.training",
    "evaluate": "enas_tf.models.evaluation",
    "export": "enas_tf.models.export",
    "generate": "enas_tf.models.generation",
    "load_architecture": "enas_tf.spaces.architectures",
    "load_images": "enas_tf.data.images.loading",
    "load_model": "enas_tf.models.export",
    "load_texts": "enas_tf.data.texts.dataset",
    "predict": "enas_tf.models.prediction",
    "register_metric": "enas_tf.training.prediction_metrics",
    "register_operation": "enas_tf.spaces.own_operations",
    "retrain": "enas_tf.final_training.api",
    "retrain_presets": "enas_tf.spaces.presets_by_name",
    "search": "enas_tf.searching.api",
    "search_presets": "enas_tf.spaces.presets_by_name",
    "study": "enas_tf.studies.api",
    "use_hardware": "enas_tf.training.hardware",
}

# Loading them loads Keras.
_NEED_KERAS = (
    "evaluate",
    "export",
    "generate",
    "load_model",
    "predict",
    "retrain",
    "search",
    "study",
)

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'enas_tf' has no attribute {name!r}")
    if name in _NEED_KERAS:
        # Before TensorFlow is loaded for nothing, and before Keras says it in its own words.
        importlib.import_module("enas_tf.environment.keras_settings").check_backend()
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
