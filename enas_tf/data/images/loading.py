"""Loading the pictures that a configuration names, wherever they come from."""

import functools
from typing import Any

from enas_tf.data.foreign import data_folder, user_path
from enas_tf.data.images.arrays import CheckedArrays, ImageArrays
from enas_tf.data.images.dataset import ImageData
from enas_tf.data.images.files import PictureSettings
from enas_tf.data.images.sources import cifar10, class_folders, digits, npz, table, tfds
from enas_tf.errors import DataError
from enas_tf.settings.data import DataConfig

# Embedded, or known by name, but for language models.
_TEXTS = ("pydoc", "ptb")


def load_images(config: DataConfig | str, augmentation: Any = None) -> ImageData:
    """Loads the pictures that a configuration names.

    `config.dataset` is, in this order: `digits` (embedded), `cifar10` (the release's pickles when
    `config.data_dir` holds them), a `.npz` file or a folder of `.npy` files, a `.csv` file of paths
    and labels, a folder of class folders, or the name of a TensorFlow Datasets dataset.

    ```python
    data = enas_tf.load_images("digits")
    data = enas_tf.load_images(enas_tf.DataConfig(dataset="digits", validation_size=300))
    ```

    Args:
      config: names the dataset, and says how it is split and augmented; or the name alone.
      augmentation: a Keras layer that changes training pictures; see `ImageData.from_arrays`.

    Returns:
      The dataset, in memory unless it takes more than `config.memory_limit`.

    Raises:
      DataError: the dataset is missing, damaged or no classification of pictures of one size.
      ConfigurationError: a setting does not fit the dataset.
    """
    if not isinstance(config, DataConfig):
        config = DataConfig(dataset=config)
    return ImageData.from_source(load_arrays(config), config.dataset, config, augmentation)


def load_arrays(config: DataConfig) -> CheckedArrays:
    """Returns the pictures that a configuration names in the parts in which they come.

    Args:
      config: as for `load_images`; nothing is divided.

    Raises:
      DataError: as for `load_images`.
    """
    return _source(config)().checked()


def needs_tensorflow(config: DataConfig) -> bool:
    """Returns whether `load_images` reads these pictures with TensorFlow.

    Args:
      config: as for `load_images`.

    Raises:
      DataError: there is no dataset of that name.
    """
    source = _source(config)
    if source.func is not tfds.load:
        return False
    tfds.check(*source.args[:2])
    return True


def are_files(config: DataConfig) -> bool:
    """Returns whether the pictures are files of the user's, which `load_images` brings to a size.

    Args:
      config: as for `load_images`.
    """
    return _source(config).func in (class_folders.load, table.load)


def brought_to(config: DataConfig, settings: PictureSettings | None) -> DataConfig:
    """Returns a configuration with which pictures in files are what a trained model takes.

    Args:
      config: as for `load_images`.
      settings: of the model; None changes nothing.
    """
    if settings is None:
        return config
    return config.replace(
        image_size=(settings.height, settings.width),
        channels=settings.channels,
        resize=settings.resize,
        background=settings.background,
    )


def _source(config: DataConfig) -> "functools.partial[ImageArrays]":
    """Returns the function that reads what a configuration names."""
    name = config.dataset
    data_dir = data_folder(
        config.data_dir,
        "check the spelling, or make the folder if the data are to be downloaded to it",
    )
    if not name.strip():
        raise DataError("`dataset` is empty; give a name, a .npz file or a folder.")
    if name in _TEXTS:
        raise DataError(
            f"`dataset` must be pictures here. Received: dataset={name!r}, which is a text, for "
            "language models; choose digits, cifar10, a .npz file or a folder of class folders."
        )
    path = user_path("`dataset`", name)
    if name == "digits":
        return functools.partial(digits.load)
    if name == "cifar10" and data_dir is not None and cifar10.is_present(data_dir):
        return functools.partial(cifar10.load, data_dir)
    if npz.is_present(path):
        return functools.partial(npz.load, path, config)
    if path.suffix == ".csv":
        return functools.partial(table.load, path, config)
    if class_folders.is_present(path):
        return functools.partial(class_folders.load, path, config)
    return functools.partial(tfds.load, name, data_dir, config)
