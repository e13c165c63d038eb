import logging
import math

import pytest

from enas_tf.searching.collapse import MIN_ARCHITECTURES, CollapseMonitor, operation_spread
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.space import MacroSpace

SPACE = MacroSpace(num_layers=2, filters=4, input_shape=(8, 8, 1), num_classes=2)
CONFIG = SearchConfig(collapse_level=0.1, policy=PolicyConfig(updates_per_epoch=2))
LOW, HIGH = 0.01, 0.5


class Report:
    """Keeps what is written."""

    def __init__(self):
        self.values = []
        self.warnings = []

    def explored(self, phase, name, value, step, warning=None):
        self.values.append((phase, name, pytest.approx(value), step))
        if warning is not None:
            self.warnings.append((name, step, warning))


class Search:
    """A monitor that is told of made-up epochs."""

    def __init__(self, space=SPACE, **changes):
        self.report = Report()
        self.monitor = CollapseMonitor(space, CONFIG.replace(**changes), self.report)
        self.space = space

    def update(self, epoch, *shares, first=1):
        """Passes on updates whose entropies are the given shares of the largest."""
        for update, share in enumerate(shares, first):
            self.monitor.updated({"entropy": share * self.space.largest_entropy}, epoch, update)

    def warned(self):
        """Returns the steps of the warnings."""
        return [step for _, step, _ in self.report.warnings]


def of_operations(*operations):
    return [MacroArchitecture.from_release_string(f"{o} {o} 0") for o in operations]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"a": [4], "b": [4]}, 1.0),
        ({"a": [4], "b": [0]}, 0.0),
        # The mean over two places, of which one has a single operation.
        ({"a": [4, 8], "b": [4, 0]}, 0.5),
        ({"a": [1], "b": [1], "c": [0], "d": [0]}, math.log(2) / math.log(4)),
        ({"a": [4]}, None),
    ],
)
def test_spread_of_operations(counts, expected):
    assert operation_spread(counts) == (expected and pytest.approx(expected))


def test_the_mean_of_an_epoch_is_judged():
    search = Search()
    search.update(1, LOW, HIGH)
    assert search.warned() == []
    search.update(2, LOW, 0.15, first=3)
    assert search.warned() == [4]


def test_the_share_of_every_update_is_written():
    search = Search(collapse_level=0.0)
    search.update(1, LOW, HIGH)
    assert search.report.values == [
        ("controller", "controller/entropy_share", LOW, 1),
        ("controller", "controller/entropy_share", HIGH, 2),
    ]
    assert search.warned() == []


def test_a_warning_comes_once_until_the_value_has_recovered():
    search = Search()
    for epoch, share in enumerate([LOW, LOW, HIGH, LOW], 1):
        search.update(epoch, share, share, first=2 * epoch - 1)
    assert search.warned() == [2, 8]


def test_an_epoch_of_which_only_the_end_was_seen_is_not_judged():
    search = Search()
    search.update(1, LOW, first=2)
    search.update(2, LOW, first=3)
    assert search.warned() == []


def test_updates_without_an_entropy_are_not_watched():
    search = Search()
    search.monitor.updated({"reward": 0.5}, 1, 1)
    assert search.report.values == []


def test_a_space_without_choices_is_not_watched():
    search = Search(SPACE.replace(num_layers=1, num_operations=1))
    search.update(1, 0.0, 0.0)
    search.monitor.sampled([MacroArchitecture.from_release_string("0")] * 20, 1, 0)
    assert search.report.values == []


def test_equal_operations_everywhere_give_a_warning():
    search = Search()
    search.monitor.sampled(of_operations(*[3] * MIN_ARCHITECTURES), epoch=2, step=5)
    assert search.report.values == [("shared_weights", "sampled/spread", 0.0, 6)]
    assert search.warned() == [6]


def test_all_operations_equally_often_are_the_largest_spread():
    search = Search()
    search.monitor.sampled(of_operations(*[0, 1, 2, 3, 4, 5] * 2), epoch=1, step=0)
    assert search.report.values == [("shared_weights", "sampled/spread", 1.0, 1)]
    assert search.warned() == []


def test_too_few_architectures_give_no_warning():
    search = Search()
    search.monitor.sampled(of_operations(*[3] * (MIN_ARCHITECTURES - 1)), epoch=1, step=0)
    assert search.warned() == []


def test_the_warning_is_logged_and_says_what_to_do(caplog):
    search = Search()
    search.update(7, LOW, LOW)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("enas_tf.searching.collapse", logging.WARNING)
    ((name, _, warning),) = search.report.warnings
    assert name == "controller/entropy_share"
    assert record.getMessage() == warning
    assert warning.startswith("Epoch 7: the controller's entropy")
    assert "is 0.010, under collapse_level=0.1:" in warning
    assert "--controller_entropy_weight (now 0.0001)" in warning


@pytest.mark.parametrize(
    ("strategy", "advice"),
    [
        ("reinforce", "--controller_learning_rate (now 0.001)"),
        ("evolution", "Late in an evolution this is natural"),
        ("random", "another --seed"),
    ],
)
def test_every_strategy_has_its_advice(strategy, advice):
    search = Search(strategy=strategy)
    search.monitor.sampled(of_operations(*[0] * 20), epoch=1, step=0)
    assert advice in search.report.warnings[0][2]
