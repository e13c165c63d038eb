"""Carries the weights of DARTS's final networks to ours, for the parity tests."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from enas_tf.spaces.images.network_builder import portable_weights

_NORMALIZATION = ("weight", "bias", "running_mean", "running_var")
_WHOLE_NAMES = {
    "stem": "stem.0",
    "stem_normalization": "stem.1",
    "auxiliary_projection": "auxiliary_head.features.2",
    "auxiliary_projection_normalization": "auxiliary_head.features.3",
    "auxiliary_features": "auxiliary_head.features.5",
    "auxiliary_features_normalization": "auxiliary_head.features.6",
    "auxiliary_classifier": "auxiliary_head.classifier",
    "classifier": "classifier",
}


def darts_weights(network: Any, golden: Mapping[str, Any]) -> dict[str, list[np.ndarray]]:
    """Returns the fixture's weights for a network in DARTS's form, by portable layer names."""
    return {
        layer: [_in_our_layout(layer, golden[f"child/{name}"]) for name in names]
        for layer, names in darts_names(network, golden).items()
    }


def darts_names(network: Any, golden: Mapping[str, Any]) -> dict[str, list[str]]:
    """Returns the authors' names of the arrays of each layer that has weights."""
    return {
        layer: list(_names(layer, len(arrays), golden))
        for layer, arrays in portable_weights(network).items()
    }


def _names(layer: str, number: int, golden: Mapping[str, Any]) -> Iterator[str]:
    match = re.fullmatch(r"cell_(\d+)_(input_(\d)|node_(\d+)_operand_(\d))(.*)", layer)
    if match is None:
        scope, part = _WHOLE_NAMES[layer], ""
    else:
        cell, _, tensor, node, operand, part = match.groups()
        if tensor is None:
            scope = f"cells.{cell}._ops.{2 * int(node) + int(operand)}"
        else:
            scope = f"cells.{cell}.preprocess{tensor}"
        path = re.fullmatch(r"_path_(\d)", part)
        if path:
            scope += f".conv_{path[1]}"
        elif f"child/{scope}.bn.weight" in golden:
            scope += ".bn"
        else:
            stack = re.search(r"_convolution_(\d)", part)
            # Number 0 is the ReLU of a stack; then depthwise, pointwise and normalisation.
            first = 4 * int(stack[1]) if stack else 0
            length = 2 if stack else 1
            if part.endswith("_normalization"):
                scope += f".op.{first + length + 1}"
            else:
                yield from (f"{scope}.op.{first + n + 1}.weight" for n in range(length))
                return
    yield from (f"{scope}.{name}" for name in _NORMALIZATION[:number])


def _in_our_layout(layer: str, array: np.ndarray) -> np.ndarray:
    if array.ndim == 4:
        # Theirs: output, input over groups, height, width. A depthwise kernel has the channels
        # first, and one number of each.
        is_depthwise = "_convolution_" in layer and array.shape[-1] > 1
        return array.transpose((2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0))
    return array.T
