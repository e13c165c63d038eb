"""One network cut out of the supernet, with the shared weights it has there."""

from collections.abc import Sequence

import keras
import numpy as np

from enas_tf.layers.banks import BatchNormalizationBank
from enas_tf.spaces.images.network_builder import assign_portable_weights
from enas_tf.spaces.macro.architecture import (
    ChannelRange,
    MacroArchitecture,
    MacroChannelArchitecture,
    MacroOperation,
)
from enas_tf.spaces.macro.network import build_macro_network
from enas_tf.spaces.macro.supernet import MacroSupernet
from enas_tf.spaces.operations import OwnOperation
from tests.spaces.bank_entries import entry_of

Weights = dict[str, list[np.ndarray]]


def network_of_supernet(
    supernet: MacroSupernet,
    architecture: MacroArchitecture | MacroChannelArchitecture,
    *,
    portable: bool = True,
) -> keras.Model:
    """Returns one network of a supernet as a plain Keras model with the shared weights.

    It computes the supernet's logits for that architecture, in training (batch statistics, and
    apart from dropout) as in evaluation (moving statistics).

    Args:
      supernet: has the weights.
      architecture: of the supernet's space.
      portable: as in `build_macro_network`.

    Returns:
      A functional model in the added form of `build_macro_network`, from normalised pictures to
      logits.

    Raises:
      ArchitectureError: the architecture is not of the supernet's space.
    """
    space = supernet.space
    space.check(architecture)
    network = build_macro_network(
        architecture,
        space.network_config().replace(merge="add"),
        input_shape=space.input_shape,
        num_classes=space.num_classes,
        portable=portable,
    )
    assign_portable_weights(network, _shared_weights(supernet, architecture))
    return network


def _shared_weights(
    supernet: MacroSupernet, architecture: MacroArchitecture | MacroChannelArchitecture
) -> Weights:
    """Returns the weights of every layer of the portable network by the layer's name."""
    space = supernet.space
    weights = {
        **_stem(supernet),
        "classifier": [entry_of(supernet.classifier, 0)],
    }
    for index, layer in enumerate(architecture.layers):
        if isinstance(architecture, MacroChannelArchitecture):
            weights |= _branches(supernet, index, layer.branches)
        else:
            weights |= _operation(supernet, index, layer.operation, f"layer_{index}")
        if index:
            weights[f"layer_{index}_skip_normalization"] = _norm(supernet.skip_norm, index - 1)
    entry = 0
    for index in space.reduction_layers:
        for number in range(index + 2):
            name = f"layer_{index}_reduce_{number}"
            for bank, path in zip(supernet.reduction_paths, (1, 2)):
                weights[f"{name}_path_{path}"] = [entry_of(bank, entry)[None, None]]
            weights[f"{name}_normalization"] = _norm(supernet.reduction_norm, entry)
            entry += 1
    return weights


def _operation(
    supernet: MacroSupernet,
    index: int,
    operation: MacroOperation,
    name: str,
    channels: Sequence[int] | None = None,
) -> Weights:
    """Returns what layer `index` has for one operation, for all or some output channels."""
    layers = supernet.supernet_layers
    chosen = slice(None) if channels is None else np.asarray(channels)
    # Of a pooling the channels are those of its input convolution.
    is_weighted = operation in layers.weighted
    projected = slice(None) if is_weighted else chosen
    operations = supernet.space.searched_operations
    entry = index * len(operations) + operations.index(operation)
    weights = {
        f"{name}_project": [entry_of(layers.input_kernels, entry)[None, None, :, projected]],
        f"{name}_project_normalization": _norm(layers.input_norm, entry, projected),
    }
    if not is_weighted:
        return weights
    number = layers.weighted.index(operation)
    kernels = [entry_of(bank, index) for bank in layers.operation_kernels[number]]
    if isinstance(operation, OwnOperation):
        weights[f"{name}_operation"] = kernels
    else:
        *depthwise, last = kernels
        last = last[..., chosen]
        weights[f"{name}_operation"] = [*depthwise, last[None, None] if last.ndim == 2 else last]
    entry = index * len(layers.weighted) + number
    weights[f"{name}_operation_normalization"] = _norm(layers.operation_norm, entry, chosen)
    return weights


def _branches(supernet: MacroSupernet, index: int, branches: Sequence[ChannelRange]) -> Weights:
    """Returns what layer `index` of the per-channel form has."""
    weights: Weights = {}
    rows: list[int] = []
    for number, branch in enumerate(branches):
        channels = range(branch.start, branch.start + branch.count)
        name = f"layer_{index}_branch_{number}"
        weights |= _operation(supernet, index, MacroOperation(number), name, channels)
        rows += [number * supernet.space.filters + channel for channel in channels]
    layers = supernet.supernet_layers
    weights[f"layer_{index}_combine"] = [entry_of(layers.merge_kernels, index)[None, None, rows]]
    weights[f"layer_{index}_combine_normalization"] = _norm(layers.merge_norm, index)
    return weights


def _norm(
    bank: BatchNormalizationBank, entry: int, channels: slice | np.ndarray = slice(None)
) -> list[np.ndarray]:
    return [values[channels] for values in entry_of(bank, entry)]


def _stem(supernet: MacroSupernet) -> dict[str, list[np.ndarray]]:
    if not supernet.is_strided:
        norm = _norm(supernet.stem_norm, 0)
        return {"stem": [entry_of(supernet.stem, 0)], "stem_normalization": norm}
    weights = {}
    for layer in supernet.strided_stem:
        weights[layer.name] = [entry_of(layer.kernels[0], 0)]
        weights[f"{layer.name}_normalization"] = _norm(layer.norm, 0)
    return weights
