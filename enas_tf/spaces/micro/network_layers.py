"""Which layers the derived network of a micro architecture has.

Layers have systematic names, so that weights can be found and copied by name. For cell `i`, node
`n` and operand `o`:

| name | layer |
|---|---|
| `stem`, `stem_normalization` | 3 x 3 convolution and its batch normalisation |
| `stem_0`, `stem_1`, `stem_2` | strided ones in their place, each with its normalisation |
| `cell_i_reduction` | supernet's form: halves the newest tensor before a reduction cell |
| `cell_i_input_j`, `…_normalization` | brings input `j` (0: older, 1: newer) to size and width |
| `cell_i_base`, `…_normalization` | final form: one more convolution of the newer input |
| `cell_i_node_n_operand_o_convolution_s`, `…_normalization` | separable convolution `s`, 0 or 1 |
| `cell_i_node_n_operand_o_convolution_0`, `…_normalization` | dilated convolution |
| `cell_i_node_n_operand_o`, `…_normalization` | pooling, identity that halves, the user's layer |
| `cell_i_node_n` | sum of the operands |
| `cell_i_loose_end_t` | final form: halves an input `t` that no node of a reduction cell reads |
| `cell_i_merge`, `…_normalization` | supernet's form: 1 x 1 convolution of the loose ends |
| `auxiliary_projection`, `auxiliary_features`, `auxiliary_classifier` | auxiliary head |
| `dropout`, `classifier` | head |

With stride 2, `…_padding` or `…_halved` puts windows where those of DARTS are. In a portable
network a reduction is `…_path_1`, `…_path_2` and `…_normalization`.
"""

import functools
from typing import Any

from enas_tf.spaces.images.network_layers import Features, NetworkLayers
from enas_tf.spaces.images.space import check_num_classes
from enas_tf.spaces.images.stem import IMAGENET, add_strided_stem, chosen_stem
from enas_tf.spaces.micro.architecture import NUM_CELL_INPUTS, MicroArchitecture
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.layout import (
    AUXILIARY_FEATURES,
    AUXILIARY_PROJECTION,
    AUXILIARY_STRIDE,
    DARTS_FORM,
    STEM_HALVINGS,
    STEM_WIDENING,
    auxiliary_cell,
    auxiliary_window,
    cell_places,
    check_picture_size,
)
from enas_tf.spaces.micro.network_cells import (
    CellBuilder,
    DartsCellBuilder,
    DropOperand,
    FinalCellBuilder,
    SupernetCellBuilder,
)

_CELL_BUILDERS: dict[str, type[CellBuilder]] = {
    "final": FinalCellBuilder,
    "supernet": SupernetCellBuilder,
    DARTS_FORM: DartsCellBuilder,
}


def add_micro_network(
    layers: NetworkLayers,
    images: Features,
    architecture: MicroArchitecture,
    config: MicroNetworkConfig,
    num_classes: int,
    drop: DropOperand | None = None,
) -> Any:
    """Adds the layers of a network.

    Args:
      layers: makes or counts them.
      images: what they read.
      architecture: any micro architecture, of any number of nodes.
      config: depth, width, form and regularisation.
      num_classes: number of classes.
      drop: see `CellBuilder`.

    Returns:
      The logits; if the layers are for training and there is an auxiliary head, a list of the
      logits and of those of the head.

    Raises:
      ConfigurationError: the pictures are too small for two reductions, or the sizes make no sense.
    """
    check_picture_size(images.shape[1:], config.stem)
    check_num_classes(num_classes)
    builder = _CELL_BUILDERS[config.form](layers, drop)
    if chosen_stem(config.stem, images.shape[1:]) == IMAGENET:
        older, newer = add_strided_stem(layers, images, config.filters, STEM_HALVINGS)
    else:
        width = STEM_WIDENING * config.filters
        older = newer = layers.normalized_convolution(images, width, 3, "stem")
    auxiliary = newer
    has_auxiliary = bool(config.auxiliary_weight) and not layers.portable
    places = cell_places(config.num_layers, config.filters, config.form)
    cells = [architecture.reduction if p.is_reduction else architecture.normal for p in places]
    read = {places[-1].index}
    if has_auxiliary:
        read.add(auxiliary_cell(config.num_layers, config.form))
    for place, cell in reversed(list(zip(places, cells))):
        if place.index in read:
            # Input 1 is the output of the cell before, input 0 that of the one before it.
            read |= {place.index - NUM_CELL_INPUTS + n for n in builder.read_inputs(cell)}
    for place, cell in zip(places, cells):
        add = functools.partial(builder.cell, place, cell, older, newer)
        older, newer = add() if place.index in read else layers.unread(add)
        if place.index == auxiliary_cell(config.num_layers, config.form):
            auxiliary = newer
    is_darts = config.form == DARTS_FORM
    features = newer if is_darts else layers.relu(newer, "average")
    logits = layers.head(features, num_classes, config.dropout_rate, use_bias=is_darts)
    if has_auxiliary:
        return [logits, _auxiliary_head(layers, auxiliary, num_classes, is_darts)]
    return logits


def _auxiliary_head(
    layers: NetworkLayers, inputs: Features, num_classes: int, is_darts: bool
) -> Features:
    """A second classifier in the middle of the network.

    Sources: the release's `_build_aux_head`; in the form of DARTS, `AuxiliaryHeadCIFAR`, whose
    second convolution is not padded, so that one pixel is left, and whose classifier has a bias.
    """
    name = "auxiliary"
    window = auxiliary_window(inputs.shape[1:3])
    outputs = layers.window_average(layers.relu(inputs, name), window, AUXILIARY_STRIDE, name)
    outputs = layers.normalized_convolution(outputs, AUXILIARY_PROJECTION, 1, f"{name}_projection")
    outputs = layers.relu(outputs, f"{name}_projection")
    outputs = layers.normalized_convolution(
        outputs,
        AUXILIARY_FEATURES,
        tuple(outputs.shape[1:3]),
        f"{name}_features",
        "valid" if is_darts else "same",
    )
    outputs = layers.relu(outputs, f"{name}_features")
    outputs = layers.global_average(outputs, f"{name}_average")
    return layers.classifier(outputs, num_classes, f"{name}_classifier", use_bias=is_darts)
