"""Text files: one that is divided, or a folder with a file for each part."""

import codecs
import os
import pathlib
import re
import shlex

from enas_tf.data.foreign import read_file, visible
from enas_tf.data.texts.parts import TextParts, split_text
from enas_tf.errors import DataError

PENN_TREEBANK_FILES = ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt")

# The words in a file's name that tell its part, and what suffices inside a longer word.
_WORDS_OF_PARTS = {
    "train": {"train", "training"},
    "valid": {"valid", "validation", "val", "dev"},
    "test": {"test", "testing"},
}
_NO_TEXTS = frozenset(
    {".bz2", ".gz", ".npy", ".npz", ".pkl", ".tar", ".tgz", ".xz", ".zip", ".zst"}
)
# A file of a part's name may describe the part.
_NO_PARTS = _NO_TEXTS | {".json"}


def is_present(folder: pathlib.Path) -> bool:
    """Whether `folder` is a folder with a file of at least one part."""
    return os.path.isdir(folder) and any(_files_of_parts(folder).values())


def load_folder(folder: pathlib.Path) -> TextParts:
    """Reads a folder with one training, one validation and one test file.

    The parts are told by the names of the files, in which `train`, `valid` (or `validation`,
    `val`, `dev`) and `test` stand. The three files of Penn Treebank go before all others, since
    there are more beside them where they come from.

    Args:
      folder: an existing folder.

    Raises:
      DataError: a file is missing, empty or no text in UTF-8, or there are several for one part.
    """
    paths = [folder / name for name in PENN_TREEBANK_FILES]
    if not all(os.path.exists(path) for path in paths):
        paths = [_only(folder, part, files) for part, files in _files_of_parts(folder).items()]
    return TextParts(*(read_text(path) for path in paths))


def load_file(path: pathlib.Path) -> TextParts:
    """Reads one text file and divides it; see `split_text`.

    Raises:
      DataError: the file is missing, empty or no text in UTF-8, or too short to be divided.
    """
    if path.suffix.lower() in _NO_TEXTS:
        raise DataError(
            f"{path} is no text file, since its name ends in {path.suffix}; unpack it, or give a "
            "text file in UTF-8."
        )
    return split_text(read_text(path), str(path))


def read_text(path: pathlib.Path) -> str:
    """Returns the text of a file, whose last line gets a line end if it has none.

    Args:
      path: of a text in UTF-8, with or without a byte order mark.

    Raises:
      DataError: the file cannot be read, is not UTF-8, or has no words.
    """
    text = _decode(read_file(path), path)
    if not text.strip():
        raise DataError(f"{path} holds no words; give a file with text.")
    return text if text.endswith("\n") else text + "\n"


def _decode(data: bytes, path: pathlib.Path) -> str:
    mark = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    # A zero byte is valid UTF-8, but in fact a sign of UTF-16 or of something that is no text.
    position, reason = data.find(b"\0"), "zero byte"
    try:
        text = str(memoryview(data)[mark:], "utf-8")
    except UnicodeDecodeError as error:
        position = mark + error.start
        reason = f"byte 0x{data[position]:02x}"
    if position >= 0:
        raise DataError(
            f"{path} is not a text in UTF-8 ({reason} at position {position}); convert it to UTF-8."
        )
    return text


def _files_of_parts(folder: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    result: dict[str, list[pathlib.Path]] = {part: [] for part in _WORDS_OF_PARTS}
    for entry in _texts(folder):
        for part in _parts_named(entry.name):
            result[part].append(entry)
    return result


def _texts(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns what may be texts by their names; what else is no regular file is found later."""
    entries = visible(folder)
    return [e for e in entries if e.suffix.lower() not in _NO_PARTS and not e.is_dir()]


def _parts_named(name: str) -> list[str]:
    """Returns the parts that a file's name tells of; whole words go before parts of words."""
    words = set(re.findall("[a-z]+", name.lower()))
    whole = [part for part, names in _WORDS_OF_PARTS.items() if words & names]
    return whole or [part for part in _WORDS_OF_PARTS if part in name.lower()]


def _only(folder: pathlib.Path, part: str, files: list[pathlib.Path]) -> pathlib.Path:
    if len(files) == 1:
        return files[0]
    if files:
        names = ", ".join(file.name for file in files)
        raise DataError(
            f"{folder} must have exactly one {part} file. It has {len(files)}: {names:.200}; move "
            "the others away."
        )
    found = ", ".join(sorted(entry.name for entry in folder.iterdir())) or "nothing"
    advice = _how_to_divide(folder) if part == "train" else ""
    raise DataError(
        f"{folder} has no {part} file: a text file with {part!r} in its name, like "
        f"{part}.txt. It holds: {found:.200}{advice}."
    )


def _how_to_divide(folder: pathlib.Path) -> str:
    """Returns how to make a training part of the texts that a folder holds."""
    texts = [entry.name for entry in _texts(folder)]
    if not texts:
        return ""
    if len(texts) == 1:
        return f"; give {folder / texts[0]} itself, which is divided 90:5:5"
    return (
        f"; join texts into one file, like `cat {shlex.join(texts[:2])} > all.txt`, and give that, "
        "which is divided 90:5:5"
    )
