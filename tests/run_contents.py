"""Everything in a run directory that must not depend on interruptions, and where two runs differ.

Left out is only what depends on the clock (`seconds`, the lengths of lines that hold them, names
of event files, `log.txt`) and what counts saves, of which an interrupted run makes more.
"""

import io
import itertools
import json
import pathlib
import struct
import zipfile
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
import tensorflow as tf
from tensorboard.compat.proto.event_pb2 import Event

# Depend on the clock, or count saves.
IGNORED_KEYS = frozenset({"seconds", "saves"})
IGNORED_VARIABLES = ("_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter")
PLAIN_STATE = "plain_state/.ATTRIBUTES/py_state"
# Compared byte by byte.
PLAIN_FILES = ("best_architecture.svg", "vocabulary.txt")


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()


def run_contents(folder: pathlib.Path) -> dict[str, Any]:
    """Returns the comparable contents of a run directory, by name.

    Args:
      folder: of a search or a retraining that has ended.
    """
    contents: dict[str, Any] = {
        path.name: _without_ignored(json.loads(path.read_text()))
        for path in sorted(folder.glob("*.json"))
    }
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_text().splitlines()
        contents[path.name] = [_without_ignored(json.loads(line)) for line in lines]
    for name in PLAIN_FILES:
        if (folder / name).exists():
            contents[name] = (folder / name).read_bytes()
    boards = folder / "tensorboard"
    for board in (boards, *sorted(path for path in boards.glob("*") if path.is_dir())):
        contents[board.relative_to(folder).as_posix()] = list(_scalars_and_more(board))
    contents.update(_checkpoints(folder))
    if (folder / "model.keras").exists():
        contents["model.keras"] = _keras_weights(folder / "model.keras")
    for version in sorted((folder / "saved_model").glob("[0-9]*")):
        variables = str(version / "variables" / "variables")
        contents[f"saved_model/{version.name}"] = _variables(variables)
    return contents


def _without_ignored(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_ignored(entry) for key, entry in value.items() if key not in IGNORED_KEYS
        }
    return [_without_ignored(entry) for entry in value] if isinstance(value, list) else value


def _variables(prefix: str) -> dict[str, Any]:
    reader = tf.train.load_checkpoint(prefix)
    names = sorted(reader.get_variable_to_shape_map())
    return {
        name: reader.get_tensor(name) for name in names if not name.startswith(IGNORED_VARIABLES)
    }


def _checkpoints(folder: pathlib.Path) -> dict[str, Any]:
    """Returns the contents of the newest checkpoint, and of the best one if there is one."""
    numbers = [
        int(path.stem.rpartition("-")[2]) for path in folder.glob("checkpoints/ckpt-*.index")
    ]
    newest = _checkpoint(folder, max(numbers))
    contents = {"checkpoint": newest}
    best = newest["plain_state"].get("checkpoints", {}).get("best")
    if best:
        # It counts saves.
        contents["best checkpoint"] = _checkpoint(folder, best.pop("number"))
        contents["best checkpoint"]["plain_state"]["checkpoints"]["best"].pop("number")
    return contents


def _checkpoint(folder: pathlib.Path, number: int) -> dict[str, Any]:
    variables = _variables(str(folder / "checkpoints" / f"ckpt-{number}"))
    state = _without_ignored(json.loads(variables.pop(PLAIN_STATE)))
    for key in {"log", "logs"} & set(state):
        # Lines instead of bytes, whose number depends on the digits of `seconds`.
        state[key] = {
            name: (folder / name).read_bytes()[:size].count(b"\n") if size else 0
            for name, size in state[key].items()
        }
    return {**variables, "plain_state": state}


def _keras_weights(path: pathlib.Path) -> dict[str, Any]:
    weights: dict[str, Any] = {}

    def keep(name: str, entry: Any) -> None:
        if isinstance(entry, h5py.Dataset):
            weights[name] = entry[()]

    with (
        zipfile.ZipFile(path) as archive,
        h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file,
    ):
        file.visititems(keep)
    return weights


def _scalars_and_more(folder: pathlib.Path) -> Iterator[dict[str, Any]]:
    """Yields what TensorBoard shows, in the order in which it was written."""
    for path in sorted(folder.glob("*tfevents*")):
        for record in _records(path):
            event = Event.FromString(record)
            for value in event.summary.value:
                content = value.tensor.SerializeToString()
                yield {"tag": value.tag, "step": event.step, "content": content}


def _records(path: pathlib.Path) -> Iterator[bytes]:
    """Yields the records of a TFRecord file: length, its checksum, the record, its checksum."""
    content, position = path.read_bytes(), 0
    while position < len(content):
        (length,) = struct.unpack_from("<Q", content, position)
        record = content[position + 12 : position + 12 + length]
        if len(record) < length:
            raise ValueError(f"{path} ends within a record.")
        yield record
        position += 12 + length + 4


def first_difference(expected: Any, actual: Any, name: str = "") -> str | None:
    """Returns where two contents differ first and how, or None if they are the same bit for bit.

    Args:
      expected: nested dictionaries and lists of arrays, numbers and texts.
      actual: likewise.
      name: of the whole.
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        names = dict.fromkeys([*expected, *actual])
        pairs = [
            (f"{name}/{key}" if name else key, expected.get(key, MISSING), actual.get(key, MISSING))
            for key in names
        ]
    elif isinstance(expected, list) and isinstance(actual, list):
        both = itertools.zip_longest(expected, actual, fillvalue=MISSING)
        pairs = [(f"{name}, entry {number}", *pair) for number, pair in enumerate(both, 1)]
    elif isinstance(expected, np.ndarray) and isinstance(actual, np.ndarray):
        return _array_difference(expected, actual, name)
    else:
        # What `repr` tells of a float is all of it, and it knows that 1 is not 1.0.
        left, right = repr(expected), repr(actual)
        return None if left == right else f"{name}: {right:.120} instead of {left:.120}"
    found = (first_difference(left, right, where) for where, left, right in pairs)
    return next(filter(None, found), None)


def _array_difference(expected: np.ndarray, actual: np.ndarray, name: str) -> str | None:
    if (expected.shape, expected.dtype) != (actual.shape, actual.dtype):
        return (
            f"{name}: {actual.dtype}{list(actual.shape)} instead of "
            f"{expected.dtype}{list(expected.shape)}"
        )
    if expected.tobytes() == actual.tobytes():
        return None
    left, right = expected.ravel(), actual.ravel()
    differ = [
        number for number in range(left.size) if left[number].tobytes() != right[number].tobytes()
    ]
    return (
        f"{name}: {len(differ)} of {left.size} numbers differ, the first is "
        f"{right[differ[0]]!r} instead of {left[differ[0]]!r}"
    )
