import logging
import math
import types

import numpy as np
import pytest

from enas_tf.errors import NumericalError
from enas_tf.searching import ranking as ranking_module
from enas_tf.searching.final_costs import FinalCosts
from enas_tf.searching.ranking import derive
from enas_tf.searching.score_errors import binomial_error
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.searching.strategies.random_search import RandomSearch
from enas_tf.settings.search import DeriveConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from tests.searching.made_up_data import CONFIG, SPACE, load_without_test_set, write_npz


class Parts:
    """What deriving takes, with weights after a few training steps."""

    def __init__(self, data):
        self.data = data
        self.streams = data.search_streams(batch_size=8, reward_batch_size=7, seed=3)
        self.weights = SharedWeights(SPACE, CONFIG, self.streams.steps_per_epoch)
        self.strategy = RandomSearch(SPACE, CONFIG)
        for step, batch in enumerate(self.streams.training(0).take(8)):
            self.weights.train(batch, SPACE.encode([SPACE.random_architecture(step)]), step)

    def derive(self, strategy=None, **settings):
        config = CONFIG.replace(derive=DeriveConfig(**{"num_candidates": 4, **settings}))
        return derive(
            SPACE,
            self.data,
            config,
            weights=self.weights,
            strategy=strategy or self.strategy,
            streams=self.streams,
            costs=FinalCosts(SPACE, SPACE.network_config()),
        )

    def values(self):
        variables = [*self.weights.supernet.variables, *self.strategy.variables]
        return [variable.numpy() for variable in variables]


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "halves.npz"
    write_npz(path)
    return Parts(load_without_test_set(path))


