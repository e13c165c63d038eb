"""What a trained classifier says of pictures: files of any size, or arrays."""

import collections
import dataclasses
import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, overload

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from enas_tf.data.array_like import as_array
from enas_tf.data.images.files import PictureSettings, read_picture, to_settings
from enas_tf.data.images.finding import find_pictures
from enas_tf.data.parallel import read_ahead
from enas_tf.environment.keras_settings import under_own_settings
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.models.classifier import forward_of
from enas_tf.models.classifier_export import check_classifier
from enas_tf.models.remembered import label_names_of, picture_settings_of

# What an array of one picture may have: grey, grey and alpha, RGB, RGBA.
_CHANNELS = (1, 2, 3, 4)

# A path, what a file holds, or an array of one picture.
Source = str | os.PathLike[str] | bytes | np.ndarray


class Prediction(NamedTuple):
    """What a classifier says of one picture.

    Attributes:
      file: its path; None if it came in another form.
      label: the name of the most likely class.
      probability: of that class.
      top: the most likely classes, best first, each with its probability.
    """

    file: str | None
    label: str
    probability: float
    top: tuple[tuple[str, float], ...]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Predictions(Sequence[Prediction]):
    """What a classifier says of pictures, in their order; a sequence of `Prediction`.

    Attributes:
      probabilities: float32 `[pictures, classes]`.
      label_names: the name of each class.
      files: path of each picture; None if it came in another form.
      num_top: how many classes `Prediction.top` tells.
    """

    probabilities: np.ndarray
    label_names: tuple[str, ...]
    files: tuple[str | None, ...]
    num_top: int = 1

    @property
    def labels(self) -> tuple[str, ...]:
        """The name of the most likely class of each picture."""
        return tuple(self.label_names[number] for number in self.probabilities.argmax(axis=1))

    def __len__(self) -> int:
        return len(self.files)

    @overload
    def __getitem__(self, index: int) -> Prediction: ...

    @overload
    def __getitem__(self, index: slice) -> "Predictions": ...

    def __getitem__(self, index: int | slice) -> "Prediction | Predictions":
        if isinstance(index, slice):
            return dataclasses.replace(
                self, probabilities=self.probabilities[index], files=self.files[index]
            )
        row = self.probabilities[index]
        best = np.argsort(-row, kind="stable")[: self.num_top]
        top = tuple((self.label_names[number], float(row[number])) for number in best)
        return Prediction(self.files[index], *top[0], top)

    def __repr__(self) -> str:
        counts = collections.Counter(self.labels).most_common(3)
        shown = ", ".join(f"{count:,} {label}" for label, count in counts)
        more = ", …" if len(set(self.labels)) > len(counts) else ""
        number = f"{len(self):,} picture{'' if len(self) == 1 else 's'}"
        return f"Predictions({number}: {shown}{more})"


@under_own_settings
def predict(
    model: keras.Model,
    pictures: Source | Iterable[Source],
    *,
    top: int = 1,
    batch_size: int = 64,
) -> Predictions:
    """Returns what a trained classifier says of pictures.

    Pictures of any size are brought to the model's size exactly as in training.

    ```python
    model = enas_tf.load_model("runs/digits_final")
    answer = enas_tf.predict(model, "photos", top=3)  # a folder, or files, or arrays
    answer[0].file, answer[0].label, answer[0].probability, answer[0].top
    answer.labels, answer.probabilities
    ```

    Args:
      model: as `retrain` returns it, or as `load_model` reads it.
      pictures: a path of a file, or of a folder whose pictures at any depth are taken by name; what
        a file holds, as bytes; an array of one picture `[height, width, channels]` or
        `[height, width]`, or of several of one size `[pictures, height, width, channels]`, of
        uint8; or several of these (no folders) in a list. Grey arrays may be given to a model of
        RGB, and the other way round.
      top: how many of the most likely classes `Prediction.top` tells.
      batch_size: pictures in one pass; more take more memory.

    Returns:
      A sequence of `Prediction`, and the probabilities of all classes.

    Raises:
      DataError: a picture cannot be read, or is something else.
      ConfigurationError: a number is out of range.
      ExportError: the model is no classifier of pictures.
    """
    for name, value in (("top", top), ("batch_size", batch_size)):
        if value < 1:
            raise ConfigurationError(f"`{name}` must be at least 1. Received: {name}={value}.")
    predictor = Predictor(model, batch_size)
    files, rows = [], []
    for source, row in predictor(_sources(pictures)):
        if isinstance(row, DataError):
            raise row
        files.append(os.fspath(source) if isinstance(source, str | os.PathLike) else None)
        rows.append(row)
    if not rows:
        raise DataError("There are no pictures to predict on; give at least one.")
    return Predictions(np.stack(rows), predictor.label_names, tuple(files), top)


