"""Classification datasets of TensorFlow Datasets, by name."""

import contextlib
import difflib
import functools
import pathlib
import re
import types
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from enas_tf.data.foreign import check_folder, reading
from enas_tf.data.images.arrays import ImageArrays
from enas_tf.data.images.files import PictureSettings, read_header, read_picture
from enas_tf.data.images.pictures import Pictures, StreamedPictures
from enas_tf.data.images.sources import cifar10, datasets
from enas_tf.data.images.sources.listing import MEGABYTE, choose_settings, decoded
from enas_tf.errors import DataError
from enas_tf.files.places import plain_path
from enas_tf.settings.data import DataConfig

if TYPE_CHECKING:
    import tensorflow_datasets

_NAME = re.compile(r"(?P<dataset>\w+)(/[\w.\-]+)?(:\d+\.\d+\.\d+)?")
# Within which a host that holds a dataset must answer.
_TIMEOUT_SECONDS = 3.0
_READ_AT_ONCE = 1000
# Pictures by which the size is chosen.
_LOOKED_AT = 1000
# Formats of files with random access.
_WITH_ACCESS = ("array_record",)


def check(name: str, data_dir: pathlib.Path | None) -> None:
    """Raises a `DataError` unless there is such a dataset; does not load TensorFlow.

    Args:
      name: as for `load`.
      data_dir: as for `load`.
    """
    with _plain(data_dir) as folder:
        _builder(_import(name), name, folder)


def load(name: str, data_dir: pathlib.Path | None, config: DataConfig | None = None) -> ImageArrays:
    """Loads a dataset that is prepared on disk, or downloads and prepares it.

    Args:
      name: `NAME`, `NAME/CONFIG` or `NAME/CONFIG:VERSION`.
      data_dir: the folder of TensorFlow Datasets' data, or the folder of one prepared dataset.
        Default: TensorFlow Datasets' own.
      config: to which size pictures are brought, how, and the limit of the memory. Default:
        `DataConfig()`.

    Returns:
      The split `train` (if there is none: the only one), and those of `validation` and `test` that
      there are; a `validation` without a `test` is the test part.

    Raises:
      DataError: there is no such dataset, it cannot be had, or it is no classification of
        pictures.
    """
    config = config or DataConfig()
    tfds = _import(name)
    with _plain(data_dir) as folder:
        builder = _builder(tfds, name, folder)
        with reading(builder.data_path, "prepared dataset", "prepare or copy it again"):
            return _load(tfds, name, builder, config)


def _load(tfds: types.ModuleType, name: str, builder: Any, config: DataConfig) -> ImageArrays:
    keys = _keys(tfds, name, builder.info)
    if not (builder.data_path.exists() and builder.is_prepared()):
        _prepare(tfds, name, builder)
    parts = _parts(
        name, [split for split, info in builder.info.splits.items() if info.num_examples]
    )
    labels = tuple(builder.info.features[keys[1]].names or ())
    shape = builder.info.features[keys[0]].shape
    is_of_size = (
        None not in shape
        and config.picture_size in (None, shape[:2])
        and config.channels in (None, shape[2])
    )
    count = sum(builder.info.splits[split].num_examples for split in parts.values())
    limit = config.memory_limit * MEGABYTE
    has_access = builder.info.file_format.value in _WITH_ACCESS
    reader: Callable[[str], tuple[Any, Any]]
    if is_of_size and not has_access and count * int(np.prod(shape)) <= limit:
        settings = None
        reader = functools.partial(_read, name, builder, keys=keys)
    else:
        settings = _settings(tfds, name, builder, parts["train"], keys, config)
        fits = count * int(np.prod(settings.shape)) <= limit
        read: Callable[..., tuple[Any, Any]] = _read_encoded if fits else _leave
        if has_access:
            read = functools.partial(_read_source, fits=fits)
        reader = functools.partial(read, tfds, name, builder, keys=keys, settings=settings)
    values: dict[str, Any] = {}
    for part, split in parts.items():
        values[f"x_{part}"], values[f"y_{part}"] = reader(split)
    is_ordered = _dataset(name) == "cifar10"
    return ImageArrays(
        **values, label_names=labels or None, is_ordered=is_ordered, settings=settings
    )


def _parts(name: str, splits: Sequence[str]) -> dict[str, str]:
    """Returns which split is which part."""
    parts = {part: part for part in ("train", "validation", "test") if part in splits}
    if "train" not in parts and len(splits) == 1:
        return {"train": splits[0]}
    if "train" not in parts:
        raise DataError(
            f"{name} must have a split 'train', or only one. It has: "
            f"{', '.join(map(repr, splits)) or 'none'}; choose another dataset."
        )
    if "test" not in parts and "validation" in parts:
        parts["test"] = parts.pop("validation")
    return parts


