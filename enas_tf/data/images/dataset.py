"""Labelled pictures: the value that searching, retraining and evaluation take."""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import Self

from enas_tf.data.batching import steps_per_epoch
from enas_tf.data.images.arrays import CheckedArrays, ImageArrays
from enas_tf.data.images.division import divided
from enas_tf.data.images.files import PictureSettings
from enas_tf.data.images.pictures import as_pictures, is_lazy
from enas_tf.data.images.preprocessing import Augmentation, Normalization
from enas_tf.data.images.sources import (
    datasets,
)
from enas_tf.data.images.sources.listing import MEGABYTE
from enas_tf.data.names import check_name, own_name
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.settings.data import DataConfig
from enas_tf.settings.search import TOP, SearchConfig
from enas_tf.settings.training import RetrainConfig

if TYPE_CHECKING:
    from enas_tf.data.images.streams import ImageSearchStreams

# A mirrored digit or letter is another sign, or none.
_NEVER_MIRRORED = ("digits", "mnist", "emnist", "kmnist", "svhn_cropped")

_log = logging.getLogger(__name__)

_PARTS = ("train", "validation", "train_and_validation", "test")
# Pictures that tell mean and deviation of more than fit into memory.
_SAMPLED = 4096


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ImageData:
    """A classification dataset of pictures of one size, and how it is used.

    Make it with `load_images`, `ImageData.from_arrays` or `ImageData.from_datasets`, which check
    everything. The *last* `validation_size` training examples are the validation part, as in the
    release (45,000 / 5,000 for CIFAR-10); where the order means nothing, they were brought there
    (`DataConfig.split`).

    Attributes:
      name: of the dataset.
      x_train: training and validation pictures, uint8 `[examples, height, width, channels]`: an
        array, or what is read when it is needed (`enas_tf.data.images.pictures.Pictures`).
      y_train: their labels, int32 `[examples]`, from 0 to `num_classes - 1`.
      x_test: test pictures, uint8, of the same size; an array or `Pictures`.
      y_test: their labels, int32.
      label_names: the name of each class.
      validation_size: number of validation examples at the end of the training set.
      flip: whether training pictures are mirrored at random.
      crop_padding: pixels of padding before the random crop.
      cutout: side in pixels of the square that CutOut blanks; 0: none.
      config: the settings that the dataset was made with.
      augmentation_layer: changes training pictures, a `SeededLayer`; None: there is none.
      file_settings: what the files of the pictures were brought to; None: they were no files.
      fingerprint: tells files from others by their names, sizes and times; None: there are none.
      kept_normalization: mean and deviation that a run began with; None: those of the pictures.
      memory: `DevicePictures`, those of `x_train` in the memory of devices; None: they are on none.
    """

    name: str
    x_train: Any
    y_train: np.ndarray
    x_test: Any
    y_test: np.ndarray
    label_names: tuple[str, ...]
    validation_size: int
    flip: bool
    crop_padding: int
    cutout: int
    config: DataConfig
    augmentation_layer: Any = None
    file_settings: PictureSettings | None = None
    fingerprint: str | None = None
    kept_normalization: Normalization | None = None
    memory: Any = None

    @classmethod
    def from_arrays(
        cls,
        x_train: Any,
        y_train: Any,
        x_test: Any = None,
        y_test: Any = None,
        *,
        x_validation: Any = None,
        y_validation: Any = None,
        label_names: Sequence[str] | None = None,
        name: str | None = None,
        config: DataConfig | None = None,
        augmentation: Any = None,
    ) -> Self:
        """Makes a dataset from arrays.

        Training examples that are grouped by class are shuffled once, always in the same way, and
        divided by shares of the classes; any other order is kept, and the last ones validate
        (`DataConfig.split`). A validation set of your own is given as `x_validation`.

        ```python
        generator = np.random.default_rng(0)
        pictures = generator.integers(0, 256, (300, 12, 12, 3), np.uint8)
        labels = generator.integers(0, 2, 300)
        data = enas_tf.ImageData.from_arrays(
            pictures[:200],
            labels[:200],
            pictures[200:],
            labels[200:],
            label_names=["cat", "dog"],
            config=enas_tf.DataConfig(validation_size=50, flip=False),
        )
        ```

        Args:
          x_train: pictures `[examples, height, width, channels]`, or without the last axis when
            they are grey. Integers from 0 to 255, floats from 0 to 1 or floats from 0 to 255.
            uint8 arrays, and maps of files (`numpy.memmap`), are not copied.
          y_train: integer labels `[examples]`, from 0 to classes - 1; or names; or
            `[examples, classes]` with a 1 in the column of the class.
          x_test: pictures of the same size and kind. Default: a share of the training set,
            `DataConfig.test_split`.
          y_test: their labels.
          x_validation: likewise. Default: a part of the training set.
          y_validation: their labels.
          label_names: the name of each class. Default: its number.
          name: of the dataset, which stands in the run directories. Default: `arrays_` and a
            fingerprint of the arrays, so that a run is not gone on with on other ones by mistake.
          config: split and augmentation; its `dataset` and `data_dir` are not used. Default:
            `DataConfig()`.
          augmentation: a Keras layer that changes training pictures, float32
            `[batch, height, width, channels]` of pixels 0 to 255, after crop and flip and before
            they are normalised. All its random numbers must come from `keras.random.SeedGenerator`s
            that it has as attributes, as those of Keras's own layers do; their states are set for
            every batch, so that a run can be gone on with. Nothing in it is trained.

        Returns:
          The dataset.

        Raises:
          DataError: the arrays are not labelled pictures of one size, or are too few.
          ConfigurationError: a setting does not fit the size of the pictures.
        """
        arrays = ImageArrays(
            x_train, y_train, x_test, y_test, label_names, x_validation, y_validation
        )
        return cls._from_memory(arrays.checked(), "arrays", name, config, augmentation)

    @classmethod
    def from_datasets(
        cls,
        train: Any,
        *parts: Any,
        validation: Any = None,
        test: Any = None,
        label_names: Sequence[str] | None = None,
        name: str | None = None,
        config: DataConfig | None = None,
        augmentation: Any = None,
    ) -> Self:
        """Makes a dataset from `tf.data` datasets, which are read into memory.

        A dataset that is shuffled otherwise each time is another one each time: the validation part
        would be another, so that a run of it cannot be gone on with.

        ```python
        train = keras.utils.image_dataset_from_directory("pictures/train", seed=1)
        test = keras.utils.image_dataset_from_directory("pictures/test", shuffle=False)
        data = enas_tf.ImageData.from_datasets(train, test)
        data = enas_tf.ImageData.from_datasets(train, validation, test)  # with one of your own
        ```

        Args:
          train: a `tf.data.Dataset`, or any other iterable, of pairs (picture, label) or of
            dictionaries with `image` and `label` (as TensorFlow Datasets has them), one example or
            one batch at a time; pictures and labels as in `from_arrays`.
          *parts: the test dataset, or the validation dataset and the test dataset.
          validation: the same by its name. Default: a part of the training set.
          test: likewise. Default: a share of the training set.
          label_names: the name of each class. Default: `train.class_names` if there is such an
            attribute, else its number.
          name: as in `from_arrays`. Default: `datasets_` and a fingerprint.
          config: as in `from_arrays`.
          augmentation: as in `from_arrays`.

        Returns:
          The dataset.

        Raises:
          DataError: the datasets yield something else, have no end, or too few examples.
          ConfigurationError: a setting does not fit the size of the pictures.
        """
        if len(parts) > 2 or (parts and test is not None):
            raise ConfigurationError(
                "`from_datasets` takes train, test or train, validation, test. "
                f"Received: {len(parts) + 1} datasets{' and test=' if test is not None else ''}."
            )
        *own, test = parts or (test,)
        arrays = datasets.load(train, test, label_names, own[0] if own else validation)
        return cls._from_memory(arrays.checked(), "datasets", name, config, augmentation)

    @classmethod
    def _from_memory(
        cls,
        arrays: CheckedArrays,
        kind: str,
        name: str | None,
        config: DataConfig | None,
        augmentation: Any,
    ) -> Self:
        """Makes a dataset of which nobody but the caller knows how to get it."""
        config = config or DataConfig()
        if name is None:
            values: list[Any] = [arrays.x_train, arrays.y_train, arrays.x_test, arrays.y_test]
            values += [arrays.x_validation, arrays.y_validation]
            limit = config.memory_limit * MEGABYTE
            known = [_identity(value, limit) for value in values if value is not None]
            name = own_name(None, kind, known, arrays.label_names)
        config = config.replace(dataset=check_name("`name`", name), data_dir=None)
        return cls.from_source(arrays, name, config, augmentation)

    @classmethod
    def from_source(
        cls, arrays: CheckedArrays, name: str, config: DataConfig, augmentation: Any = None
    ) -> Self:
        """Makes the dataset of what a source has read, for `load_images` and the methods above.

        Args:
          arrays: the pictures in the parts in which they come.
          name: of the dataset.
          config: how they are divided and augmented.
          augmentation: see `from_arrays`.

        Raises:
          ConfigurationError: a setting does not fit the pictures.
        """
        x_train, y_train, x_test, y_test, validation_size, split = divided(arrays, name, config)
        label_names = arrays.label_names
        height, width, channels = x_train.shape[1:]
        if config.picture_size not in (None, (height, width)) or config.channels not in (
            None,
            channels,
        ):
            _log.warning(
                "%s has pictures of %d x %d x %d; --image_size and --channels are for files only.",
                name,
                height,
                width,
                channels,
            )
        side = min(height, width)
        crop_padding = side // 8 if config.crop_padding is None else config.crop_padding
        if crop_padding >= side:
            raise ConfigurationError(
                f"`crop_padding` must be less than the pictures' smaller side, {side}. "
                f"Received: crop_padding={crop_padding}."
            )
        layer = _seeded(augmentation, x_train.shape[1:], config.augmentation_layer)
        family = name.split("/")[0].split(":")[0]
        return cls(
            name=name,
            x_train=x_train,
            y_train=y_train,
            x_test=x_test[: config.max_test_examples],
            y_test=y_test[: config.max_test_examples],
            label_names=label_names,
            validation_size=validation_size,
            flip=family not in _NEVER_MIRRORED if config.flip is None else config.flip,
            crop_padding=crop_padding,
            cutout=_cutout(config, side),
            # Runs write down how it was divided, whatever decides that in other versions.
            config=config.replace(
                split=split, augmentation_layer=None if layer is None else layer.identity
            ),
            augmentation_layer=layer,
            file_settings=arrays.settings,
            fingerprint=arrays.fingerprint,
        )

    def __repr__(self) -> str:
        sizes = " x ".join(map(str, self.input_shape))
        return (
            f"ImageData({self.name!r}: {len(self.y_train) - self.validation_size:,} training, "
            f"{self.validation_size:,} validation and {len(self.y_test):,} test pictures of "
            f"{sizes}, {self.num_classes:,} classes)"
        )

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and number of channels of a picture."""
        height, width, channels = self.x_train.shape[1:]
        return height, width, channels

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.label_names)

    @property
    def picture_settings(self) -> PictureSettings | None:
        """What a file must be brought to for a network of these pictures; None: no file can be."""
        if self.file_settings is not None:
            return self.file_settings
        height, width, channels = self.input_shape
        if channels not in (1, 3):
            return None
        return PictureSettings(
            height=height,
            width=width,
            channels=channels,
            resize=self.config.resize,
            background=self.config.background,
        )

    @property
    def augmentation(self) -> Augmentation:
        """How training pictures are changed at random."""
        config = self.config
        return Augmentation(
            crop_padding=self.crop_padding,
            flip=self.flip,
            cutout=self.cutout,
            color_jitter=config.color_jitter,
            mixup=config.mixup,
            cutmix=config.cutmix,
            num_classes=self.num_classes,
            layer=self.augmentation_layer,
        )

    def part(self, part: str) -> tuple[Any, np.ndarray]:
        """Returns one part of the examples, without a copy.

        Args:
          part: `"train"`, `"validation"` (the last ones of the training set),
            `"train_and_validation"` (what a final run trains on) or `"test"`.

        Returns:
          Pictures, uint8 `[examples, height, width, channels]`, an array or `Pictures`, and labels,
          int32 `[examples]`.

        Raises:
          ConfigurationError: there is no such part.
        """
        boundary = len(self.y_train) - self.validation_size
        if part == "train":
            return self.x_train[:boundary], self.y_train[:boundary]
        if part == "validation":
            return self.x_train[boundary:], self.y_train[boundary:]
        if part == "train_and_validation":
            return self.x_train, self.y_train
        if part == "test":
            return self.x_test, self.y_test
        raise ConfigurationError(f"`part` must be one of {', '.join(_PARTS)}. Received: {part!r}.")

    def streamed(self, part: str) -> tuple[Any, np.ndarray]:
        """Returns a part as `part` does, for batches: on devices, if the data are there."""
        images, labels = self.part(part)
        first = len(self.y_train) - self.validation_size if part == "validation" else 0
        if self.memory is None or part == "test":
            return images, labels
        from enas_tf.data.images.device_pictures import HeldPictures

        return HeldPictures(images, self.memory, first), labels

    @property
    def obstacle_on_devices(self) -> str | None:
        """Why `on_devices` cannot be asked for; None: it can."""
        if not is_lazy(self.x_train):
            return None
        limit = f"memory_limit, {self.config.memory_limit} MB"
        return f"the pictures take more than {limit}, and are read each time they are needed"

    @property
    def device_bytes(self) -> int:
        """Bytes of the pictures that `on_devices` keeps on each device."""
        return int(self.x_train.nbytes)

    def on_devices(self, devices: Sequence[str]) -> Self:
        """Returns the data with training and validation pictures in the memory of devices.

        Args:
          devices: names of the devices of this machine, in the order of its replicas.

        Raises:
          DataError: they are not in memory.
        """
        if self.obstacle_on_devices is not None:
            raise DataError(f"Pictures cannot be kept on devices: {self.obstacle_on_devices}.")
        from enas_tf.data.images.device_pictures import DevicePictures

        return dataclasses.replace(self, memory=DevicePictures(self.x_train, devices))

    def class_counts(self, part: str = "train") -> np.ndarray:
        """Returns how many pictures of each class a part has, int64 `[classes]`."""
        return np.bincount(self.part(part)[1], minlength=self.num_classes)

    def normalization(self, part: str = "train") -> Normalization:
        """Returns the mean and the standard deviation of each channel over one part.

        Of pictures that are not in memory, a sample counts, always the same one, and once a run has
        begun, what it was then (`kept_normalization`).

        Args:
          part: `"train"` in a search, `"train_and_validation"` in a final run.
        """
        if self.kept_normalization is not None:
            return self.kept_normalization
        images, _ = self.part(part)
        return Normalization.from_images(images, _SAMPLED if is_lazy(images) else None)

    def begun(self, part: str, recall: Callable[[Callable[[], Any]], Any]) -> Self:
        """Returns the data with what a run that trains on one part found out as it began.

        Args:
          part: as for `normalization`.
          recall: returns what a function returned when it was first called in the run.
        """
        if not is_lazy(self.x_train):
            return self
        kept = recall(lambda: self.normalization(part).to_json())
        return dataclasses.replace(self, kept_normalization=Normalization.from_json(kept))

    def assets(self) -> dict[str, str]:
        """Returns what an exported model carries along, by file name: nothing."""
        return {}

    def check_search(self, config: SearchConfig, num_devices: int = 1) -> None:
        """Finds out whether a search can be made on the pictures.

        Args:
          config: the settings of the search.
          num_devices: how many share a batch; for pictures any number may.

        Raises:
          DataError: there are not enough examples for the batches.
          ConfigurationError: a metric says nothing of so few classes.
        """
        del num_devices
        for name, metric in config.metrics.items():
            if metric == "top_5" and self.num_classes <= TOP:
                raise ConfigurationError(
                    f"`{name}=top_5` needs more than {TOP} classes; with fewer, every answer is "
                    f"right. {self.name} has {self.num_classes}; choose another metric."
                )
        steps_per_epoch(len(self.part("train")[1]), config.shared_weights.batch_size)

    def check_retraining(self, config: RetrainConfig) -> None:
        """Raises a `DataError` unless there are enough examples for a batch of a retraining."""
        _, labels = self.part(retraining_part(config))
        steps_per_epoch(len(labels), config.training.batch_size)

    def search_streams(
        self,
        *,
        batch_size: int,
        reward_batch_size: int,
        seed: int,
        scored_part: str = "validation",
    ) -> "ImageSearchStreams":
        """Returns the batches of a search; see `SearchStreams`.

        Args:
          batch_size: see `SearchStreams`.
          reward_batch_size: likewise.
          seed: likewise.
          scored_part: what architectures are scored on; `test` only where nothing is chosen by it.
        """
        from enas_tf.data.images.streams import ImageSearchStreams

        train, scored = self.streamed("train"), self.streamed(scored_part)
        return ImageSearchStreams(
            train=train,
            held_out=scored,
            normalization=self.normalization("train"),
            augmentation=self.augmentation,
            class_counts=self.class_counts("train"),
            batch_size=batch_size,
            reward_batch_size=min(reward_batch_size, len(scored[1])),
            seed=seed,
            steps_per_epoch=steps_per_epoch(len(train[1]), batch_size),
        )


def retraining_part(config: RetrainConfig) -> str:
    """Returns the part that a final run trains on; see `ImageData.part`."""
    return "train" if config.use_validation else "train_and_validation"


def _seeded(augmentation: Any, input_shape: tuple[int, int, int], recorded: str | None) -> Any:
    """Returns a layer of the user's own as a `SeededLayer`, if there is one.

    Args:
      augmentation: the layer, or None.
      input_shape: of a picture.
      recorded: the identity of the layer of the run that the settings come from.
    """
    if augmentation is None:
        if recorded is not None:
            _log.warning(
                "The settings are of training pictures that the Keras layer %s changes; it is only "
                "there in Python, as `augmentation`.",
                recorded.rpartition("_")[0],
            )
        return None
    from enas_tf.data.images.seeded_layer import SeededLayer

    return SeededLayer(augmentation, input_shape)


def _cutout(config: DataConfig, side: int) -> int:
    """Returns the side in pixels of CutOut's square, for pictures of that smaller side."""
    if config.cutout < 1:
        return round(config.cutout * side)
    if config.cutout > side or not config.cutout.is_integer():
        raise ConfigurationError(
            f"`cutout` must be a whole number of pixels, at most the pictures' smaller side, "
            f"{side}, or less than 1 as a share of it. Received: cutout={config.cutout:g}."
        )
    return int(config.cutout)


def _identity(value: Any, limit: int) -> np.ndarray:
    """Returns an array; for pictures that are too large to read them all, one that tells them."""
    if is_lazy(value) and value.nbytes > limit:
        return np.array([repr(as_pictures(value).identity())])
    return np.asarray(value)
