"""What comes before the first layer or cell: one convolution, or some that make pictures smaller.

Nothing here imports TensorFlow.
"""

from collections.abc import Sequence

from enas_tf.spaces.images.network_layers import Features, NetworkLayers

AUTO, CIFAR, IMAGENET = "auto", "cifar", "imagenet"
STEMS = (AUTO, CIFAR, IMAGENET)
HELP = (
    "What comes first: one 3x3 convolution (cifar), or strided ones that make a picture four times "
    "smaller (macro) or eight times (micro), as in the ImageNet networks of DARTS (imagenet); "
    "auto: imagenet if both sides have 96 pixels or more."
)
# Then micro's last cells still see 3 x 3 pixels.
_LARGE_SIDE = 96


def chosen_stem(stem: str, input_shape: Sequence[int]) -> str:
    """Returns `cifar` or `imagenet`.

    Args:
      stem: one of `STEMS`.
      input_shape: height, width and channels of a picture.
    """
    if stem != AUTO:
        return stem
    return IMAGENET if min(input_shape[:2]) >= _LARGE_SIDE else CIFAR


def body_shape(stem: str, input_shape: Sequence[int], halvings: int) -> tuple[int, int, int]:
    """Returns height and width behind a stem, and the channels of a picture.

    Args:
      stem: one of `STEMS`.
      input_shape: of a picture.
      halvings: how often a strided stem halves pictures.
    """
    height, width, channels = input_shape
    if chosen_stem(stem, input_shape) == IMAGENET:
        for _ in range(halvings):
            height, width = (height + 1) // 2, (width + 1) // 2
    return height, width, channels


def add_strided_stem(
    layers: NetworkLayers, images: Features, filters: int, halvings: int
) -> list[Features]:
    """Adds 3 x 3 convolutions of stride 2, each with batch normalisation, with ReLUs in between.

    They are `stem_0`, `stem_1` and so on; the first one has half of the filters.

    Args:
      layers: makes or counts them.
      images: what they read.
      filters: channels of the outputs.
      halvings: how many there are, at least 2.

    Returns:
      The outputs of the last two.
    """
    outputs = [images]
    for number in range(halvings):
        inputs = layers.relu(outputs[-1], f"stem_{number}") if number else images
        width = filters if number else filters // 2
        outputs.append(layers.normalized_convolution(inputs, width, 3, f"stem_{number}", strides=2))
    return outputs[-2:]
