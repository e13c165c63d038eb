import pytest

from enas_tf.errors import ArchitectureError
from enas_tf.spaces.micro.genotype import architecture_of_genotype

NODE = [("dil_conv_5x5", 0), ("skip_connect", 1)]


def test_a_node_is_two_pairs():
    normal = [*NODE, ("avg_pool_3x3", 2), ("sep_conv_5x5", 0)]
    reduction = [*NODE, ("max_pool_3x3", 1), ("dil_conv_3x3", 2)]
    architecture = architecture_of_genotype(normal, reduction)
    assert architecture.to_release_string() == "0 6 1 4 2 2 0 1 0 6 1 4 1 3 2 5"


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("none", 0), ("skip_connect", 1)], "Reduction cell: the operation 'none' of a genotype"),
        ([("sep_conv_7x7", 0), ("skip_connect", 1)], "'sep_conv_7x7'.*Known: sep_conv_3x3"),
        ([("skip_connect", 2), ("skip_connect", 1)], "Reduction cell: Node 0: `input`"),
        ([("skip_connect", 1)], "Node 0: expected 2 operands"),
        ([], "at least one node"),
    ],
)
def test_what_makes_no_cell_is_refused_in_words(pairs, message):
    with pytest.raises(ArchitectureError, match=message):
        architecture_of_genotype(NODE, pairs)