def _settings(
    tfds: types.ModuleType,
    name: str,
    builder: Any,
    split: str,
    keys: tuple[str, str],
    config: DataConfig,
) -> PictureSettings:
    """Returns what pictures are brought to, by the first of the training split."""
    if builder.info.file_format.value in _WITH_ACCESS:
        source = _source(tfds, builder, split, keys)
        encoded = [source[index][keys[0]] for index in range(min(len(source), _LOOKED_AT))]
    else:
        examples = _encoded(tfds, builder, split, keys).take(_LOOKED_AT)
        encoded = [image for image, _ in examples.as_numpy_iterator()]
    headers = [read_header(image) for image in encoded]
    settings = choose_settings(name, headers, config)
    channels = builder.info.features[keys[0]].shape[2]
    if channels is None or config.channels is not None:
        return settings
    return settings.replace(channels=min(channels, 3))


def _encoded(tfds: types.ModuleType, builder: Any, split: str, keys: tuple[str, str]) -> Any:
    """Returns pairs of a picture, as it is stored, and its label."""
    decoders = {keys[0]: tfds.decode.SkipDecoding()}
    examples = builder.as_dataset(split=split, shuffle_files=False, decoders=decoders)
    return examples.map(lambda example: tuple(example[key] for key in keys))


def _read_encoded(
    tfds: types.ModuleType,
    name: str,
    builder: Any,
    split: str,
    keys: tuple[str, str],
    settings: PictureSettings,
) -> tuple[np.ndarray, np.ndarray]:
    pieces = list(_pieces(_encoded(tfds, builder, split, keys), settings, name, split))
    images, labels = zip(*pieces, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def _pieces(
    encoded: Any, settings: PictureSettings, name: str, split: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields pictures and labels, in the order of the split, many at a time."""
    for images, labels in encoded.batch(_READ_AT_ONCE).prefetch(1).as_numpy_iterator():
        with reading(f"{name}:{split}", "split of pictures", "prepare it again"):
            yield np.stack([read_picture(image, settings) for image in images]), labels


def _leave(
    tfds: types.ModuleType,
    name: str,
    builder: Any,
    split: str,
    keys: tuple[str, str],
    settings: PictureSettings,
) -> tuple[Pictures, np.ndarray]:
    """Returns pictures that are read when they are needed; their labels are read now."""
    pairs = _encoded(tfds, builder, split, keys)
    labels = [np.asarray(part) for part in pairs.map(lambda _, y: y).batch(_READ_AT_ONCE)]
    pictures: Pictures = StreamedPictures(
        builder.info.splits[split].num_examples,
        settings.shape,
        lambda: _pieces(pairs, settings, name, split),
        f"{name} takes more than `memory_limit`, and its files can only be read one after the "
        f"other; write them once with: enas-pack --dataset={name} --output=FILE.npz, and give "
        "--dataset=FILE.npz",
    )
    return pictures, np.concatenate(labels)


def _source(tfds: types.ModuleType, builder: Any, split: str, keys: tuple[str, str]) -> Any:
    """Returns examples with random access, whose pictures are as they are stored."""
    return builder.as_data_source(split=split, decoders={keys[0]: tfds.decode.SkipDecoding()})


def _read_source(
    tfds: types.ModuleType,
    name: str,
    builder: Any,
    split: str,
    keys: tuple[str, str],
    settings: PictureSettings,
    fits: bool,
) -> tuple[Any, np.ndarray]:
    """Returns pictures with random access, in memory if they fit, and labels."""
    del name
    source = _source(tfds, builder, split, keys)
    labels = np.asarray([source[index][keys[1]] for index in range(len(source))])
    pictures = SourcePictures(source, keys[0], settings)
    return decoded(pictures) if fits else pictures, labels


class SourcePictures(Pictures):
    """Pictures of a data source of TensorFlow Datasets.

    Args:
      source: has a length and items, dictionaries with the encoded picture.
      key: of the picture.
      settings: what each is brought to.
    """

    def __init__(self, source: Any, key: str, settings: PictureSettings) -> None:
        super().__init__(len(source), settings.shape)
        self._source = source
        self._key = key
        self._settings = settings

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        """Returns some of the pictures; see `Pictures.fetch`."""
        result = np.empty((len(indices), *self.shape[1:]), np.uint8)
        for place, index in enumerate(indices):
            result[place] = read_picture(self._source[int(index)][self._key], self._settings)
        return result


@contextlib.contextmanager
def _plain(data_dir: pathlib.Path | None) -> Iterator[pathlib.Path | None]:
    """Gives a path of the folder that is no pattern; errors name the folder itself."""
    if data_dir is None:
        yield None
        return
    with plain_path(data_dir) as plain:
        try:
            yield pathlib.Path(plain)
        except DataError as error:
            raise DataError(str(error).replace(plain, str(data_dir))) from error


def _import(name: str) -> types.ModuleType:
    if not _NAME.fullmatch(name):
        raise DataError(
            "`dataset` must be a dataset's name, an existing .npz or .csv file or an existing "
            f"folder. Received: dataset={name!r}, which is none of them; check the spelling."
        )
    try:
        import tensorflow_datasets as tfds
    except ModuleNotFoundError as error:
        raise DataError(
            f"dataset={name!r} needs the package {error.name}; install tensorflow-datasets."
        ) from error
    return tfds


def _builder(
    tfds: types.ModuleType, name: str, data_dir: pathlib.Path | None
) -> "tensorflow_datasets.core.DatasetBuilder":
    parent = pathlib.Path(tfds.core.constants.DATA_DIR if data_dir is None else data_dir)
    is_prepared = data_dir is not None and (parent / "dataset_info.json").exists()
    check_folder(parent if is_prepared else parent / _dataset(name))
    try:
        if is_prepared:
            builder = tfds.builder_from_directory(data_dir)
            if builder.name != _dataset(name):
                raise DataError(
                    f"`data_dir` holds the prepared dataset {builder.name!r}. Received: "
                    f"dataset={name!r}."
                )
            return builder
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.registered.DatasetNotFoundError as error:
        known = tfds.list_builders(with_community_datasets=False)
        close = difflib.get_close_matches(_dataset(name), ["digits", *known], n=5, cutoff=0.6)
        raise DataError(
            f"There is no dataset, .npz file or folder {name!r}. Close names: "
            f"{', '.join(close) or 'none'}; embedded: digits; the {len(known)} others are those "
            "of tensorflow_datasets.list_builders()."
        ) from error
    except DataError:
        raise
    # Builders are programs of many people, and read files that may be damaged.
    except Exception as error:
        raise DataError(f"dataset={name!r} cannot be made: {_one_line(error)}") from error


def _dataset(name: str) -> str:
    match = _NAME.fullmatch(name)
    return match["dataset"] if match else name


def _keys(tfds: types.ModuleType, name: str, info: Any) -> tuple[str, str]:
    """Returns the names of the two features that are the picture and its label."""
    keys = info.supervised_keys
    if not isinstance(keys, tuple) or len(keys) != 2:
        keys = ("image", "label")
    features = info.features if isinstance(info.features, tfds.features.FeaturesDict) else {}
    kinds = (tfds.features.Image, tfds.features.ClassLabel)
    for key, kind in zip(keys, kinds, strict=True):
        if key not in features or not isinstance(features[key], kind):
            raise DataError(
                f"{name} is no classification dataset of pictures: it has no {kind.__name__} "
                f"feature {key!r}. Its features: {', '.join(features) or 'unknown'}."
            )
    return keys


def _prepare(tfds: types.ModuleType, name: str, builder: Any) -> None:
    """Downloads and prepares a dataset; files that were placed by hand need no download."""
    depth = len(pathlib.PurePosixPath(builder.info.full_name).parts)
    downloads = pathlib.Path(builder.data_path).parents[depth - 1] / "downloads"
    urls = builder.url_infos or {}
    manual = [downloads / "manual" / info.filename for info in urls.values() if info.filename]
    if urls and not (manual and all(path.is_file() for path in manual)):
        _check_reachable(name, builder, next(iter(urls)), manual)
    config = tfds.download.DownloadConfig(manual_dir=downloads / "manual", try_download_gcs=False)
    try:
        builder.download_and_prepare(download_dir=downloads, download_config=config)
    # Not only the network and the disk may fail, but also the programs of many people.
    except Exception as error:
        raise DataError(f"{name} could not be prepared: {_one_line(error)}") from error


def _check_reachable(name: str, builder: Any, origin: str, manual: list[pathlib.Path]) -> None:
    """Raises a `DataError`, which says how to place files by hand, if nothing answers.

    TensorFlow Datasets itself asks eleven times, for more than three minutes, and without a limit
    of time; it has no settings for that. This asks once, through the same library.
    """
    import requests

    try:
        requests.head(origin, timeout=_TIMEOUT_SECONDS)
    except (requests.ConnectionError, requests.Timeout) as error:
        if _dataset(name) == "cifar10":
            advice = (
                f"put {cifar10.ARCHIVE} (or the folder {cifar10.FOLDER}) into a folder and give "
                "that folder as `data_dir`"
            )
        elif manual:
            advice = f"place {', '.join(map(str, manual)):.300}, and try again"
        else:
            advice = "prepare it on another machine and copy that folder"
        raise DataError(
            f"{name} is not on this machine and cannot be downloaded: no prepared data in "
            f"{builder.data_path}, and {origin} cannot be reached. By hand: {advice}."
        ) from error
    except requests.RequestException:
        # Another kind of address, or of answer; the download tells what is wrong with it.
        return


def _read(
    name: str, builder: Any, split: str, keys: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    import tensorflow as tf

    examples = builder.as_dataset(split=split, shuffle_files=False)
    pairs = examples.map(lambda example: tuple(example[key] for key in keys))
    try:
        return datasets.read(f"{name}:{split}", pairs.batch(_READ_AT_ONCE).prefetch(1))
    except tf.errors.InvalidArgumentError as error:
        if "different shapes" not in error.message:
            raise
        raise DataError(
            f"{name} holds pictures of different sizes, other than it says; give --image_size."
        ) from error


def _one_line(error: Exception) -> str:
    return f"{' '.join(str(error).split()) or type(error).__name__:.300}"
