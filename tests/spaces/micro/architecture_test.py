import pytest

from enas_tf.errors import ArchitectureError
from enas_tf.spaces.micro.architecture import (
    MicroArchitecture,
    MicroCell,
    MicroNode,
    MicroOperand,
    MicroOperation,
)

# Two nodes in each cell.
TEXT = "0 0 1 2 2 4 0 3 1 1 1 0 0 4 2 1"
NORMAL = MicroCell(
    (
        MicroNode(
            (
                MicroOperand(0, MicroOperation.SEPARABLE_CONVOLUTION_3X3),
                MicroOperand(1, MicroOperation.AVERAGE_POOLING_3X3),
            )
        ),
        MicroNode(
            (
                MicroOperand(2, MicroOperation.IDENTITY),
                MicroOperand(0, MicroOperation.MAX_POOLING_3X3),
            )
        ),
    )
)
REDUCTION = MicroCell.from_integers([1, 1, 1, 0, 0, 4, 2, 1])
ARCHITECTURE = MicroArchitecture(NORMAL, REDUCTION)


def operand(tensor, operation=0):
    return MicroOperand(tensor, MicroOperation(operation))


def node_json(*operands):
    return [{"input": tensor, "operation": operation} for tensor, operation in operands]


def cells_json(*nodes):
    cell = {"nodes": list(nodes)}
    return {"normal": cell, "reduction": cell}


def test_operations_have_the_numbers_of_the_release():
    assert [operation.label for operation in MicroOperation] == [
        "separable_convolution_3x3",
        "separable_convolution_5x5",
        "average_pooling_3x3",
        "max_pooling_3x3",
        "identity",
        # These two are no longer the release's.
        "dilated_convolution_3x3",
        "dilated_convolution_5x5",
    ]


def test_properties_of_operations():
    assert [operation.kernel_size for operation in MicroOperation] == [3, 5, 3, 3, 1, 3, 5]
    assert [operation.dilation for operation in MicroOperation] == [1, 1, 1, 1, 1, 2, 2]
    assert [int(o) for o in MicroOperation if o.is_pooling] == [2, 3]
    assert [int(o) for o in MicroOperation if o.is_separable] == [0, 1]


def test_release_string_both_ways():
    assert MicroArchitecture.from_release_string(TEXT) == ARCHITECTURE
    assert ARCHITECTURE.to_release_string() == TEXT


@pytest.mark.parametrize("separator", [" | ", ", ", "\n", "\t "])
def test_bars_commas_and_blanks_separate(separator):
    assert MicroArchitecture.from_release_string(separator.join(TEXT.split())) == ARCHITECTURE


def test_five_nodes_are_40_integers():
    assert MicroArchitecture.from_release_string("0 " * 40).num_nodes == 5


def test_integers_of_a_cell_are_inputs_and_operations_in_turn():
    assert NORMAL.to_integers() == [0, 0, 1, 2, 2, 4, 0, 3]


def test_json_speaks_in_words():
    assert ARCHITECTURE.to_json()["normal"]["nodes"][1] == [
        {"input": 2, "operation": "identity"},
        {"input": 0, "operation": "max_pooling_3x3"},
    ]


def test_lists_become_tuples():
    node = MicroNode([operand(0), operand(1)])
    assert hash(MicroCell([node])) == hash(MicroCell((MicroNode((operand(0), operand(1))),)))


def test_loose_ends_are_what_no_node_reads():
    assert NORMAL.loose_ends == (3,)
    assert REDUCTION.loose_ends == (3,)


def test_an_input_that_no_node_reads_is_a_loose_end():
    assert MicroCell.from_integers([0, 0, 0, 0]).loose_ends == (1, 2)


def test_the_last_node_is_a_loose_end_always():
    assert MicroCell.from_integers([0, 0, 1, 0, 2, 0, 2, 0, 3, 0, 3, 0]).loose_ends == (4,)


def test_canonical_form_orders_the_operands():
    cell = MicroCell.from_integers([1, 0, 0, 4, 2, 3, 2, 1])
    assert cell.canonical().to_integers() == [0, 4, 1, 0, 2, 1, 2, 3]


