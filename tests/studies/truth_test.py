import dataclasses

import numpy as np
import pytest

from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.searching.limits import Limits
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.studies.truth import Truth, read_truth, shipped_truths


def made_up_truth(space, *, lower_is_better=False, num_seeds=2):
    """A truth in which what stands later in the table is better."""
    architectures = space.every_architecture()
    count = len(architectures)
    rewards = np.linspace(0.5, 0.9, count)[:, None] + np.linspace(0, 1e-3, num_seeds)
    return Truth(
        space=space,
        dataset="digits",
        budget={"epochs": 1},
        metric="test_perplexity" if lower_is_better else "test_accuracy",
        lower_is_better=lower_is_better,
        architectures=architectures,
        rewards=rewards,
        tests=100 / rewards if lower_is_better else rewards - 0.1,
        parameters=np.arange(count),
        multiply_adds=np.arange(count) * 10,
    )


SPACE = MacroSpace(num_layers=2, num_operations=2, input_shape=(8, 8, 1), stem="cifar")


def test_regret_is_zero_for_the_best_alone():
    regrets = made_up_truth(SPACE).regrets
    assert np.flatnonzero(regrets == 0).tolist() == [len(regrets) - 1]


def test_regret_of_a_perplexity_counts_upwards():
    truth = made_up_truth(SPACE, lower_is_better=True)
    assert truth.regrets[-1] == 0
    assert np.all(truth.regrets[:-1] > 0)


@pytest.mark.parametrize(("row", "expected"), [(0, 1 / 16), (7, 15 / 16)])
def test_chance_to_beat_a_random_one_counts_ties_half(row, expected):
    truth = made_up_truth(SPACE)
    assert len(truth.architectures) == 8
    assert truth.probability_beats_random(row) == pytest.approx(expected)


def test_a_written_truth_is_read_as_it_was(tmp_path):
    truth = made_up_truth(SPACE)
    truth.write(tmp_path / "truth.json")
    read = read_truth(tmp_path / "truth.json")
    assert read.space == truth.space
    assert read.architectures == truth.architectures
    np.testing.assert_allclose(read.rewards, truth.rewards, atol=1e-5)
    np.testing.assert_array_equal(read.parameters, truth.parameters)


def test_an_architecture_is_found_in_every_form_of_it():
    space = MicroSpace(num_nodes=1, num_operations=2, input_shape=(8, 8, 1))
    truth = made_up_truth(space)
    forms = [
        MicroArchitecture.from_release_string(t) for t in ("0 0 1 1 0 0 0 0", "1 1 0 0 0 0 0 0")
    ]
    first, second = truth.rows(forms)
    assert first == second


def test_an_architecture_of_another_space_is_refused():
    other = MacroSpace(num_layers=3).random_architecture(0)
    with pytest.raises(ArchitectureError, match="no architecture"):
        made_up_truth(SPACE).rows([other])


def test_rows_must_fit_the_architectures():
    truth = made_up_truth(SPACE)
    with pytest.raises(ConfigurationError, match="8 rows"):
        dataclasses.replace(truth, parameters=np.arange(3))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format_version": 2}', '{"format_version": 1}'])
def test_a_file_without_a_truth_is_refused_in_words(tmp_path, text):
    (tmp_path / "truth.json").write_text(text)
    with pytest.raises(ConfigurationError, match="holds no truth"):
        read_truth(tmp_path / "truth.json")


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ConfigurationError, match="enas-study --exhaustive"):
        read_truth("no_such_truth")


@pytest.mark.parametrize("name", shipped_truths())
def test_a_shipped_truth_holds_its_whole_space(name):
    truth = read_truth(name)
    assert list(truth.architectures) == truth.space.every_architecture()
    assert truth.num_seeds >= 2


def test_within_limits_the_best_of_what_is_left_has_no_regret():
    truth = made_up_truth(SPACE)
    left = truth.within(Limits({"multiply_adds": 40}, truth.costs))
    assert left.architectures == truth.architectures[:5]
    np.testing.assert_array_equal(left.tests, truth.tests[:5])
    assert np.flatnonzero(left.regrets == 0).tolist() == [4]


def test_a_truth_of_one_architecture_is_none():
    truth = made_up_truth(SPACE)
    with pytest.raises(ConfigurationError, match="1 of the 8 architectures of the truth"):
        truth.within(Limits({"parameters": 0}, truth.costs))
