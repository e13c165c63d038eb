"""The derived network: one micro architecture as a Keras model.

Layers have systematic names, so that weights can be found and copied by name. For cell `i`, node
`n` and operand `o`:

| name | layer |
|---|---|
| `stem`, `stem_normalization` | 3 x 3 convolution and its batch normalisation |
| `cell_i_reduction` | supernet's form: halves the newest tensor before a reduction cell |
| `cell_i_input_j`, `…_normalization` | brings input `j` (0: older, 1: newer) to size and width |
| `cell_i_base`, `…_normalization` | final form: one more convolution of the newer input |
| `cell_i_node_n_operand_o_convolution_s`, `…_normalization` | separable convolution `s`, 0 or 1 |
| `cell_i_node_n_operand_o` | pooling, or identity that halves the picture |
| `cell_i_node_n` | sum of the operands |
| `cell_i_loose_end_t` | final form: halves an input `t` that no node of a reduction cell reads |
| `cell_i_merge`, `…_normalization` | supernet's form: 1 x 1 convolution of the loose ends |
| `auxiliary_projection`, `auxiliary_features`, `auxiliary_classifier` | auxiliary head |
| `dropout`, `classifier` | head |

In a portable network a reduction is `…_path_1`, `…_path_2` and `…_normalization`.
"""

from collections.abc import Sequence

import keras

from enas_tf.layers.drop_path import DropPathSchedule
from enas_tf.spaces.images.network_builder import layer_seed
from enas_tf.spaces.images.network_form import NetworkForm
from enas_tf.spaces.images.space import check_num_classes
from enas_tf.spaces.micro.architecture import MicroArchitecture, MicroOperation
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.layout import (
    AUXILIARY_FEATURES,
    AUXILIARY_PROJECTION,
    AUXILIARY_STRIDE,
    STEM_WIDENING,
    auxiliary_cell,
    auxiliary_window,
    cell_places,
    check_picture_size,
)
from enas_tf.spaces.micro.network_cells import (
    CellBuilder,
    FinalCellBuilder,
    OperandPlace,
    SupernetCellBuilder,
)

_CELL_BUILDERS = {"final": FinalCellBuilder, "supernet": SupernetCellBuilder}


def build_micro_network(
    architecture: MicroArchitecture,
    config: MicroNetworkConfig,
    *,
    input_shape: Sequence[int],
    num_classes: int,
    portable: bool = True,
    seed: int = 0,
    training_steps: int | None = None,
) -> keras.Model:
    """Returns the network of one architecture with fresh weights.

    With `config.form == "final"` this is the release's final network: reduction cells work with
    strides, the newer input of a cell goes through one more convolution, and a cell's output is the
    concatenation of its loose ends. With `"supernet"` it computes what the supernet computes for
    the architecture: reductions stand in front of the reduction cells, and a 1 x 1 convolution
    merges the loose ends.

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

    Returns:
      A functional model from normalised float32 pictures `[batch, height, width, channels]` to
      logits `[batch, num_classes]`; with `portable=False` and `config.auxiliary_weight` above 0 to
      a list of the logits and of the auxiliary head's logits, of the same shape.

    Raises:
      ConfigurationError: the pictures are too small for two reductions, or the sizes make no sense.
    """
    check_picture_size(input_shape)
    check_num_classes(num_classes)
    inputs = keras.Input(tuple(input_shape), name="images")
    factors = {}
    if not portable:
        factors = _drop_path_factors(inputs, architecture, config, seed, training_steps)
    builder = _CELL_BUILDERS[config.form](portable=portable, seed=seed, drop_factors=factors)
    stem = builder.normalized_convolution(inputs, STEM_WIDENING * config.filters, 3, "stem")
    older = newer = auxiliary = stem
    for place in cell_places(config.num_layers, config.filters):
        cell = architecture.reduction if place.is_reduction else architecture.normal
        older, newer = builder.cell(place, cell, older, newer)
        if place.index == auxiliary_cell(config.num_layers):
            auxiliary = newer
    outputs = builder.head(builder.relu(newer, "average"), num_classes, config.dropout_rate)
    if config.auxiliary_weight and not portable:
        outputs = [outputs, _auxiliary_head(builder, auxiliary, num_classes)]
    return keras.Model(inputs, outputs, name="micro_network")


def _drop_path_factors(
    images: keras.KerasTensor,
    architecture: MicroArchitecture,
    config: MicroNetworkConfig,
    seed: int,
    training_steps: int | None,
) -> dict[OperandPlace, keras.KerasTensor]:
    """Returns the factors of the operands that may be dropped: all but identities."""
    places = cell_places(config.num_layers, config.filters)
    rates = {}
    for place in places:
        cell = architecture.reduction if place.is_reduction else architecture.normal
        for index, node in enumerate(cell.nodes):
            for number, operand in enumerate(node.operands):
                if operand.operation is not MicroOperation.IDENTITY:
                    depth = (place.index + 1) / len(places)
                    rates[place.index, index, number] = depth * config.drop_path_rate
    if not rates or not config.drop_path_rate:
        return {}
    name = "drop_path"
    schedule = DropPathSchedule(
        list(rates.values()), training_steps=training_steps, seed=layer_seed(seed, name), name=name
    )
    return dict(zip(rates, schedule(images)))


def _auxiliary_head(
    builder: CellBuilder, inputs: keras.KerasTensor, num_classes: int
) -> keras.KerasTensor:
    """A second classifier in the middle of the network; source: the release's `_build_aux_head`."""
    name = "auxiliary"
    pooling = keras.layers.AveragePooling2D(
        auxiliary_window(inputs.shape[1:3]), strides=AUXILIARY_STRIDE, name=f"{name}_pooling"
    )
    outputs = pooling(builder.relu(inputs, name))
    outputs = builder.normalized_convolution(outputs, AUXILIARY_PROJECTION, 1, f"{name}_projection")
    outputs = builder.relu(outputs, f"{name}_projection")
    outputs = builder.normalized_convolution(
        outputs, AUXILIARY_FEATURES, tuple(outputs.shape[1:3]), f"{name}_features"
    )
    outputs = builder.relu(outputs, f"{name}_features")
    outputs = keras.layers.GlobalAveragePooling2D(name=f"{name}_average")(outputs)
    return builder.classifier(outputs, num_classes, f"{name}_classifier")


FORM = NetworkForm(
    build_micro_network, is_scheduled=True, auxiliary_weight=lambda config: config.auxiliary_weight
)