@pytest.mark.parametrize("scoring", ["validation_set", "minibatch"])
@pytest.mark.parametrize("statistics", ["batch", "refitted", "moving"])
def test_candidates_are_ranked_and_nothing_is_changed(parts, scoring, statistics):
    before = parts.values()
    candidates = parts.derive(scoring=scoring, statistics=statistics)
    scores = [candidate.score for candidate in candidates]
    assert scores == sorted(scores, reverse=True)
    # A score is a number of right answers among 20 examples, or among 7.
    answers = np.array(scores) * (20 if scoring == "validation_set" else 7)
    np.testing.assert_allclose(answers, np.rint(answers), atol=1e-4)
    assert {c.score_kind for c in candidates} == {"shared_weights_validation_accuracy"}
    for value, expected in zip(parts.values(), before, strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_scores_are_those_of_the_validation_part(parts, statistics):
    for candidate in parts.derive(statistics=statistics):
        expected = parts.weights.validation_score(
            parts.streams.validation(),
            candidate.architecture,
            use_batch_statistics=statistics == "batch",
        )
        assert candidate.score == candidate.shared_weights_score == expected


def test_refitted_scores_do_not_depend_on_what_was_scored_before(parts):
    once = parts.derive(statistics="refitted")
    assert parts.derive(statistics="refitted") == once


def strategy_of(favoured, others):
    return types.SimpleNamespace(
        most_likely=lambda: favoured, candidates=lambda count: others[:count]
    )


def test_the_favoured_architecture_is_a_candidate_and_none_counts_twice(parts):
    first, second, third = map(MacroArchitecture.from_release_string, ("0 1 0", "2 1 1", "1 1 0"))
    strategy = strategy_of(first, [second, first, second, third])
    candidates = parts.derive(strategy, num_candidates=4)
    assert {c.architecture for c in candidates} == {first, second, third}
    assert len(candidates) == 3


def test_there_are_no_more_candidates_than_asked_for(parts):
    assert len(parts.derive(num_candidates=2)) == 2


def retrain_by(monkeypatch, short_retraining):
    monkeypatch.setattr(ranking_module, "short_score", short_retraining)


def test_finalists_are_ranked_by_their_own_networks(parts, monkeypatch):
    scores = iter([0.1, 0.3, 0.2])
    trained = []

    def short_retraining(space, architecture, data, config, distribution):
        assert space == SPACE
        assert config.derive.finalist_epochs == 2
        assert distribution is parts.weights.distribution
        trained.append(architecture)
        return next(scores), "short_retraining_validation_score"

    retrain_by(monkeypatch, short_retraining)
    candidates = parts.derive(finalists=3, finalist_epochs=2)
    ranking = [candidate.architecture for candidate in parts.derive()]
    assert trained == ranking[:3]
    assert [c.architecture for c in candidates] == [ranking[i] for i in (1, 2, 0, 3)]
    assert [c.score for c in candidates[:3]] == [0.3, 0.2, 0.1]
    kinds = [candidate.score_kind for candidate in candidates]
    assert kinds == 3 * ["short_retraining_validation_score"] + [
        "shared_weights_validation_accuracy"
    ]
    assert candidates[0].shared_weights_score == parts.derive()[1].score


def test_finalists_that_cannot_be_trained_stand_behind_the_others(parts, monkeypatch, caplog):
    outcomes = iter([NumericalError("The loss is nan."), 0.1, math.nan])

    def short_retraining(space, architecture, data, config, distribution):
        outcome = next(outcomes)
        if isinstance(outcome, NumericalError):
            raise outcome
        return outcome, "short_retraining_validation_score"

    ranking = parts.derive()
    retrain_by(monkeypatch, short_retraining)
    first, *rest = parts.derive(finalists=3)
    assert (first.architecture, first.score) == (ranking[1].architecture, 0.1)
    assert rest == [ranking[0], ranking[2], ranking[3]]
    messages = warnings_of(caplog)
    assert len(messages) == 2
    assert ranking[0].architecture.to_release_string() in messages[0]
    assert messages[0].endswith("The loss is nan.")
    assert ranking[2].architecture.to_release_string() in messages[1]


def warnings_of(caplog):
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


def score_by(monkeypatch, scores):
    """Lets the candidates have the given scores, one after the other."""
    given = iter(scores)
    monkeypatch.setattr(ranking_module, "_batches", lambda *arguments: [(next(given), 1.0)])


def test_candidates_without_a_finite_score_are_left_out(parts, monkeypatch, caplog):
    score_by(monkeypatch, [math.nan, 0.25, math.inf, 0.5])
    candidates = parts.derive(finalists=0)
    assert [candidate.score for candidate in candidates] == [0.5, 0.25]
    assert warnings_of(caplog) == ["2 of 4 candidates left out: their scores are not finite."]


def test_without_any_finite_score_there_is_an_error(parts, monkeypatch):
    score_by(monkeypatch, [math.nan, math.inf])
    with pytest.raises(NumericalError, match=r"every candidate \(2\) .* though the shared weights"):
        parts.derive(num_candidates=2)


def test_weights_that_are_not_finite_are_named_as_the_cause(parts, monkeypatch):
    score_by(monkeypatch, [math.nan])
    variable = parts.weights.supernet.trainable_variables[0]
    before = variable.numpy()
    variable.assign(np.full_like(before, np.nan))
    try:
        with pytest.raises(
            NumericalError, match=r"every candidate \(1\) .*are not finite any more"
        ):
            parts.derive(num_candidates=1)
    finally:
        variable.assign(before)


def test_a_finalist_is_retrained_without_the_test_set(parts):
    (candidate,) = parts.derive(num_candidates=1, finalists=1, finalist_epochs=1)
    assert candidate.score_kind == "short_retraining_validation_accuracy"
    assert 0.0 <= candidate.score <= 1.0


def test_candidates_tell_how_sure_their_scores_are_and_what_their_networks_cost(parts):
    candidates = parts.derive()
    first, last = candidates[0], candidates[-1]
    assert first.tied_with_first is True
    for one in candidates:
        # The validation part has 20 examples.
        assert one.standard_error == binomial_error(one.score, 20)
        assert one.costs == SPACE.costs(one.architecture, SPACE.network_config())
    error = math.hypot(first.standard_error, last.standard_error)
    assert last.tied_with_first == (first.score - last.score <= 2.0 * error)


def test_scores_of_another_kind_are_not_compared(parts, monkeypatch):
    retrain_by(monkeypatch, lambda *args: (0.5, "short_retraining_validation_accuracy"))
    ties = [one.tied_with_first for one in parts.derive(finalists=2)]
    assert ties == [True, True, None, None]
