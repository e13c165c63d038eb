"""Tests of `MacroSpace.mutate`."""

import numpy as np
import pytest

from enas_tf.spaces.macro.space import MacroSpace

FORMS = pytest.mark.parametrize("whole", [True, False], ids=["whole", "channels"])


def build(whole=True, num_layers=3, num_operations=3):
    return MacroSpace(
        num_layers=num_layers,
        filters=4,
        num_operations=num_operations,
        search_whole_channels=whole,
    )


def mutations(space, number=200):
    generator = np.random.default_rng(0)
    architecture = space.random_architecture(generator)
    return architecture, [space.mutate(architecture, generator) for _ in range(number)]


def changes(one, other):
    """Returns whether each layer's operation, and each single skip, differs."""
    operations, skips = 0, 0
    for before, after in zip(one.layers, other.layers):
        if hasattr(before, "branches"):
            operations += sum(a != b for a, b in zip(before.branches, after.branches))
        else:
            operations += before.operation != after.operation
        skips += len(set(before.skip_connections) ^ set(after.skip_connections))
    return operations, skips


@FORMS
def test_a_mutation_changes_one_decision(whole):
    architecture, mutated = mutations(build(whole))
    assert {changes(architecture, other) for other in mutated} == {(0, 1), (1, 0)}


def test_every_neighbour_is_reached():
    # Two other operations at each of three layers, and three skips.
    assert len(set(mutations(build())[1])) == 3 * 2 + 3


@FORMS
def test_the_generator_decides(whole):
    assert mutations(build(whole))[1] == mutations(build(whole))[1]


def test_without_skips_the_operation_changes():
    architecture, mutated = mutations(build(num_layers=1))
    assert {changes(architecture, other) for other in mutated} == {(1, 0)}


def test_without_other_operations_a_skip_changes():
    architecture, mutated = mutations(build(num_operations=1))
    assert {changes(architecture, other) for other in mutated} == {(0, 1)}


def test_the_only_architecture_of_a_space_stays():
    architecture, mutated = mutations(build(num_layers=1, num_operations=1), number=1)
    assert mutated == [architecture]
