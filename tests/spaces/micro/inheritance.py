"""One network cut out of the supernet, with the shared weights it has there."""

from collections.abc import Iterator

import keras
import numpy as np

from enas_tf.spaces.images.network_builder import assign_portable_weights
from enas_tf.spaces.micro.architecture import MicroArchitecture, MicroCell
from enas_tf.spaces.micro.network import build_micro_network
from enas_tf.spaces.micro.supernet import MicroSupernet, NormalizedConvolution, Reduction
from enas_tf.spaces.micro.supernet_cells import OwnBank, StageCells
from tests.spaces.bank_entries import entry_of

# The name of a layer in the portable network, and its weights.
Weights = Iterator[tuple[str, list[np.ndarray]]]


def network_of_supernet(
    supernet: MicroSupernet, architecture: MicroArchitecture, *, portable: bool = True
) -> keras.Model:
    """Returns one network of a supernet as a plain Keras model with the shared weights.

    It computes the supernet's logits for that architecture, apart from dropout: with
    `training=True`, when both normalise with the statistics of the batch, and with
    `training=False` those that the supernet's moving statistics give.

    Args:
      supernet: has the weights.
      architecture: of the supernet's space.
      portable: as in `build_micro_network`.

    Returns:
      A functional model in the supernet's form of `build_micro_network`, without auxiliary head,
      from normalised pictures to logits.

    Raises:
      ArchitectureError: the architecture is not of the supernet's space.
    """
    space = supernet.space
    space.check(architecture)
    network = build_micro_network(
        architecture,
        space.network_config().replace(form="supernet", auxiliary_weight=0.0),
        input_shape=space.input_shape,
        num_classes=space.num_classes,
        portable=portable,
    )
    assign_portable_weights(network, dict(_shared_weights(supernet, architecture)))
    return network


def _shared_weights(supernet: MicroSupernet, architecture: MicroArchitecture) -> Weights:
    """Yields the weights of every layer of the portable network."""
    for layer in supernet.stem if supernet.is_strided else [supernet.stem]:
        yield from _convolution(layer, layer.name)
    for index, reduction in supernet.reductions.items():
        yield from _convolution(reduction, f"cell_{index}_reduction")
    for key, adapter in supernet.adapters.items():
        index, number = key.split("_")
        yield from _convolution(adapter, f"cell_{index}_input_{number}")
    for stage in supernet.stages:
        for number, place in enumerate(stage.places):
            cell = architecture.reduction if place.is_reduction else architecture.normal
            yield from _cell(stage, number, cell, f"cell_{place.index}")
    yield "classifier", [entry_of(supernet.classifier, 0)]


def _cell(stage: StageCells, number: int, cell: MicroCell, name: str) -> Weights:
    banks = {bank.operation: bank for bank in stage.banks}
    for node, operands in enumerate(cell.nodes):
        for place, operand in enumerate(operands.operands):
            if operand.operation not in banks:
                continue
            bank = banks[operand.operation]
            for stack in range(bank.rows.num_stacks):
                row = bank.rows.first[number, node, place, stack] + operand.input
                layer = f"{name}_node_{node}_operand_{place}"
                if isinstance(bank, OwnBank):
                    yield layer, [kernels.kernel.numpy()[row] for kernels in bank.kernels]
                    yield f"{layer}_normalization", entry_of(bank.norm, row)
                    continue
                layer = f"{layer}_convolution_{stack}"
                pointwise = entry_of(bank.pointwise, row)[None, None]
                yield layer, [entry_of(bank.depthwise, row), pointwise]
                yield f"{layer}_normalization", entry_of(bank.norm, row)
    rows = [number * stage.num_tensors + loose for loose in cell.loose_ends]
    blocks = np.concatenate([entry_of(stage.blocks, row) for row in rows])
    yield f"{name}_merge", [blocks[None, None]]
    yield f"{name}_merge_normalization", entry_of(stage.norm, number)


def _convolution(layer: NormalizedConvolution, name: str) -> Weights:
    if isinstance(layer, Reduction):
        for number, bank in enumerate(layer.kernels, 1):
            yield f"{name}_path_{number}", [entry_of(bank, 0)[None, None]]
    else:
        yield name, [entry_of(layer.kernels[0], 0)]
    yield f"{name}_normalization", entry_of(layer.norm, 0)
