import json

import pytest

from enas_tf.errors import ArchitectureError
from enas_tf.spaces.rnn.architecture import (
    LstmBaseline,
    RnnArchitecture,
    RnnFunction,
    RnnNode,
    rnn_architecture_from_json,
)

TEXT = "0 2 1 0 1 3"
ARCHITECTURE = RnnArchitecture(
    (
        RnnNode(0, RnnFunction.SIGMOID),
        RnnNode(1, RnnFunction.TANH),
        RnnNode(1, RnnFunction.IDENTITY),
    )
)


def cell_json(*nodes):
    return {"nodes": [{"previous": previous, "function": name} for previous, name in nodes]}


def test_functions_have_the_numbers_of_the_release():
    labels = [function.label for function in RnnFunction]
    assert labels == ["tanh", "relu", "sigmoid", "identity"]


def test_release_string_both_ways():
    assert RnnArchitecture.from_release_string(TEXT) == ARCHITECTURE
    assert ARCHITECTURE.to_release_string() == TEXT


@pytest.mark.parametrize("separator", [" | ", ", ", "\n", "\t "])
def test_bars_commas_and_blanks_separate(separator):
    assert RnnArchitecture.from_release_string(separator.join(TEXT.split())) == ARCHITECTURE


def test_two_integers_are_a_node():
    assert RnnArchitecture.from_release_string("0 " * 16).num_nodes == 8


def test_json_speaks_in_words():
    assert ARCHITECTURE.to_json() == cell_json((0, "sigmoid"), (1, "tanh"), (1, "identity"))


def test_lists_become_tuples():
    assert hash(RnnArchitecture(list(ARCHITECTURE.nodes))) == hash(ARCHITECTURE)


def test_loose_ends_are_the_nodes_that_no_node_reads():
    assert ARCHITECTURE.loose_ends == (2, 3)


def test_the_last_node_is_a_loose_end_always():
    assert RnnArchitecture.from_release_string("0 0 1 0 2 0").loose_ends == (3,)


def test_the_node_of_the_input_is_no_loose_end():
    assert RnnArchitecture.from_release_string("0 0 0 0").loose_ends == (1, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("0 x", "must be integers"),
        ("0 1 0", "two integers for each node.*Received: 3 integers"),
        ("1 0", "Node 1: `previous` must be.* from 0 to 0.*Received: 1"),
        ("0 0 2 0", "Node 2: `previous` must be.* from 0 to 1.*Received: 2"),
        ("0 0 -1 0", "Node 2: `previous`.*Received: -1"),
        ("0 0 1 4", "Node 2: An operation must be an integer from 0 to 3"),
        ("0 -1", "Node 1: An operation must be"),
    ],
)
def test_a_bad_release_string_is_refused(text, message):
    with pytest.raises(ArchitectureError, match=message):
        RnnArchitecture.from_release_string(text)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ({}, "with a list `nodes`"),
        ({"nodes": 3}, "with a list `nodes`"),
        (cell_json(), "at least one node"),
        ({"nodes": ["tanh"]}, "Node 1: expected an object with the keys previous and function"),
        ({"nodes": [{"previous": 0}]}, "Node 1: expected an object with the keys"),
        (cell_json((0, "tanh"), (0, "gelu")), "Node 2: Unknown operation 'gelu'. Known: tanh"),
        (cell_json((0, 1)), "Node 1: Unknown operation 1"),
        (cell_json((1, "tanh")), "Node 1: `previous`.*Received: 1"),
        (cell_json(("0", "tanh")), "Node 1: `previous`.*Received: '0'"),
        (cell_json((False, "tanh")), "Node 1: `previous`.*Received: False"),
        (cell_json((0.0, "tanh")), "Node 1: `previous`.*Received: 0.0"),
    ],
)
def test_bad_json_is_refused(value, message):
    with pytest.raises(ArchitectureError, match=message):
        RnnArchitecture.from_json(value)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ((), "at least one node"),
        (("node",), "Node 1: expected an RnnNode"),
        ((RnnNode(0, 3),), "Node 1: `function` must be an RnnFunction"),
        ((RnnNode(0, RnnFunction.TANH), RnnNode(2, RnnFunction.TANH)), "Node 2: `previous`"),
    ],
)
def test_a_cell_is_made_of_typed_nodes(nodes, message):
    with pytest.raises(ArchitectureError, match=message):
        RnnArchitecture(nodes)


@pytest.mark.parametrize("architecture", [ARCHITECTURE, LstmBaseline()])
def test_json_tells_cells_and_the_baseline_apart(architecture):
    assert rnn_architecture_from_json(json.dumps(architecture.to_json())) == architecture


def test_the_baseline_has_a_name_instead_of_integers():
    assert LstmBaseline().to_release_string() == "lstm"
    assert len({LstmBaseline(), LstmBaseline()}) == 1


@pytest.mark.parametrize("value", [{"baseline": "gru"}, {"baseline": "lstm", "nodes": []}])
def test_another_baseline_is_refused(value):
    with pytest.raises(ArchitectureError, match=r'must be \{"baseline": "lstm"\}'):
        rnn_architecture_from_json(value)
