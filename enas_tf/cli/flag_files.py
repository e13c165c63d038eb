"""Files of flags: `--flagfile=FILE` stands for the flags in the file, one a line.

absl's own reader waits for ever for a pipe, fails with a traceback at what is no text, and goes on
after a file that names itself.
"""

import os
from collections.abc import Iterator, Sequence

from enas_tf.errors import ConfigurationError
from enas_tf.files.reading import read_bytes
from enas_tf.files.writing import reason

_NAMES = ("--flagfile", "-flagfile")
_COMMENTS = ("#", "//")
# Far more than anybody has; a file that reads itself comes to an end here, too.
_MOST_FILES = 100


def with_flag_files(argv: Sequence[str]) -> list[str]:
    """Returns the arguments with the flags of files in the place of `--flagfile=FILE`.

    Lines that are empty or begin with `#` or `//` count for nothing; files may name others.

    Args:
      argv: the arguments, without the program's name.

    Raises:
      ConfigurationError: a file cannot be read, is no text, or reads itself.
    """
    return list(_expanded(argv, []))


def _expanded(argv: Sequence[str], read: list[str]) -> Iterator[str]:
    arguments = iter(argv)
    for argument in arguments:
        name, equals, path = argument.partition("=")
        if argument == "--":
            yield argument
            yield from arguments
        elif name not in _NAMES:
            yield argument
        else:
            path = path if equals else next(arguments, "")
            read.append(path)
            if len(read) > _MOST_FILES:
                raise ConfigurationError(
                    f"More than {_MOST_FILES} files of flags, the last one {path}; is there a "
                    "circular flagfile, one that names itself?"
                )
            yield from _expanded(_lines(path), read)


def _lines(path: str) -> list[str]:
    if not path:
        raise ConfigurationError("`--flagfile` must be a file. Received: --flagfile=")
    try:
        text = read_bytes(os.path.expanduser(path)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}, given as --flagfile, is no text: {error}.") from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"Unable to open flagfile {path!r}: {reason(error)}.") from error
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith(_COMMENTS)]
