"""Carries the release's macro supernet variables to ours and back, for the parity tests."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from enas_tf.spaces.macro.space import MacroSpace


def space_of(golden: dict[str, Any]) -> MacroSpace:
    """Returns the space that a fixture of the supernet describes."""
    config = golden["config"]
    return MacroSpace(
        num_layers=config["num_layers"],
        filters=config["out_filters"],
        input_shape=golden["x"].shape[1:],
        num_operations=config["num_branches"],
        moving_statistics="release",
        dropout_rate=1.0 - config["keep_prob"],
    )


def entries(supernet: Any) -> Iterator[tuple[str, Any, int, str]]:
    """Yields for each of the release's variables its name, our variable, the entry, the layout.

    The layout is `plain`, `squeeze` (1 x 1 kernels), or `transpose` (a pointwise kernel that the
    release stores as [out, in]).
    """
    space = supernet.space
    layers = supernet.supernet_layers
    yield "child/stem_conv/w", supernet.stem.kernel, 0, "plain"
    yield from _norm("child/stem_conv/bn", supernet.stem_norm, 0)
    for layer in range(space.num_layers):
        for operation in space.searched_operations:
            branch = f"child/layer_{layer}/branch_{int(operation)}"
            entry = layer * space.num_operations + operation
            first = f"{branch}/{'conv_1' if operation.is_pooling else 'inp_conv_1'}"
            yield f"{first}/w", layers.input_kernels.kernel, entry, "squeeze"
            yield from _norm(f"{first}/bn", layers.input_norm, entry)
            if operation.is_pooling:
                continue
            last = f"{branch}/out_conv_{operation.kernel_size}"
            banks = layers.operation_kernels[operation]
            names = ("w_depth", "w_point") if operation.is_separable else ("w",)
            for name, bank in zip(names, banks):
                layout = "transpose" if name == "w_point" else "plain"
                yield f"{last}/{name}", bank.kernel, layer, layout
            entry = layer * len(layers.weighted) + operation
            yield from _norm(f"{last}/bn", layers.operation_norm, entry)
        if layer:
            yield from _norm(f"child/layer_{layer}/skip/bn", supernet.skip_norm, layer - 1)
    entry = 0
    for layer in space.reduction_layers:
        for source in range(layer + 2):
            name = f"child/layer_{layer}/pool_at_{layer}/from_{source}"
            for path, bank in enumerate(supernet.reduction_paths, 1):
                yield f"{name}/path{path}_conv/w", bank.kernel, entry, "squeeze"
            yield from _norm(f"{name}/bn", supernet.reduction_norm, entry)
            entry += 1
    yield "child/fc/w", supernet.classifier.kernel, 0, "plain"


def _norm(name: str, bank: Any, entry: int) -> Iterator[tuple[str, Any, int, str]]:
    for part in ("scale", "offset", "moving_mean", "moving_variance"):
        yield f"{name}/{part}", getattr(bank, part), entry, "plain"


def load_weights(supernet: Any, golden: dict[str, Any]) -> None:
    """Gives the supernet the weights of a fixture."""
    values: dict[int, tuple[Any, np.ndarray]] = {}
    for name, variable, entry, layout in entries(supernet):
        _, array = values.setdefault(id(variable), (variable, np.array(variable)))
        array[entry] = _ours(golden[name], layout)
    for variable, array in values.values():
        variable.assign(array)


def _ours(array: np.ndarray, layout: str) -> np.ndarray:
    if layout == "squeeze":
        return array[0, 0]
    return array.T if layout == "transpose" else array


def of_entry(array: np.ndarray, entry: int, layout: str) -> np.ndarray:
    """Returns one entry of an array in the layout of our bank, in the release's layout."""
    value = array[entry]
    if layout == "squeeze":
        return value[None, None]
    return value.T if layout == "transpose" else value
