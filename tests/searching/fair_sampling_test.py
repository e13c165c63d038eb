import numpy as np
import pytest

from enas_tf.searching.fair_sampling import fair_sample
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.space import RnnSpace

SPACES = [MacroSpace(num_layers=3), MicroSpace(num_nodes=2), RnnSpace(num_nodes=3)]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_every_option_of_a_decision_is_equally_frequent(space):
    # A multiple of all numbers of options.
    batch = fair_sample(space, 60, seed=1)
    for field, options in zip(batch.decisions, space.decision_options()):
        for column, number in zip(field.reshape(60, -1).T, np.ravel(options)):
            assert np.bincount(column, minlength=number).tolist() == [60 // number] * number


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_they_are_architectures_of_the_space_as_the_seed_says(space):
    batch = fair_sample(space, 7, seed=1)
    for architecture in batch:
        space.check(architecture)
    assert list(batch) == list(fair_sample(space, 7, seed=1))
    assert list(batch) != list(fair_sample(space, 7, seed=2))


def test_as_many_steps_as_options_have_all_of_them():
    operations = fair_sample(SPACES[0], 12, seed=0).decisions.operations
    for rows in (operations[:6], operations[6:]):
        assert np.sort(rows, axis=0).tolist() == [[n] * 3 for n in range(6)]


def test_decisions_that_depend_on_each_other_are_uniform():
    space = MacroSpace(num_layers=2, search_whole_channels=False)
    generator = np.random.default_rng(0)
    expected = [space.random_architecture(generator) for _ in range(3)]
    assert list(fair_sample(space, 3, seed=0)) == expected
