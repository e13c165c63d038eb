"""What is done to pictures before a network sees them, as plain values without TensorFlow."""

import dataclasses

import numpy as np
from typing_extensions import Self

# Pictures whose squares are summed at a time: 256 · 255² < 2²⁴, so float32 holds the sums exactly.
_CHUNK = 256
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
    def from_images(cls, images: np.ndarray) -> Self:
        """Returns the statistics of pictures.

        A channel that never varies gets a standard deviation of 1, and thus becomes 0.

        Args:
          images: uint8 `[examples, height, width, channels]`, at least one.
        """
        channels = images.shape[-1]
        total = np.zeros(images[0].size)
        squares = np.zeros(images[0].size)
        for start in range(0, len(images), _CHUNK):
            chunk = images[start : start + _CHUNK].reshape(-1, images[0].size)
            chunk = chunk.astype(np.float32)
            total += chunk.sum(axis=0)
            squares += np.einsum("ij,ij->j", chunk, chunk)
        count = images.size // channels
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
    """

    crop_padding: int = 0
    flip: bool = False
    cutout: int = 0
