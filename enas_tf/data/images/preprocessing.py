"""What is done to pictures before a network sees them, as plain values without TensorFlow."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from typing_extensions import Self

from enas_tf.data.images.pictures import as_pictures

# Pictures whose squares are summed at a time: 256 · 255² < 2²⁴, so float32 holds the sums exactly.
_CHUNK = 256
_CHUNK_BYTES = 2**23
# How many pictures of a training are shown.
PREVIEWED = 16


@dataclasses.dataclass(frozen=True, eq=False)
class Normalization:
    """Maps pixels to zero mean and unit variance, channel by channel.

    Attributes:
      mean: float32 `[channels]`, in pixel units (0..255).
      standard_deviation: float32 `[channels]`, in pixel units; never 0.
    """

    mean: np.ndarray
    standard_deviation: np.ndarray

    def to_json(self) -> dict[str, list[float]]:
        """Returns both as JSON can hold them, to the last bit."""
        return {field: values.tolist() for field, values in vars(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, list[float]]) -> Self:
        """Returns what `to_json` was called on."""
        return cls(**{field: np.array(each, np.float32) for field, each in values.items()})

    def apply(self, images: np.ndarray) -> np.ndarray:
        """Returns normalised float32 pictures of pixels 0 to 255, in the same shape."""
        return (np.asarray(images, np.float32) - self.mean) / self.standard_deviation

    def pictures(self, normalized: np.ndarray) -> np.ndarray:
        """Returns the uint8 pictures that normalised ones were made of, to be looked at.

        Of a number of channels that screens do not have, only the first is returned.
        """
        pixels = normalized * self.standard_deviation + self.mean
        images = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
        return images if images.shape[-1] in (1, 3, 4) else images[..., :1]

    @classmethod
    def from_images(cls, images: Any, sampled: int | None = None) -> Self:
        """Returns the statistics of pictures.

        A channel that never varies gets a standard deviation of 1, and thus becomes 0.

        Args:
          images: uint8 `[examples, height, width, channels]`, an array or `Pictures`, at least one.
          sampled: so many of them count, at equal distances. Default: all.
        """
        channels, size = images.shape[-1], int(np.prod(images.shape[1:]))
        pictures = as_pictures(images)
        chosen = np.arange(len(images))
        if sampled is not None and sampled < len(images):
            chosen = chosen[np.arange(sampled) * len(images) // sampled]
        total, squares = np.zeros(size), np.zeros(size)
        # All sums are of whole numbers, and exact: however many are added at a time.
        step = max(1, min(_CHUNK, _CHUNK_BYTES // size))
        for start in range(0, len(chosen), step):
            chunk = pictures.fetch(chosen[start : start + step]).reshape(-1, size)
            chunk = chunk.astype(np.float32)
            total += chunk.sum(axis=0)
            squares += np.einsum("ij,ij->j", chunk, chunk)
        count = len(chosen) * size // channels
        mean = total.reshape(-1, channels).sum(axis=0) / count
        variance = squares.reshape(-1, channels).sum(axis=0) / count - np.square(mean)
        # Exact for a constant channel; far above rounding errors for all others.
        deviation = np.sqrt(np.where(variance > 0.0, variance, 1.0))
        return cls(mean.astype(np.float32), deviation.astype(np.float32))


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Random changes of training pictures.

    Attributes:
      crop_padding: pixels of padding on every side before a random crop of the original size;
        0: no crop. Padded pixels are 0 *after* normalisation, as in the release.
      flip: whether half of the pictures are mirrored left to right.
      cutout: side in pixels of the square set to 0 after normalisation, centred at a random pixel
        and clipped at the borders (DeVries and Taylor, arXiv 1708.04552); 0: none.
      color_jitter: largest change of brightness, contrast and saturation as a share; 0: none.
      mixup: parameter of the Beta distribution of the weights by which pictures are mixed in pairs,
        their labels likewise (Zhang et al., arXiv 1710.09412); 0: none.
      cutmix: the same of the share that a pasted rectangle leaves of a picture (Yun et al., arXiv
        1905.04899); 0: none.
      num_classes: of the labels, if they are mixed.
      layer: a `SeededLayer` that changes the pixels, 0 to 255, before they are normalised; or None.
    """

    crop_padding: int = 0
    flip: bool = False
    cutout: int = 0
    color_jitter: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    num_classes: int | None = None
    layer: Any = None

    @property
    def mixes(self) -> bool:
        """Whether pictures are mixed, and labels are float32 `[batch, num_classes]`."""
        return bool(self.mixup or self.cutmix)

    def identity(self) -> dict[str, Any]:
        """Returns what tells these changes from others, as JSON can hold it.

        What there was not always is told only if it is used, so that earlier runs go on.
        """
        always = {name: getattr(self, name) for name in ("crop_padding", "flip", "cutout")}
        others = {name: getattr(self, name) for name in ("color_jitter", "mixup", "cutmix")}
        if self.layer is not None:
            others["augmentation_layer"] = self.layer.identity
        return {**always, **{name: value for name, value in others.items() if value}}