class Predictor:
    """Reads pictures, some at a time and in parallel, and asks a classifier about them.

    Args:
      model: the classifier.
      batch_size: pictures in one pass; not many more are in memory at any time.

    Attributes:
      label_names: the name of each class; numbers, if the model knows none.

    Raises:
      ExportError: the model is no classifier of pictures.
    """

    def __init__(self, model: keras.Model, batch_size: int) -> None:
        check_classifier(model)
        names = label_names_of(model)
        self.label_names = names or tuple(map(str, range(model.output_shape[-1])))
        self._shape: tuple[int, int, int] = tuple(model.input_shape[1:])
        self._settings = picture_settings_of(model)
        self._forward = forward_of(model)
        self._batch_size = batch_size

    def __call__(
        self, sources: Iterable[Source]
    ) -> Iterator[tuple[Source, np.ndarray | DataError]]:
        """Yields each source, in its order, with its probabilities or what is wrong with it."""
        for batch in read_ahead(sources, self._outcome, self._batch_size):
            pictures = [read for _, read in batch if not isinstance(read, DataError)]
            rows = iter(
                tf.nn.softmax(self._forward(np.stack(pictures))).numpy() if pictures else ()
            )
            for source, read in batch:
                yield source, read if isinstance(read, DataError) else next(rows)

    def _outcome(self, source: Source) -> tuple[Source, np.ndarray | DataError]:
        try:
            if isinstance(source, np.ndarray):
                return source, self._fitting(source)
            return source, read_picture(source, self._file_settings)
        except DataError as error:
            return source, error

    def _fitting(self, array: np.ndarray) -> np.ndarray:
        if array.shape == self._shape and array.dtype == np.uint8:
            return array
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] not in _CHANNELS:
            raise DataError(
                "An array of a picture must be uint8, from 0 to 255, [height, width, channels]. "
                f"Received: {array.dtype}, shape {array.shape}."
            )
        if 0 in array.shape:
            raise DataError(f"A picture must have pixels. Received: shape {array.shape}.")
        array = array[..., 0] if array.shape[-1] == 1 else array
        return to_settings(Image.fromarray(array), self._file_settings)

    @functools.cached_property
    def _file_settings(self) -> PictureSettings:
        if self._settings is None:
            raise DataError(
                f"The model takes pictures of {self._shape[-1]} channels, which are neither grey "
                f"nor RGB; give arrays of the shape {self._shape}."
            )
        return self._settings


def _sources(pictures: Any) -> Iterator[Source]:
    """Yields single pictures."""
    if isinstance(pictures, str | os.PathLike):
        yield from find_pictures([pictures]).files
    elif isinstance(pictures, bytes):
        yield pictures
    elif isinstance(pictures, Iterable) and not hasattr(pictures, "shape"):
        for one in pictures:
            yield one if isinstance(one, str | os.PathLike | bytes) else _picture(one)
    else:
        array = as_array("`pictures`", pictures)
        yield from array if array.ndim == 4 else [_picture(array)]


def _picture(value: Any) -> np.ndarray:
    array = as_array("A picture", value)
    return array[..., np.newaxis] if array.ndim == 2 else array
