"""Pictures in folders: `train/CLASS/*.png`, `test/CLASS/*.png`, or `CLASS/*.png` alone."""

import logging
import os
import pathlib

from enas_tf.data.foreign import visible
from enas_tf.data.images.arrays import ImageArrays
from enas_tf.data.images.files import SUFFIXES
from enas_tf.data.images.finding import is_picture, pictures_in
from enas_tf.data.images.sources import listing
from enas_tf.data.names import check_name
from enas_tf.errors import DataError
from enas_tf.settings.data import DataConfig

# What the folder of each part may be called.
_FOLDERS = {"train": ("train",), "validation": ("validation", "valid", "val"), "test": ("test",)}

_log = logging.getLogger(__name__)


def is_present(path: pathlib.Path) -> bool:
    """Whether `path` is a folder that is meant as one of class folders."""
    # os.path answers no to a text that is too long for a path; pathlib would raise.
    if not os.path.isdir(path):
        return False
    # A folder in the current directory may by chance have the name of a dataset.
    return (path / "train").is_dir() or len(path.parts) > 1


def load(path: pathlib.Path, config: DataConfig | None = None) -> ImageArrays:
    """Reads all pictures; the classes are the folders of the training part, sorted by name.

    Pictures lie in the folder of their class, at any depth. Files that are no pictures by their
    names are left out.

    Args:
      path: the folder that holds `train/`, and perhaps `validation/` (or `valid/`, `val/`) and
        `test/`; or the folders of the classes.
      config: to which size they are brought, and how. Default: `DataConfig()`.

    Raises:
      DataError: a folder is missing or empty or has a name that cannot be written, a picture is
        damaged, or the parts have different classes.
    """
    folders = _part_folders(path)
    classes = {part: _class_names(folder) for part, folder in folders.items()}
    names = classes["train"]
    parts = {}
    for part, folder in folders.items():
        own = classes[part]
        odd = sorted(set(names) ^ set(own) if part == "test" else set(own) - set(names))
        if odd:
            raise DataError(
                f"{folders['train']} and {folder} must have the same class folders. "
                f"Only one of them has: {', '.join(odd):.200}."
            )
        parts[part] = _files(folder, [name for name in names if name in own], names)
    return listing.read(str(path), parts, names, config or DataConfig())


def _part_folders(path: pathlib.Path) -> dict[str, pathlib.Path]:
    """Returns the folder of each part that there is."""
    found: dict[str, pathlib.Path] = {}
    for part, choices in _FOLDERS.items():
        there = [path / name for name in choices if (path / name).is_dir()]
        if len(there) > 1:
            raise DataError(
                f"{path} has more than one folder of a {part} part: "
                f"{', '.join(folder.name for folder in there)}; leave one of them."
            )
        found.update((part, folder) for folder in there)
    if found and "train" not in found:
        raise DataError(
            f"{path} has no folder 'train', but {', '.join(f.name for f in found.values())}; "
            f"expected {path / 'train' / 'CLASS' / 'picture.png'}."
        )
    return found or {"train": path}


def _class_names(folder: pathlib.Path) -> list[str]:
    entries = visible(folder)
    names = sorted(entry.name for entry in entries if entry.is_dir())
    if not names:
        raise DataError(
            f"{folder} has no class folders; expected {folder / 'CLASS' / 'picture.png'}."
        )
    loose = [entry for entry in entries if is_picture(entry)]
    if loose:
        _log.warning(
            "%s: %d pictures beside the classes' folders are left out, like %s.",
            folder,
            len(loose),
            loose[0].name,
        )
    return [check_name(f"The name of a class folder in {folder}", name) for name in names]


def _files(folder: pathlib.Path, present: list[str], names: list[str]) -> listing.Part:
    """Returns every picture's path and label, sorted by class and path."""
    files: list[pathlib.Path] = []
    labels: list[int] = []
    for name in present:
        own = pictures_in(folder / name)
        if not own:
            endings = " ".join(sorted(SUFFIXES))
            raise DataError(f"{folder / name} holds no pictures ({endings}).")
        files += own
        labels += [names.index(name)] * len(own)
    return listing.Part(files, labels)
