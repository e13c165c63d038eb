"""The derived network: one micro architecture as a Keras model.

`network_layers.py` has its layers, and their names.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from enas_tf.layers.drop_path import DropPath, DropPathSchedule
from enas_tf.spaces.images.network_builder import NetworkBuilder, layer_seed
from enas_tf.spaces.images.network_form import NetworkForm
from enas_tf.spaces.images.space import check_input_shape
from enas_tf.spaces.micro.architecture import (
    NUM_CELL_INPUTS,
    MicroArchitecture,
    MicroOperation,
)
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.layout import DARTS_FORM, cell_places
from enas_tf.spaces.micro.network_cells import DropOperand, OperandPlace
from enas_tf.spaces.micro.network_layers import add_micro_network


def build_micro_network(
    architecture: MicroArchitecture,
    config: MicroNetworkConfig,
    *,
    input_shape: Sequence[int],
    num_classes: int,
    portable: bool = True,
    seed: int = 0,
    training_steps: int | None = None,
    epoch_steps: int = 1,
    share: Callable[[Any], Any] | None = None,
) -> keras.Model:
    """Returns the network of one architecture with fresh weights.

    With `config.form == "final"` this is the release's final network: reduction cells work with
    strides, the newer input of a cell goes through one more convolution, and a cell's output is the
    concatenation of its loose ends. With `"supernet"` it computes what the supernet computes for
    the architecture: reductions stand in front of the reduction cells, and a 1 x 1 convolution
    merges the loose ends. With `"darts"` it is the final network of DARTS: see `DartsCellBuilder`.

    Args:
      architecture: any micro architecture, of any number of nodes.
      config: depth, width, form and regularisation.
      input_shape: height, width and channels of a picture.
      num_classes: number of classes.
      portable: only stock Keras layers, so that a saved model loads without this package; without
        drop path and auxiliary head, which evaluation does not need. False: for training, with
        both, with this package's faster layers, and with random numbers that can be resumed.
      seed: of the initial weights (He-normal), of dropout and of drop path.
      training_steps: of the whole training, in which the drop path's rate rises from zero.
        Default: unknown, drop path has its full rate from the start.
      epoch_steps: steps of an epoch, throughout which the drop path of DARTS has one rate.
      share: tells which share of the training is done at a step, if its length is not known yet.

    Returns:
      A functional model from normalised float32 pictures `[batch, height, width, channels]` to
      logits `[batch, num_classes]`; with `portable=False` and `config.auxiliary_weight` above 0 to
      a list of the logits and of the auxiliary head's logits, of the same shape.

    Raises:
      ConfigurationError: the pictures are too small for two reductions, or the sizes make no sense.
    """
    check_input_shape(input_shape)
    inputs = keras.Input(tuple(input_shape), name="images")
    drop = None
    if not portable:
        schedule = {"training_steps": training_steps, "epoch_steps": epoch_steps, "share": share}
        drop = _drop_path(inputs, architecture, config, seed, schedule)
    builder = NetworkBuilder(portable=portable, seed=seed)
    outputs = add_micro_network(builder, inputs, architecture, config, num_classes, drop)
    return keras.Model(inputs, outputs, name="micro_network")


def _drop_path(
    images: keras.KerasTensor,
    architecture: MicroArchitecture,
    config: MicroNetworkConfig,
    seed: int,
    schedule: Mapping[str, Any],
) -> DropOperand:
    """Returns what drops operands in training: all but identities.

    In the form of DARTS an identity that halves the picture is none, all cells have one rate, and
    it rises from 0 in the first epoch; source: the authors' `cnn/train.py` and `cnn/model.py`.
    """
    is_darts = config.form == DARTS_FORM
    places = cell_places(config.num_layers, config.filters, config.form)
    rates = {}
    for place in places:
        cell = architecture.reduction if place.is_reduction else architecture.normal
        for index, node in enumerate(cell.nodes):
            for number, operand in enumerate(node.operands):
                is_halved = place.is_reduction and operand.input < NUM_CELL_INPUTS
                if operand.operation is not MicroOperation.IDENTITY or (is_darts and is_halved):
                    depth = 1.0 if is_darts else (place.index + 1) / len(places)
                    rates[place.index, index, number] = depth * config.drop_path_rate
    factors: dict[OperandPlace, keras.KerasTensor] = {}
    name = "drop_path"
    if rates and config.drop_path_rate:
        drawn = DropPathSchedule(
            list(rates.values()),
            **{**schedule, "epoch_steps": schedule["epoch_steps"] if is_darts else None},
            seed=layer_seed(seed, name),
            name=name,
        )
        factors = dict(zip(rates, drawn(images)))

    def drop(place: OperandPlace, operand: keras.KerasTensor, name: str) -> keras.KerasTensor:
        if place not in factors:
            return operand
        return DropPath(name=f"{name}_drop_path")([operand, factors[place]])

    return drop


FORM = NetworkForm(
    build_micro_network, is_scheduled=True, auxiliary_weight=lambda config: config.auxiliary_weight
)
