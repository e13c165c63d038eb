import itertools

import numpy as np
import pytest

from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture
from enas_tf.spaces.rnn.space import RnnSpace

TEXT = "0 2 1 0 1 3"


def space(**settings):
    return RnnSpace(**{"num_nodes": 3, "hidden_size": 8, "vocabulary_size": 20, **settings})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_nodes": 0}, "`num_nodes` must be at least 1"),
        ({"hidden_size": 0}, "`hidden_size` must be at least 1"),
        ({"vocabulary_size": 1}, "`vocabulary_size` must be at least 2"),
        ({"cell_output": "sum"}, "`cell_output` must be one of 'mean', 'loose_ends'"),
        ({"initial_range": 0.0}, "`initial_range` must be greater than 0"),
    ],
)
def test_bad_sizes_are_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        space(**settings)


def test_number_of_architectures_counts_the_different_ones():
    small = space(num_nodes=2)
    found = {small.random_architecture(seed) for seed in range(400)}
    choices = itertools.product([0], range(4), [0, 1], range(4))
    assert found == set(map(RnnArchitecture.from_integers, choices))
    assert len(found) == small.num_architectures


def test_number_of_architectures_of_the_paper():
    # Node n reads one of n earlier ones and has one of four functions.
    assert space(num_nodes=12).num_architectures == 479_001_600 * 4**12


def test_decisions_of_a_known_architecture():
    decisions = space().encode([RnnArchitecture.from_release_string(TEXT)])
    assert decisions.previous.tolist() == [[0, 1, 1]]
    assert decisions.functions.tolist() == [[2, 0, 3]]


def test_random_nodes_and_functions_are_uniform():
    large = space(num_nodes=5)
    generator = np.random.default_rng(0)
    decisions = large.encode([large.random_architecture(generator) for _ in range(1000)])
    for node in range(5):
        shares = np.bincount(decisions.previous[:, node], minlength=node + 1) / 1000
        np.testing.assert_allclose(shares, 1 / (node + 1), atol=0.05)
        shares = np.bincount(decisions.functions[:, node], minlength=4) / 1000
        np.testing.assert_allclose(shares, 1 / 4, atol=0.05)


def mutations(num_nodes, number=300):
    of_space = space(num_nodes=num_nodes)
    generator = np.random.default_rng(0)
    architecture = of_space.random_architecture(generator)
    mutated = [of_space.mutate(architecture, generator) for _ in range(number)]
    return of_space, architecture, mutated


@pytest.mark.parametrize("num_nodes", [1, 2, 6])
def test_a_mutation_changes_exactly_one_decision(num_nodes):
    of_space, architecture, mutated = mutations(num_nodes)
    (before,), after = (
        np.stack(of_space.encode(architectures), axis=1)
        for architectures in ([architecture], mutated)
    )
    assert set(np.sum(after != before, axis=(1, 2))) == {1}


def test_every_neighbour_is_reached():
    # Node 2 has one other node to read, node 3 two; three other functions for each of three nodes.
    assert len(set(mutations(3)[2])) == 1 + 2 + 3 * 3


def test_the_generator_decides_about_mutations():
    assert mutations(3)[2] == mutations(3)[2]


def test_an_architecture_of_another_size_is_refused():
    with pytest.raises(ArchitectureError, match=r"has 3 nodes.*have 4; set num_nodes=3"):
        space(num_nodes=4).check(RnnArchitecture.from_release_string(TEXT))


def test_the_baseline_cannot_be_searched():
    with pytest.raises(ArchitectureError, match=r"baseline.*can only be retrained"):
        space().check(LstmBaseline())


def test_another_kind_of_architecture_is_refused():
    with pytest.raises(ArchitectureError, match=r"Expected an RnnArchitecture\. Received: str"):
        space().check(TEXT)


def test_operation_counts_are_those_of_each_node():
    counts = space().operation_counts(
        [RnnArchitecture.from_release_string(text) for text in (TEXT, "0 2 0 1 0 1")]
    )
    assert counts == {
        "tanh": [0, 1, 0],
        "relu": [0, 1, 1],
        "sigmoid": [2, 0, 0],
        "identity": [0, 0, 1],
    }


def test_benchmark_architectures_have_each_function_in_each_node_once():
    large = space(num_nodes=5)
    counts = large.operation_counts(large.benchmark_architectures())
    assert set(itertools.chain(*counts.values())) == {1}


def test_a_network_of_the_search_s_size_has_its_settings():
    config = space(cell_output="loose_ends", initial_range=0.1).network_config()
    assert (config.hidden_size, config.cell_output) == (8, "loose_ends")
    assert (config.initial_range, config.regularization) == (0.1, space().regularization)


def test_a_drawing_shows_what_the_cell_s_output_is():
    assert space(cell_output="loose_ends").drawing_options() == {"cell_output": "loose_ends"}


def test_json_round_trip():
    changed = space(cell_output="loose_ends").replace(
        regularization=space().regularization.replace(word_dropout=0.3),
        controller=space().controller.replace(distance_divisor=None),
    )
    assert RnnSpace.from_json(changed.to_json()) == changed
