"""Of one machine, and with a stand-in for two; real ones are in `training/agreement_test.py`."""

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import NumericalError
from enas_tf.searching.strategies import build_strategy
from enas_tf.searching.strategies.of_chief import ChiefsStrategy
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.space import RnnSpace
from enas_tf.training.machines.agreement import Machines
from tests.searching.made_up_data import CONFIG, SPACE

SPACES = [
    SPACE,
    MacroSpace(num_layers=1, search_whole_channels=True),
    MacroSpace(num_layers=3, filters=4, search_whole_channels=False),
    MicroSpace(num_nodes=3),
    RnnSpace(num_nodes=3),
]


@pytest.fixture
def alone():
    return Machines(tf.distribute.get_strategy())


class Wire:
    """Two machines, one after the other: the second one hears what the first one, the chief, said.

    Args:
      is_chief: which of them this is.
      said: what the chief said; filled by it.
    """

    are_several = True

    def __init__(self, is_chief, said):
        self.is_chief = is_chief
        self._said = said

    def of_chief(self, arrays):
        arrays = [np.array(array) for array in arrays]
        if self.is_chief:
            self._said.append(arrays)
            return arrays
        expected = self._said.pop(0)
        assert [array.shape for array in arrays] == [array.shape for array in expected]
        assert [array.dtype for array in arrays] == [array.dtype for array in expected]
        return expected

    def decide(self, function):
        if self.is_chief:
            self._said.append(function())
            return self._said[-1]
        return self._said.pop(0)


def told(space, call, name="random"):
    """Returns what a call gives on the chief and on another machine, which has another seed."""
    said = []
    answers = []
    for is_chief in (True, False):
        strategy = build_strategy(name, space, CONFIG.replace(seed=3 + (not is_chief)))
        answers.append(call(ChiefsStrategy(strategy, Wire(is_chief, said))))
    assert said == []
    return answers


@pytest.mark.parametrize("space", SPACES, ids=lambda space: f"{space.name}_{space.to_json()}"[:40])
@pytest.mark.parametrize("method", ["propose", "candidates"])
def test_other_machines_hear_what_the_chief_proposes(space, method):
    chief, other = told(space, lambda strategy: getattr(strategy, method)(3))
    assert chief == other
    assert len(chief) == 3
    assert [type(one) for one in chief] == [type(one) for one in other]


def test_other_machines_hear_of_the_chiefs_favourite():
    def favourite(strategy):
        strategy.observe(
            [SPACE.random_architecture(number) for number in range(3)], [0.1, 0.9, 0.2]
        )
        return strategy.most_likely()

    assert told(SPACE, favourite, "evolution") == [SPACE.random_architecture(1)] * 2
    assert told(SPACE, lambda strategy: strategy.most_likely()) == [None, None]


@pytest.mark.parametrize("name", ["random", "evolution"])
def test_on_one_machine_it_is_the_strategy_itself(alone, name):
    plain = build_strategy(name, SPACE, CONFIG)
    wrapped = ChiefsStrategy(build_strategy(name, SPACE, CONFIG), alone)
    histories = []
    for strategy in (plain, wrapped):
        first = strategy.propose(4)
        metrics = strategy.observe(first, [0.4, 0.3, 0.2, 0.1])
        strategy.skip_proposal()
        second = strategy.propose(2)
        histories.append((first, metrics, second, strategy.candidates(3), strategy.most_likely()))
    assert histories[0] == histories[1]


def test_errors_of_the_strategy_are_raised(alone):
    strategy = ChiefsStrategy(build_strategy("random", SPACE, CONFIG), alone)
    with pytest.raises(NumericalError, match="not finite"):
        strategy.observe(strategy.propose(1), [float("nan")])
