"""Reading what others wrote: whatever goes wrong becomes one `DataError`."""

import contextlib
import os
import pathlib
from collections.abc import Iterator

from enas_tf.data.names import check_name
from enas_tf.errors import DataError, EnasError
from enas_tf.files import places
from enas_tf.files.reading import NotRegularError, check_regular, read_bytes


def user_path(what: str, text: str) -> pathlib.Path:
    """Returns the path that a user wrote; a run writes it down.

    Args:
      what: names the setting in the message of an error.
      text: of the path, in which `~` may be the user's home.

    Raises:
      DataError: it cannot be written.
    """
    return places.user_path(check_name(what, text))


def data_folder(text: str | None, advice: str = "check the spelling") -> pathlib.Path | None:
    """Returns the folder that `data_dir` names, if any; an error that there is none gives advice.

    Raises:
      DataError: there is no such folder.
    """
    if text is None:
        return None
    folder = user_path("`data_dir`", text)
    # os.path answers no to a text that is too long for a path; pathlib would raise.
    if not os.path.isdir(folder):
        raise DataError(
            f"`data_dir` must be an existing folder. Received: data_dir={text!r}; {advice}."
        )
    return folder


def visible(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns what a folder holds, sorted, without what is hidden.

    Raises:
      DataError: it cannot be read.
    """
    with reading(folder, "folder", "check its permissions"):
        return sorted(entry for entry in folder.iterdir() if entry.name[0] != ".")


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Returns what a regular file holds.

    Args:
      path: of the file.

    Raises:
      DataError: it cannot be read, is larger than the memory, or is no regular file.
    """
    try:
        return read_bytes(path)
    except (OSError, MemoryError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({_why(error)}).") from error


def check_folder(folder: pathlib.Path) -> None:
    """Finds out, for a library that opens the files of a folder itself, whether it may.

    Args:
      folder: looked through at any depth; need not exist.

    Raises:
      DataError: there is a pipe or a device in it, which would be waited for.
    """
    for root, _, names in os.walk(folder):
        for path in (os.path.join(root, name) for name in names):
            try:
                check_regular(path)
            except NotRegularError as error:
                raise DataError(f"{path} cannot be read ({_why(error)}).") from error
            except OSError:
                # The library says what it misses.
                continue


@contextlib.contextmanager
def reading(path: object, kind: str, advice: str) -> Iterator[None]:
    """Turns any error inside into one that names the file and what it should have been.

    Args:
      path: names the file.
      kind: what the file should be.
      advice: what to do; ends the message.

    Raises:
      DataError: there is no such file, or reading it failed.
    """
    try:
        yield
    except EnasError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; check its spelling.") from error
    # Readers of file formats document few of the errors that damaged files make them raise.
    except Exception as error:
        raise DataError(f"{path} is not a readable {kind} ({_why(error)}); {advice}.") from error


def _why(error: Exception) -> str:
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    return f"{' '.join(text.split()) or type(error).__name__:.120}"
