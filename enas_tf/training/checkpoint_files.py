"""The files of checkpoints: which ones are there, how new ones come and old ones go."""

import collections
import contextlib
import os
import pathlib
import re
import shutil
from collections.abc import Callable, Collection, Iterable

from enas_tf.errors import RunDirectoryError
from enas_tf.files.places import shown
from enas_tf.files.reading import check_regular
from enas_tf.files.writing import reason, sync_file, sync_folder

NAME = "ckpt-"
_INDEX = ".index"
_FILE = re.compile(r"ckpt-(\d+)\.(?:index|data-\d{5}-of-(\d{5}))")
# A checkpoint is written here and then moved to its place.
_UNFINISHED = ".unfinished-"
_NEW_NAMES = ".checkpoint.tmp"
_LEFTOVER = re.compile(r"\.unfinished-\d+|\.checkpoint\.tmp")


class CheckpointFiles:
    """A folder of checkpoints `ckpt-7.index` and `ckpt-7.data-00000-of-00001`, by their numbers.

    Args:
      folder: need not exist before the first `add`.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    def prefix(self, number: int) -> pathlib.Path:
        """Returns the path of a checkpoint as TensorFlow wants it, without the files' suffixes."""
        return self.folder / f"{NAME}{number}"

    @property
    def newest(self) -> int:
        """The greatest number that any file has, of a whole checkpoint or not; -1: no files."""
        return max(self._by_number(), default=-1)

    def indexed(self) -> list[int]:
        """Returns the numbers that have an index, in descending order; their data may be missing.

        Data without an index are what is left of a save that was killed.
        """
        found = (number for number, files in self._by_number().items() if _has_index(files))
        return sorted(found, reverse=True)

    def whole(self) -> list[int]:
        """Returns the numbers of which all files are there, in ascending order."""
        return sorted(number for number, files in self._by_number().items() if _is_whole(files))

    def check_regular(self, number: int) -> None:
        """Raises `OSError` if a file of a checkpoint is a pipe or the like, which has no end."""
        for path in self._by_number()[number]:
            check_regular(path)

    def add(self, number: int, write: Callable[[str], object]) -> None:
        """Brings a new checkpoint to the disk: the whole of it, or nothing if that fails.

        Args:
          number: a new one.
          write: writes the files of a checkpoint to a prefix.

        Raises:
          OSError: the folder cannot be written. What `write` raises comes through too.
        """
        unfinished = self.folder / f"{_UNFINISHED}{number}"
        placed: list[pathlib.Path] = []
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.mkdir(exist_ok=True)
            write(str(unfinished / f"{NAME}{number}"))
            files = [path for path in unfinished.iterdir() if _FILE.fullmatch(path.name)]
            # The index last: with it the checkpoint is there.
            for path in sorted(files, key=_is_index):
                sync_file(path)
                placed.append(self.folder / path.name)
                os.replace(path, placed[-1])
            sync_folder(self.folder)
        except BaseException:
            for path in reversed(placed):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def keep(self, numbers: Collection[int]) -> None:
        """Removes all other checkpoints and what killed saves left; other files stay.

        Args:
          numbers: of whole checkpoints.

        Raises:
          OSError: the folder cannot be written.
        """
        self._write_names(sorted(numbers))
        for number, files in self._by_number().items():
            if number not in numbers:
                # The index first, so that what is left is never taken for a checkpoint.
                for path in sorted(files, key=_is_index, reverse=True):
                    path.unlink()
        for path in self._entries():
            if _LEFTOVER.fullmatch(path.name):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _write_names(self, numbers: Collection[int]) -> None:
        """Writes the file that `tf.train.latest_checkpoint` looks for; nothing here needs it."""
        lines = [f'model_checkpoint_path: "{NAME}{max(numbers)}"']
        lines += [f'all_model_checkpoint_paths: "{NAME}{number}"' for number in numbers]
        temporary = self.folder / _NEW_NAMES
        temporary.write_text("".join(f"{line}\n" for line in lines))
        os.replace(temporary, self.folder / "checkpoint")

    def _by_number(self) -> dict[int, list[pathlib.Path]]:
        files: dict[int, list[pathlib.Path]] = collections.defaultdict(list)
        for path in self._entries():
            if match := _FILE.fullmatch(path.name):
                files[int(match[1])].append(path)
        return files

    def _entries(self) -> list[pathlib.Path]:
        try:
            return sorted(self.folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise RunDirectoryError(
                f"Cannot read the folder {shown(self.folder)}: {reason(error)}."
            ) from error


def _is_index(path: pathlib.Path) -> bool:
    return path.suffix == _INDEX


def _has_index(files: Iterable[pathlib.Path]) -> bool:
    return any(map(_is_index, files))


def _is_whole(files: Collection[pathlib.Path]) -> bool:
    parts = [match[2] for path in files if (match := _FILE.fullmatch(path.name)) and match[2]]
    return _has_index(files) and bool(parts) and len(parts) == int(parts[0])
