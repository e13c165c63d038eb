"""Operations of the user's own in commands: `--operations_module=FILE.py` or `=package.module`.

Every command has the flag: what it reads, a run, an architecture or a model, may need them.
"""

from collections.abc import Sequence

from enas_tf.cli.flag_files import with_flag_files
from enas_tf.cli.start_up import load_tensorflow
from enas_tf.errors import ConfigurationError
from enas_tf.spaces.own_operations import FLAG, load_operations

_NAMES = (f"--{FLAG}", f"-{FLAG}")


def with_operations(argv: Sequence[str]) -> list[str]:
    """Imports the modules that the arguments name, and returns the other arguments.

    Args:
      argv: the arguments, without the program's name. The flag may stand in a file of flags, and
        may be given several times.

    Raises:
      ConfigurationError: there is no such module, or importing it fails.
    """
    if not any(FLAG in argument or "flagfile" in argument for argument in argv):
        return list(argv)
    rest, modules = [], []
    arguments = iter(with_flag_files(argv))
    for argument in arguments:
        name, equals, module = argument.partition("=")
        if name not in _NAMES:
            rest.append(argument)
            continue
        module = module if equals else next(arguments, "")
        if not module:
            raise ConfigurationError(
                f"`--{FLAG}` must be a .py file or the name of a module. Received: --{FLAG}="
            )
        modules.append(module)
    if modules:
        # The modules import Keras, which would write lines of its own.
        load_tensorflow()
    for module in modules:
        load_operations(module)
    return rest
