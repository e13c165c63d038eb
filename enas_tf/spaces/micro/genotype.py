"""Cells as DARTS and its successors publish them: genotypes."""

from collections.abc import Sequence

from enas_tf.errors import ArchitectureError
from enas_tf.spaces.base import naming
from enas_tf.spaces.micro.architecture import (
    OPERANDS_PER_NODE,
    MicroArchitecture,
    MicroCell,
    MicroNode,
    MicroOperand,
    MicroOperation,
)

# An operation and the index of what it reads, numbered as here: from the older input on.
Pair = tuple[str, int]

_OPERATIONS = {
    "sep_conv_3x3": MicroOperation.SEPARABLE_CONVOLUTION_3X3,
    "sep_conv_5x5": MicroOperation.SEPARABLE_CONVOLUTION_5X5,
    "avg_pool_3x3": MicroOperation.AVERAGE_POOLING_3X3,
    "max_pool_3x3": MicroOperation.MAX_POOLING_3X3,
    "skip_connect": MicroOperation.IDENTITY,
    "dil_conv_3x3": MicroOperation.DILATED_CONVOLUTION_3X3,
    "dil_conv_5x5": MicroOperation.DILATED_CONVOLUTION_5X5,
}


def architecture_of_genotype(
    normal: Sequence[Pair], reduction: Sequence[Pair]
) -> MicroArchitecture:
    """Returns the architecture of a genotype, as in `cnn/genotypes.py` of the authors.

    Which tensors are concatenated is no part of an architecture: in a network of the form `darts`
    it is all nodes.

    Args:
      normal: pairs like `("sep_conv_3x3", 0)`, two for each node of the normal cell.
      reduction: those of the reduction cell (`reduce` of the genotype).

    Raises:
      ArchitectureError: an operation is unknown here, or the pairs make no cell.
    """
    cells = {"Normal": normal, "Reduction": reduction}
    parsed = []
    for name, pairs in cells.items():
        with naming(f"{name} cell"):
            parsed.append(_cell(pairs))
    return MicroArchitecture(*parsed)


def _cell(pairs: Sequence[Pair]) -> MicroCell:
    operands = [MicroOperand(source, _operation(name)) for name, source in pairs]
    starts = range(0, len(operands), OPERANDS_PER_NODE)
    return MicroCell(tuple(MicroNode(tuple(operands[n : n + OPERANDS_PER_NODE])) for n in starts))


def _operation(name: str) -> MicroOperation:
    if name not in _OPERATIONS:
        raise ArchitectureError(
            f"the operation {name!r} of a genotype has no counterpart in the micro space. "
            f"Known: {', '.join(_OPERATIONS)}."
        )
    return _OPERATIONS[name]
