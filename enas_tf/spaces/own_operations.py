"""Registering operations of the user's own, in Python and from a module that a command names.

Nothing here imports TensorFlow; a module of the user's may.
"""

import importlib
import importlib.util
import pathlib
import re
import sys
from collections.abc import Callable
from typing import Any

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.macro.architecture import MacroOperation
from enas_tf.spaces.micro.architecture import MicroOperation
from enas_tf.spaces.operations import OwnOperation, matches, register

FLAG = "operations_module"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Those that were loaded, as they were named.
_MODULES: list[str] = []


def register_operation(name: str, layer: Callable[[int, int], Any]) -> OwnOperation:
    """Makes an operation of one's own known to the spaces of pictures, in this process.

    ```python
    blur = enas_tf.register_operation(
        "blur", lambda filters, strides: keras.layers.AveragePooling2D(5, strides, "same")
    )
    space = enas_tf.MacroSpace(operations=["separable_3x3", "identity", blur])
    ```

    Args:
      name: of lower-case letters, digits and underscores; stands in settings, files and drawings.
        An operation of the same name that was registered before is replaced.
      layer: takes the number of filters and the stride, 1 or 2, and returns a new Keras layer, from
        pictures `[batch, height, width, filters]` to pictures of as many channels, whose sides are
        divided by the stride and rounded up. All variables of the layer must be trained: batch
        normalisation and dropout cannot be in it. What has weights is normalised behind it.

    Returns:
      The operation, for `operations` of a space and for architectures made by hand.

    Raises:
      ConfigurationError: the name cannot be one, or is that of an operation of a space; or `layer`
        cannot be called.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(
            "`name` of an operation must be lower-case letters, digits and underscores, a letter "
            f"first, 40 of them at most. Received: {name!r:.60}."
        )
    # Else a run that is read without the operation would be one with another.
    for kind in (MacroOperation, MicroOperation):
        if meant := matches(name, [one.label for one in kind]):
            raise ConfigurationError(
                f"`name` must be none that is short for an operation of a space ({meant[0]}). "
                f"Received: {name!r}."
            )
    if not callable(layer):
        raise ConfigurationError(
            f"`layer` of the operation {name} must take filters and strides and return a Keras "
            f"layer. Received: {type(layer).__name__} {layer!r:.60}."
        )
    operation = OwnOperation(name, layer)
    register(operation)
    return operation


def load_operations(module: str) -> None:
    """Imports a module that registers operations.

    Args:
      module: the path of a `.py` file, or the dotted name of a module.

    Raises:
      ConfigurationError: there is no such module, or importing it fails.
    """
    path = pathlib.Path(module).expanduser()
    try:
        if path.suffix == ".py":
            spec = importlib.util.spec_from_file_location(path.stem, path)
            assert spec is not None
            assert spec.loader is not None
            loaded = importlib.util.module_from_spec(spec)
            sys.modules.setdefault(path.stem, loaded)
            spec.loader.exec_module(loaded)
        else:
            # Commands that are installed do not look into the folder that they are called in.
            if "" not in sys.path:
                sys.path.append("")
            importlib.import_module(module)
    # The module is the user's, and so there is no list of what it can raise.
    except Exception as error:
        raise ConfigurationError(
            f"Cannot import --{FLAG}={module}: {type(error).__name__}: {error}"
        ) from error
    if module not in _MODULES:
        _MODULES.append(module)


def module_arguments() -> list[str]:
    """Returns the arguments with which another command knows the operations of this process."""
    return [f"--{FLAG}={module}" for module in _MODULES]