def test_both_orders_of_operands_have_the_same_canonical_form():
    swapped = MicroCell(tuple(MicroNode(node.operands[::-1]) for node in NORMAL.nodes))
    other = MicroArchitecture(swapped, REDUCTION)
    assert other != ARCHITECTURE
    assert other.canonical() == ARCHITECTURE.canonical()


def test_the_canonical_form_keeps_nodes_and_cells_apart():
    other = MicroArchitecture(REDUCTION, NORMAL)
    assert other.canonical() != ARCHITECTURE.canonical()


def test_the_canonical_form_is_its_own():
    assert ARCHITECTURE.canonical().canonical() == ARCHITECTURE.canonical()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("0 1.5", "must be integers"),
        ("0 0 0 0", "of n nodes has 8 n integers.*Received: 4 integers"),
        ("0 " * 41, "Received: 41 integers"),
        ("2 0 0 0 0 0 0 0", "Normal cell: Node 0: `input` must be.* 0 to 1 .*Received: 2"),
        ("0 0 -1 0 0 0 0 0", "Normal cell: Node 0: `input`.*Received: -1"),
        ("0 0 0 0 3 0 0 0 " + "0 " * 8, "Normal cell: Node 1: `input` .* 0 to 2 .*Received: 3"),
        ("0 0 0 0 0 0 2 0", "Reduction cell: Node 0: `input`"),
        ("0 7 0 0 0 0 0 0", "Normal cell: Node 0: An operation must be an integer from 0 to 6"),
        ("0 0 0 0 0 0 0 -1", "Reduction cell: Node 0: An operation"),
    ],
)
def test_a_bad_release_string_is_refused(text, message):
    with pytest.raises(ArchitectureError, match=message):
        MicroArchitecture.from_release_string(text)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ({}, "with the keys normal and reduction"),
        ({"layers": []}, "Received keys: .'layers'."),
        ({"normal": [], "reduction": []}, "Normal cell: A cell must be an object with a list"),
        (cells_json(), "Normal cell: A cell must have at least one node"),
        (cells_json("identity"), "Normal cell: Node 0: expected a list of two objects"),
        (cells_json([{"input": 0}]), "Node 0: expected a list of two objects"),
        (cells_json(node_json((0, "identity"))), "Node 0: expected 2 operands. Received: 1"),
        (cells_json(node_json((0, "pool"), (0, "identity"))), "Unknown operation 'pool'"),
        (cells_json(node_json((0, 4), (0, "identity"))), "Unknown operation 4"),
        (cells_json(node_json((2, "identity"), (0, "identity"))), "0 to 1 .*Received: 2"),
        (cells_json(node_json(("0", "identity"), (0, "identity"))), "Received: '0'"),
        (cells_json(node_json((True, "identity"), (0, "identity"))), "Received: True"),
        (cells_json(node_json((0.0, "identity"), (0, "identity"))), "Received: 0.0"),
    ],
)
def test_bad_json_is_refused(value, message):
    with pytest.raises(ArchitectureError, match=message):
        MicroArchitecture.from_json(value)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ((), "at least one node"),
        (("node",), "Node 0: expected a MicroNode"),
        ((MicroNode((operand(0),)),), "Node 0: expected 2 operands"),
        ((MicroNode((0, 1)),), "Node 0: expected a MicroOperand"),
        ((MicroNode((MicroOperand(0, 3), operand(0))),), "must be a MicroOperation"),
    ],
)
def test_a_cell_is_made_of_typed_parts(nodes, message):
    with pytest.raises(ArchitectureError, match=message):
        MicroCell(nodes)


def test_an_architecture_is_made_of_cells():
    with pytest.raises(ArchitectureError, match="`reduction` must be a MicroCell"):
        MicroArchitecture(NORMAL, "reduction")


def test_both_cells_have_the_same_number_of_nodes():
    with pytest.raises(ArchitectureError, match="same number of nodes"):
        MicroArchitecture(NORMAL, MicroCell(REDUCTION.nodes[:1]))
