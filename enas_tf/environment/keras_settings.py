"""The settings of Keras that the package builds its networks under.

They are global, and belong to whoever uses the package: a file `keras.json`, or calls of
`keras.config`, may ask for another layout of pictures, another type of floats, or mixed precision.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from enas_tf.errors import ConfigurationError

_BACKEND = "tensorflow"
_SETTINGS: dict[str, Any] = {
    "floatx": "float32",
    "dtype_policy": "float32",
    "image_data_format": "channels_last",
    "epsilon": 1e-7,
}


def check_backend() -> None:
    """Loads Keras and finds out whether it runs on TensorFlow.

    Raises:
      ConfigurationError: it runs on something else, or cannot be loaded as it is configured.
    """
    try:
        import keras
    # What Keras raises for a backend that is not installed, and for a bad `keras.json`.
    except (AssertionError, AttributeError, ImportError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"Keras cannot be loaded ({' '.join(str(error).split()):.200}); mend its keras.json "
            "or the environment variables KERAS_*."
        ) from error
    if keras.config.backend() != _BACKEND:
        raise ConfigurationError(
            f"Keras runs on {keras.config.backend()}, and enas_tf needs TensorFlow. Set the "
            f"environment variable KERAS_BACKEND={_BACKEND} before Keras is imported."
        )


@contextlib.contextmanager
def own_settings() -> Iterator[None]:
    """Sets what the package needs in a block, and brings back what was set before.

    Raises:
      ConfigurationError: see `check_backend`.
    """
    check_backend()
    import keras

    before = {name: getattr(keras.config, name)() for name in _SETTINGS}
    changed = [name for name, value in _SETTINGS.items() if _name_of(before[name]) != value]
    try:
        for name in changed:
            getattr(keras.config, f"set_{name}")(_SETTINGS[name])
        yield
    finally:
        for name in changed:
            getattr(keras.config, f"set_{name}")(before[name])


# Makes a function run under `own_settings`, entered anew at every call.
under_own_settings = own_settings()


def _name_of(value: Any) -> Any:
    # A policy has its name; other settings are their names.
    return getattr(value, "name", value)
