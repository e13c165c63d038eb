"""Pictures that a `.csv` file names: the columns `path`, `label` and perhaps `split`."""

import collections
import csv
import io
import pathlib
from typing import NamedTuple

from enas_tf.data.foreign import read_file, reading
from enas_tf.data.images.arrays import ImageArrays
from enas_tf.data.images.sources import listing
from enas_tf.data.names import check_name
from enas_tf.errors import DataError
from enas_tf.settings.data import DataConfig

_REQUIRED = ("path", "label")
_SPLIT = "split"
_PARTS = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}


class _Row(NamedTuple):
    file: pathlib.Path
    label: str


def load(path: pathlib.Path, config: DataConfig | None = None) -> ImageArrays:
    """Reads the pictures of a table; the classes are the labels, sorted as texts.

    Args:
      path: of the table, in UTF-8, with commas and a first line of names. Paths are relative to its
        folder. In `split` stands train, validation (valid, val) or test; without that column all
        are training examples.
      config: to which size pictures are brought, and how. Default: `DataConfig()`.

    Raises:
      DataError: the table or a picture is missing or damaged, or there are no training examples.
    """
    data = read_file(path)
    rows: dict[str, list[_Row]] = collections.defaultdict(list)
    with reading(path, "table", "write it in UTF-8, with the columns path,label"):
        table = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        columns = table.fieldnames or ()
        if any(name not in columns for name in _REQUIRED):
            raise DataError(
                f"{path} must have the columns path and label (and may have split) in its first "
                f"line. Received: {', '.join(map(str, columns)) or 'nothing':.200}."
            )
        for row in table:
            place = f"{path}, line {table.line_num}"
            if None in row or None in row.values():
                raise DataError(f"{place} must have {len(columns)} values, one for each column.")
            split = row.get(_SPLIT, "train").strip().lower()
            if split not in _PARTS:
                raise DataError(
                    f"{place} must have train, validation or test as its split. "
                    f"Received: {split!r:.40}."
                )
            name = check_name(f"The path in {place}", row["path"].strip())
            label = check_name(f"The label in {place}", row["label"].strip())
            rows[_PARTS[split]].append(_Row(path.parent / name, label))
    if "train" not in rows:
        raise DataError(f"{path} has no training examples; expected rows with path and label.")
    names = sorted({row.label for row in rows["train"]})
    numbers = {name: number for number, name in enumerate(names)}
    for part, own in rows.items():
        unknown = sorted({row.label for row in own} - set(names))
        if unknown:
            raise DataError(
                f"Every class in {path} needs training examples. Only the {part} part has: "
                f"{', '.join(unknown):.200}."
            )
    parts = {
        part: listing.Part([row.file for row in own], [numbers[row.label] for row in own])
        for part, own in rows.items()
    }
    return listing.read(str(path), parts, names, config or DataConfig())
