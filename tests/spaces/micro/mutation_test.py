"""Tests of `MicroSpace.mutate`."""

import numpy as np
import pytest

from enas_tf.spaces.micro.space import MicroSpace


def build(num_nodes=2, num_operations=3):
    return MicroSpace(num_layers=1, filters=4, num_nodes=num_nodes, num_operations=num_operations)


def mutations(space, number=400):
    generator = np.random.default_rng(0)
    architecture = space.random_architecture(generator)
    return architecture, [space.mutate(architecture, generator) for _ in range(number)]


def changes(space, one, other):
    """Returns how many inputs and how many operations differ."""
    before, after = space.encode([one]), space.encode([other])
    return tuple(int(np.sum(a != b)) for a, b in zip(before, after))


@pytest.mark.parametrize("num_nodes", [1, 2, 5])
def test_a_mutation_changes_one_input_or_one_operation(num_nodes):
    space = build(num_nodes)
    architecture, mutated = mutations(space)
    assert {changes(space, architecture, other) for other in mutated} == {(0, 1), (1, 0)}


def test_every_neighbour_is_reached():
    # In each cell: node 0 has one other input, node 1 two, for either operand; two other
    # operations for each of four operands.
    assert len(set(mutations(build())[1])) == 2 * (2 * 1 + 2 * 2 + 4 * 2)


def test_the_generator_decides():
    assert mutations(build())[1] == mutations(build())[1]


def test_without_other_operations_an_input_changes():
    space = build(num_operations=1)
    architecture, mutated = mutations(space)
    assert {changes(space, architecture, other) for other in mutated} == {(1, 0)}
