"""Carries the release's micro child variables to our derived networks, for the parity tests."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from enas_tf.spaces.images.network_builder import portable_weights
from enas_tf.spaces.micro.architecture import MicroArchitecture, MicroOperation

NORMALIZATION = ("scale", "offset", "moving_mean", "moving_variance")

_WHOLE_NAMES = {
    "stem": "stem_conv",
    "classifier": "fc",
    "auxiliary_projection": "aux_head/proj",
    "auxiliary_features": "aux_head/avg_pool",
    "auxiliary_classifier": "aux_head/fc",
}
# Parts of names inside of a cell.
_PARTS = (
    (r"input_0", "calibrate/pool_x"),
    (r"input_1", "calibrate/pool_y"),
    (r"base", "layer_base"),
    (r"loose_end_(\d+)", r"final_combine/calibrate_\1"),
    (r"node_(\d+)_operand_0", r"cell_\1/x_conv"),
    (r"node_(\d+)_operand_1", r"cell_\1/y_conv"),
    (r"_convolution_(\d)", r"/sep_conv_\1"),
    (r"_path_(\d)", r"/path\1_conv"),
)
_VARIABLES = {
    "kernel": "w",
    "depthwise_kernel": "w_depth",
    "pointwise_kernel": "w_point",
    "gamma": "scale",
    "beta": "offset",
    "path_1": "path1_conv/w",
    "path_2": "path2_conv/w",
}


def fixed_child_layer(layer: str) -> str:
    """Returns the release's scope of a layer of the final form, normalisations as `bn`."""
    layer, is_normalization, _ = layer.partition("_normalization")
    match = re.match(r"cell_(\d+)_(.*)", layer)
    if match:
        cell, part = match.groups()
        for ours, theirs in _PARTS:
            part = re.sub(ours, theirs, part)
        scope = f"layer_{cell}/{part}"
    else:
        scope = _WHOLE_NAMES[layer]
    return f"child/{scope}" + ("/bn" if is_normalization else "")


def fixed_child_variable(variable: Any) -> str:
    """Returns the release's name of a variable of a network in the final form, of either kind."""
    *layers, name = variable.path.split("/")
    # A factorised reduction of the fast kind has its normalisation inside.
    layer = "_".join(layers)
    return f"{fixed_child_layer(layer)}/{_VARIABLES.get(name, name)}"


def fixed_child_weights(network: Any, golden: Mapping[str, Any]) -> dict[str, list[np.ndarray]]:
    """Returns the fixture's weights for a network in the final form, by portable layer names."""
    return {
        layer: [golden[f"{fixed_child_layer(layer)}/{name}"] for name in _names(arrays)]
        for layer, arrays in portable_weights(network).items()
    }


def search_child_weights(
    network: Any, architecture: MicroArchitecture, golden: Mapping[str, Any]
) -> dict[str, list[np.ndarray]]:
    """Returns the weights that the fixture's supernet has for one architecture.

    Args:
      network: of the architecture in the supernet's form.
      architecture: picks the rows of the banks.
      golden: the fixture.
    """
    weights = {}
    reductions = golden["config"]["pool_layers"]
    for layer, arrays in portable_weights(network).items():
        match = re.match(r"cell_(\d+)_(node|merge|reduction)", layer)
        if match is None:
            scope = fixed_child_layer(layer)
            weights[layer] = [golden[f"{scope}/{name}"] for name in _names(arrays)]
            continue
        cell = architecture.reduction if int(match[1]) in reductions else architecture.normal
        scope = f"child/layer_{match[1]}"
        if match[2] == "node":
            weights[layer] = _operand(golden, scope, cell, layer, arrays)
        elif match[2] == "merge":
            weights[layer] = _merge(golden, f"{scope}/final_conv", cell, arrays)
        else:
            path = re.search(r"_path_(\d)", layer)
            inner = f"{scope}/path{path[1]}_conv" if path else f"{scope}/bn"
            weights[layer] = [golden[f"{inner}/{name}"] for name in _names(arrays)]
    return weights


def _names(arrays: list[np.ndarray]) -> tuple[str, ...]:
    return {1: ("w",), 2: ("w_depth", "w_point"), 4: NORMALIZATION}[len(arrays)]


def _operand(
    golden: Mapping[str, Any], scope: str, cell: Any, layer: str, arrays: list[np.ndarray]
) -> list[np.ndarray]:
    pattern = r"cell_\d+_node_(\d+)_operand_(\d)_convolution_(\d)"
    node, number, stack = map(int, re.match(pattern, layer).groups())
    operand = cell.nodes[node].operands[number]
    assert operand.operation in (
        MicroOperation.SEPARABLE_CONVOLUTION_3X3,
        MicroOperation.SEPARABLE_CONVOLUTION_5X5,
    )
    size = operand.operation.kernel_size
    bank = f"{scope}/cell_{node}/{'xy'[number]}/conv_{size}x{size}/stack_{stack}"
    if len(arrays) == 2:
        rows = [golden[f"{bank}/{name}"][operand.input] for name in ("w_depth", "w_point")]
        return [row.reshape(array.shape) for row, array in zip(rows, arrays)]
    learned = [golden[f"{bank}/bn/{name}"][operand.input] for name in ("scale", "offset")]
    # The release keeps no moving statistics here.
    return [*learned, *arrays[2:]]


def _merge(
    golden: Mapping[str, Any], scope: str, cell: Any, arrays: list[np.ndarray]
) -> list[np.ndarray]:
    if len(arrays) == 4:
        return [golden[f"{scope}/bn/{name}"] for name in NORMALIZATION]
    filters = arrays[0].shape[-1]
    rows = golden[f"{scope}/w"][list(cell.loose_ends)].reshape(-1, filters)
    return [rows[None, None]]
