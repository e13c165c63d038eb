import pytest
import tensorflow as tf

from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.supernet import Supernet


@pytest.fixture(scope="module")
def supernet():
    space = MacroSpace(num_layers=1, filters=2, input_shape=(2, 2, 1), num_classes=2)
    return Supernet(space, seed=0, name="supernet")


def test_decisions_of_an_architecture_have_no_batch_axis(supernet):
    decisions = supernet.decisions_of(MacroArchitecture.from_release_string("3"))
    assert decisions.operations.numpy().tolist() == [3]


def test_decisions_stay_as_they_are(supernet):
    decisions = supernet.decisions_of(MacroArchitecture.from_release_string("3"))
    assert supernet.decisions_of(decisions) is decisions


def test_without_batch_normalisation_there_are_no_statistics(supernet):
    assert supernet.normalization_banks() == {}
    statistics = supernet.batch_statistics((tf.zeros([1]), tf.zeros([1])), None)
    assert statistics == ()
    supernet.update_statistics(statistics)
    assert supernet.variables == [supernet.dropout_seeds.state]


def test_without_recurrence_there_is_no_state(supernet):
    assert supernet.initial_state(8) == ()


def test_nothing_is_logged_but_the_score(supernet):
    assert supernet.score_metrics(0.5) == {}
