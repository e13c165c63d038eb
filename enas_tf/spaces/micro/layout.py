"""How the cells of a network follow each other; the supernet and the derived networks agree on it.

Nothing here imports TensorFlow.
"""

import dataclasses
from collections.abc import Sequence

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.images.space import check_input_shape
from enas_tf.spaces.images.stem import CIFAR, IMAGENET, body_shape, chosen_stem

# The value of `MicroNetworkConfig.form` for the final network of DARTS.
DARTS_FORM = "darts"
# Both reductions must find something to halve.
SMALLEST_SIDE = 4
# The stem has so many times the filters of the first cells.
STEM_WIDENING = 3
# How often a strided stem, which does not widen, halves pictures.
STEM_HALVINGS = 3
# Source: the release, `_build_aux_head`.
AUXILIARY_POOLING = 5
AUXILIARY_STRIDE = 3
AUXILIARY_PROJECTION = 128
AUXILIARY_FEATURES = 768


@dataclasses.dataclass(frozen=True)
class CellPlace:
    """Where a cell stands in a network.

    Attributes:
      index: number of the cell, from 0.
      stage: number of reductions up to and including this cell: 0, 1 or 2.
      is_reduction: whether it is a reduction cell.
      filters: channels of the cell's nodes.
    """

    index: int
    stage: int
    is_reduction: bool
    filters: int


def reduction_cells(num_layers: int, form: str = "final") -> tuple[int, int]:
    """Returns the indices of the two reduction cells.

    They stand at `L // 3` and `2 * (L // 3) + 1`. The form of DARTS counts all `N = L + 2` cells:
    they stand at `N // 3` and `2 * N // 3`.

    Args:
      num_layers: L, the number of cells besides the two reduction cells.
      form: of the network.
    """
    if form == DARTS_FORM:
        return (num_layers + 2) // 3, 2 * (num_layers + 2) // 3
    return num_layers // 3, 2 * (num_layers // 3) + 1


def cell_places(num_layers: int, filters: int, form: str = "final") -> tuple[CellPlace, ...]:
    """Returns all cells of a network, first to last.

    There are `num_layers + 2`; each of the two reduction cells doubles the channels.

    Args:
      num_layers: the number of cells besides the two reduction cells.
      filters: channels in the first cells.
      form: of the network.
    """
    reductions = reduction_cells(num_layers, form)
    places = []
    for index in range(num_layers + 2):
        stage = sum(index >= reduction for reduction in reductions)
        places.append(CellPlace(index, stage, index in reductions, filters * 2**stage))
    return tuple(places)


def auxiliary_cell(num_layers: int, form: str = "final") -> int:
    """Returns the index of the cell whose output the auxiliary head reads.

    It is the cell after the second reduction cell, or that one if it is the last. In the form of
    DARTS it is always the second reduction cell.

    Args:
      num_layers: the number of cells besides the two reduction cells.
      form: of the network.
    """
    _, second = reduction_cells(num_layers, form)
    return second if form == DARTS_FORM else min(second + 1, num_layers + 1)


def stage_sides(input_shape: Sequence[int], stage: int) -> tuple[int, int]:
    """Returns the height and width of the pictures after so many reductions.

    Args:
      input_shape: height, width and channels of a picture.
      stage: number of reductions.
    """
    height, width = input_shape[:2]
    for _ in range(stage):
        height, width = (height + 1) // 2, (width + 1) // 2
    return height, width


def auxiliary_window(sides: tuple[int, int]) -> tuple[int, int]:
    """Returns height and width of the auxiliary head's average pooling; its stride is 3.

    It is 5 x 5 as in the release, or less where the pictures are smaller.

    Args:
      sides: height and width of the pictures after both reductions.
    """
    return min(sides[0], AUXILIARY_POOLING), min(sides[1], AUXILIARY_POOLING)


def auxiliary_sides(sides: tuple[int, int]) -> tuple[int, int]:
    """Returns the height and width of what the auxiliary head's pooling leaves.

    Args:
      sides: height and width of the pictures after both reductions.
    """
    height, width = (
        (side - window) // AUXILIARY_STRIDE + 1
        for side, window in zip(sides, auxiliary_window(sides))
    )
    return height, width


def check_picture_size(input_shape: Sequence[int], stem: str = CIFAR) -> None:
    """Raises `ConfigurationError` unless pictures are large enough for two reduction cells.

    Args:
      input_shape: height, width and channels of a picture.
      stem: what comes before the cells.
    """
    check_input_shape(input_shape)
    height, width = input_shape[:2]
    if chosen_stem(stem, input_shape) == IMAGENET and (
        min(body_shape(stem, input_shape, STEM_HALVINGS)[:2]) < SMALLEST_SIDE - 1
    ):
        raise ConfigurationError(
            "`stem`=imagenet makes pictures eight times smaller before two reduction cells and "
            f"needs at least 17 x 17 pixels. Received pictures of {height} x {width}; use "
            "--stem=cifar."
        )
    if min(height, width) < SMALLEST_SIDE:
        raise ConfigurationError(
            f"The micro space halves pictures twice and needs at least {SMALLEST_SIDE} x "
            f"{SMALLEST_SIDE} pixels. Received pictures of {height} x {width}; use --space=macro, "
            "which leaves out reductions, or larger pictures."
        )
