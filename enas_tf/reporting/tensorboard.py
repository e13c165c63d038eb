"""Event files for TensorBoard, without gaps or duplicates after a resume."""

import contextlib
import io
import math
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.image.metadata import create_summary_metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.util.tensor_util import make_tensor_proto

from enas_tf.errors import RunDirectoryError
from enas_tf.files.places import check_place, shown
from enas_tf.files.reading import check_regular
from enas_tf.files.writing import reason

# Pixels of the longer side of a picture on a sheet, at least.
_SMALLEST_PICTURE = 64
# What the HParams dashboard can show.
_PLAIN = (bool, int, float, str)


class TensorBoardWriter:
    """Writes scalars, pictures and texts under names such as `shared_weights/loss`.

    Every method raises `RunDirectoryError` if the folder cannot be written. Events are written
    later than they are given, so that this may be said of an earlier one.

    ```python
    with TensorBoardWriter(run.tensorboard, first_step=step) as board:
        board.scalars("shared_weights", {"loss": 2.3, "accuracy": 0.1}, step)
    ```
    """

    def __init__(self, folder: str | os.PathLike[str], first_step: int = 0):
        """Opens a new event file.

        Args:
          folder: of the event files.
          first_step: events of this and later steps, which an interrupted run wrote and the
            resumed one will write again, are removed.
        """
        self._folder = pathlib.Path(folder)
        with self._writing():
            self._folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(self._folder.glob("*tfevents*")):
                _keep_steps_before(path, first_step)
            self._writer = tf.summary.create_file_writer(str(self._folder))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Turns errors of the file system into one line."""
        check_place(self._folder)
        try:
            yield
        except tf.errors.InvalidArgumentError:
            # Of the values, not of the folder.
            raise
        except (tf.errors.OpError, OSError) as error:
            raise RunDirectoryError(
                f"Cannot write {shown(self._folder)}: {reason(error)}."
            ) from error

    @contextlib.contextmanager
    def _adding(self) -> Iterator[None]:
        with self._writing(), self._writer.as_default():
            yield

    def _add(self, summaries: Iterable[Summary], step: int) -> None:
        """Writes summaries as one, which takes TensorFlow's own functions far longer."""
        whole = Summary()
        for summary in summaries:
            whole.MergeFrom(summary)
        with self._adding():
            tf.summary.experimental.write_raw_pb(whole.SerializeToString(), step=step)

    def scalars(self, group: str, values: Mapping[str, Any], step: int) -> None:
        """Writes numbers.

        Args:
          group: goes before the names, for example `controller`.
          values: a number for each name.
          step: the step they belong to.
        """
        self._add(
            (scalar_pb(f"{group}/{name}", float(value)) for name, value in values.items()), step
        )

    def histogram(self, name: str, values: Any, step: int) -> None:
        """Writes the distribution of an array of numbers."""
        with self._adding():
            tf.summary.histogram(name, values, step=step)

    def png(self, name: str, png: bytes, step: int) -> None:
        """Writes a picture that is given as the bytes of a PNG file."""
        with Image.open(io.BytesIO(png)) as image:
            sides = [str(side).encode() for side in image.size]
        value = Summary.Value(
            tag=name,
            tensor=make_tensor_proto([*sides, png]),
            metadata=create_summary_metadata(display_name=None, description=None),
        )
        self._add([Summary(value=[value])], step)

    def pictures(self, name: str, images: Any, step: int) -> None:
        """Writes pictures as one, side by side and large enough to be looked at.

        Args:
          name: of the picture.
          images: uint8 `[pictures, height, width, channels]`.
          step: the step they belong to.
        """
        with self._adding():
            tf.summary.image(name, _sheet(np.asarray(images))[np.newaxis], step=step)

    def hyperparameters(self, values: Mapping[str, Any], metrics: Mapping[str, str]) -> None:
        """Writes settings, which the HParams dashboard shows in a table.

        Args:
          values: numbers, words and truth values by name; others are left out.
          metrics: what the settings are to be judged by: names of scalars, and for each the folder
            beside this one's files that has it.
        """
        plain = {name: value for name, value in values.items() if isinstance(value, _PLAIN)}
        columns = [
            hparams.Metric(tag, group=folder, display_name=tag.rpartition("/")[2].replace("_", " "))
            for tag, folder in metrics.items()
        ]
        with self._adding():
            hparams.hparams_config([hparams.HParam(name) for name in plain], columns)
            hparams.hparams(plain)

    def text(self, name: str, markdown: str, step: int) -> None:
        """Writes a text, in Markdown."""
        with self._adding():
            tf.summary.text(name, markdown, step=step)

    def flush(self) -> None:
        """Makes all that was written readable by others."""
        with self._writing():
            self._writer.flush()

    def close(self) -> None:
        """Flushes and closes the file."""
        with self._writing():
            self._writer.close()

    def __enter__(self) -> "TensorBoardWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _sheet(images: np.ndarray) -> np.ndarray:
    """Returns pictures in a square of rows and columns, white where there is none."""
    columns = math.ceil(math.sqrt(len(images)))
    factor = math.ceil(_SMALLEST_PICTURE / max(images.shape[1:3]))
    enlarged = images.repeat(factor, axis=1).repeat(factor, axis=2)
    framed = np.pad(enlarged, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=255)
    missing = -len(framed) % columns
    padded = np.pad(framed, [(0, missing), (0, 0), (0, 0), (0, 0)], constant_values=255)
    rows = padded.reshape(-1, columns, *framed.shape[1:])
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows], axis=0)


def _keep_steps_before(path: pathlib.Path, first_step: int) -> None:
    """Rewrites an event file without the events of `first_step` and later ones."""
    check_regular(path)
    kept = []
    num_records = 0
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            num_records += 1
            event = Event.FromString(record)
            if event.HasField("file_version") or event.step < first_step:
                kept.append(record)
    except tf.errors.DataLossError:
        # The end of the last record is missing: the run was killed while it wrote.
        num_records += 1
    if len(kept) == num_records:
        return
    temporary = path.with_name(f".{path.name}")
    try:
        with tf.io.TFRecordWriter(str(temporary)) as file:
            for record in kept:
                file.write(record)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
