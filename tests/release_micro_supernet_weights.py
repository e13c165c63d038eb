"""Carries the release's micro supernet variables to ours and back, for the parity tests."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.space import MicroSpace


def space_of(golden: dict[str, Any]) -> MicroSpace:
    """Returns the space that a fixture of the supernet describes."""
    config = golden["config"]
    return MicroSpace(
        num_layers=config["num_layers"],
        filters=config["out_filters"],
        num_nodes=config["num_cells"],
        input_shape=golden["x"].shape[1:],
        dropout_rate=1.0 - config["keep_prob"],
        auxiliary_weight=0.4 if config["use_aux_heads"] else 0.0,
    )


def architectures(golden: dict[str, Any]) -> list[MicroArchitecture]:
    """Returns the architectures of a fixture."""
    return [
        MicroArchitecture.from_release_string(" ".join(map(str, [*normal, *reduction])))
        for normal, reduction in zip(golden["normal_arcs"], golden["reduce_arcs"])
    ]


def entries(supernet: Any) -> Iterator[tuple[str, Any, slice]]:
    """Yields for each of the release's variables its name, our variable, and our entries.

    The values are the same in the same order; only shapes differ.
    """
    yield from _convolution("child/stem_conv", supernet.stem)
    cells = [(stage, number) for stage in supernet.stages for number in range(len(stage.places))]
    for stage, number in cells:
        index = stage.places[number].index
        layer = f"child/layer_{index}"
        if str(index) in supernet.reductions:
            yield from _convolution(layer, supernet.reductions[str(index)])
        for side, letter in enumerate("xy"):
            if (adapter := supernet.adapters.get(f"{index}_{side}")) is not None:
                yield from _convolution(f"{layer}/calibrate/pool_{letter}", adapter)
        yield from _operands(layer, stage, number)
        blocks = slice(number * stage.num_tensors, (number + 1) * stage.num_tensors)
        yield f"{layer}/final_conv/w", stage.blocks.kernel, blocks
        yield from _norm(f"{layer}/final_conv/bn", stage.norm, slice(number, number + 1))
    yield "child/fc/w", supernet.classifier.kernel, slice(0, 1)


def _operands(layer: str, stage: Any, number: int) -> Iterator[tuple[str, Any, slice]]:
    for (node, operand, stack), first in np.ndenumerate(stage.separable[0].rows.first[number]):
        rows = slice(first, first + node + 2)
        for bank in stage.separable:
            size = bank.operation.kernel_size
            name = f"{layer}/cell_{node}/{'xy'[operand]}/conv_{size}x{size}/stack_{stack}"
            yield f"{name}/w_depth", bank.depthwise.kernel, rows
            yield f"{name}/w_point", bank.pointwise.kernel, rows
            yield f"{name}/bn/scale", bank.norm.scale, rows
            yield f"{name}/bn/offset", bank.norm.offset, rows


def _convolution(name: str, layer: Any) -> Iterator[tuple[str, Any, slice]]:
    for path, bank in enumerate(layer.kernels, 1):
        inner = f"path{path}_conv/w" if len(layer.kernels) > 1 else "w"
        yield f"{name}/{inner}", bank.kernel, slice(0, 1)
    yield from _norm(f"{name}/bn", layer.norm, slice(0, 1))


def _norm(name: str, bank: Any, chosen: slice) -> Iterator[tuple[str, Any, slice]]:
    for part in ("scale", "offset", "moving_mean", "moving_variance"):
        yield f"{name}/{part}", getattr(bank, part), chosen


def load_weights(supernet: Any, golden: dict[str, Any]) -> None:
    """Gives the supernet the weights of a fixture."""
    values: dict[int, tuple[Any, np.ndarray]] = {}
    for name, variable, chosen in entries(supernet):
        _, array = values.setdefault(id(variable), (variable, np.array(variable)))
        array[chosen] = golden[name].reshape(array[chosen].shape)
    for variable, array in values.values():
        variable.assign(array)
