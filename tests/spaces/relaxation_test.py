import numpy as np
import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.space import RnnSpace

MICRO = MicroSpace(num_nodes=3)
RNN = RnnSpace(num_nodes=4)
BOTH = pytest.mark.parametrize("space", [MICRO, RNN], ids=["micro", "rnn"])


@BOTH
def test_relaxed_architectures_are_distributions_over_what_is_permitted(space):
    mixture = space.relax([space.random_architecture(seed) for seed in range(5)])
    np.testing.assert_array_equal(mixture.weights.sum(axis=(-1, -2)), 1.0)
    assert not mixture.weights[:, ~space.permitted()].any()


@BOTH
def test_relaxing_and_discretising_gives_the_architecture_back(space):
    architectures = [space.random_architecture(seed) for seed in range(5)]
    assert space.discretise(space.relax(architectures)) == architectures


@BOTH
def test_what_is_not_permitted_is_never_read_off(space):
    weights = np.where(space.permitted(), 0.1, 1.0)[None]
    for rule in ("argmax", "edges"):
        for architecture in space.discretise(space.mixture_type(weights), rule):
            space.check(architecture)


def test_strongest_edges_come_from_different_tensors():
    weights = np.zeros((1, *MICRO.permitted().shape), np.float32)
    # Both operands of the last node prefer tensor 2, the second one less than the first.
    weights[0, :, :, 0, 0, 0] = weights[0, :, :, 1, 1, 1] = 1.0
    weights[0, :, 2, 0] = weights[0, :, 2, 1] = 0.0
    weights[0, :, 2, 0, 2, 4], weights[0, :, 2, 0, 0, 1] = 0.9, 0.1
    weights[0, :, 2, 1, 2, 3], weights[0, :, 2, 1, 3, 0] = 0.6, 0.4
    mixture = MICRO.mixture_type(weights)
    first, second = MICRO.discretise(mixture, "edges")[0].normal.nodes[2].operands
    assert (first.input, first.operation) == (2, 4)
    assert (second.input, second.operation) == (3, 0)
    operands = MICRO.discretise(mixture, "argmax")[0].normal.nodes[2].operands
    assert [operand.input for operand in operands] == [2, 2]


def test_an_unknown_rule_is_refused():
    with pytest.raises(ConfigurationError, match="rule"):
        RNN.discretise(RNN.relax([RNN.random_architecture(0)]), "loudest")


@BOTH
def test_an_architecture_has_all_the_strength_of_its_own_mixture(space):
    architecture = space.random_architecture(3)
    mixture = space.mixture_type(space.relax([architecture]).weights[0])
    np.testing.assert_array_equal(space.strengths(mixture, architecture), 1.0)


@BOTH
def test_marginals_of_an_architecture_count_its_operations(space):
    architecture = space.random_architecture(3)
    mixture = space.mixture_type(space.relax([architecture]).weights[0])
    operations, inputs = space.marginals(mixture)
    assert operations == space.operation_counts([architecture])
    np.testing.assert_array_equal(np.sum(list(inputs.values()), axis=0), 1.0)
