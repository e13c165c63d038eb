"""Which files the name of a text dataset stands for."""

import os
import pathlib
from typing import NamedTuple

from enas_tf.data.foreign import data_folder, user_path
from enas_tf.data.texts.parts import TextParts
from enas_tf.data.texts.sources import ptb_pickle, pydoc, text_files
from enas_tf.data.texts.tokenization import BLANKS, WORDS
from enas_tf.errors import DataError
from enas_tf.settings.data import TextDataConfig

_PYDOC = "pydoc"
_PENN_TREEBANK = "ptb"
# Where its files are in the archive that they come in.
_FOLDERS_OF_PENN_TREEBANK = ("simple-examples/data", "data")


class TextSource(NamedTuple):
    """The texts that a configuration names.

    Attributes:
      parts: the texts.
      tokenization: how they become words: `blanks` or `words`.
    """

    parts: TextParts
    tokenization: str


def read_source(config: TextDataConfig) -> TextSource:
    """Reads the texts that a configuration names.

    `config.dataset` is `pydoc` (embedded), `ptb`, a text file, the release's `ptb.pkl`, or a folder
    with a file for each part. Files are looked for in `config.data_dir` first.

    Args:
      config: names the dataset.

    Raises:
      DataError: there is nothing of that name, or it is not what it should be.
    """
    data_dir = data_folder(config.data_dir)
    if not config.dataset.strip():
        raise DataError("`dataset` is empty; give pydoc, ptb, a text file or a folder.")
    is_pydoc = config.dataset == _PYDOC
    parts = pydoc.load() if is_pydoc else _read(_location(config.dataset, data_dir))
    automatic = WORDS if is_pydoc else BLANKS
    tokenization = automatic if config.tokenization == "auto" else config.tokenization
    return TextSource(parts, tokenization)


def _read(path: pathlib.Path) -> TextParts:
    if path.suffix == ".pkl":
        return ptb_pickle.load(path)
    if not os.path.isdir(path):
        return text_files.load_file(path)
    pickled = path / ptb_pickle.FILE
    if os.path.exists(pickled) and not text_files.is_present(path):
        return ptb_pickle.load(pickled)
    return text_files.load_folder(path)


def _location(name: str, data_dir: pathlib.Path | None) -> pathlib.Path:
    """Returns the file or folder that a name stands for."""
    candidates = _candidates(name, data_dir)
    for path in candidates:
        # What is there but no regular file is refused where it is opened.
        holds_pickle = os.path.exists(path / ptb_pickle.FILE)
        is_file = os.path.exists(path) and not os.path.isdir(path)
        if is_file or holds_pickle or text_files.is_present(path):
            return path
    # What is wrong with a folder is said where its files are looked for.
    existing = [path for path in candidates if os.path.isdir(path)]
    if existing and name != _PENN_TREEBANK:
        return existing[0]
    if name == _PENN_TREEBANK:
        raise DataError(
            f"Penn Treebank is not part of this package and is not downloaded. Looked for "
            f"{', '.join(text_files.PENN_TREEBANK_FILES)} or {ptb_pickle.FILE} in "
            f"{', '.join(map(str, candidates)) or 'no folder, since data_dir is not set'}; place "
            "them in a folder by hand and give it as `data_dir`, or choose dataset=pydoc."
        )
    raise DataError(
        "`dataset` must be a text: pydoc, ptb, an existing text file, ptb.pkl, or an existing "
        f"folder of text files. Received: dataset={name!r:.200}, which is none of them; check the "
        "spelling."
    )


def _candidates(name: str, data_dir: pathlib.Path | None) -> list[pathlib.Path]:
    if name != _PENN_TREEBANK:
        path = user_path("`dataset`", name)
        return [path] if data_dir is None else [data_dir / name, path, data_dir]
    if data_dir is None:
        return []
    return [data_dir, data_dir / name, *(data_dir / part for part in _FOLDERS_OF_PENN_TREEBANK)]
