"""What the words say, and what they do not."""

import pytest

from enas_tf.studies.document import study_document
from enas_tf.studies.outcomes import SharedWeightsScores
from enas_tf.studies.summary import study_summary
from tests.studies.example_outcomes import found, outcome, realistic_outcome, trained


def summary(**changes):
    return study_summary(study_document(outcome(**changes)))


@pytest.fixture(scope="module")
def few():
    return summary()


def test_how_many_searches_did_better(few):
    assert "2 of 2 searches by reinforce found networks better than the mean of 4 random" in few
    assert "in 81 % of pairs (38 to 100 %)" in few


def test_few_searches_are_weak_evidence(few):
    assert "This does not tell reinforce from random sampling (p = 0.35)." in few
    assert "2 searches are weak evidence" in few
    assert "each of them decides 50 % of the mean" in few


def test_few_random_ones_are_weak_evidence(few):
    assert "Only 4 random architectures were trained" in few


def test_without_random_ones_of_such_sizes_nothing_is_said(few):
    assert "Nothing can be said at equal size" in few


def test_the_trivial_ranking_and_the_ceiling(few):
    assert "τ 0.67 (\N{MINUS SIGN}1.00 to 1.00), no better than the number of parameters" in few
    assert "a second training ranks them with τ 1.00, the ceiling." in few
    assert "The τ of shared weights is not told apart from zero." in few


def test_one_search_says_nothing_of_others():
    text = summary(methods={"evolution": (found(0, trained(10, (0.6,))),)})
    assert "The one search by evolution found a network no better than the mean" in text
    assert "One search says nothing of what the next one would find." in text


def test_what_many_searches_allow_one_to_say():
    text = study_summary(study_document(realistic_outcome(5, 16)))
    assert "5 of 5 searches by reinforce" in text
    assert "That reinforce is better than random sampling is unlikely to be chance" in text
    assert "At equal numbers of parameters it remains better" in text
    assert "weak evidence" not in text


def test_a_search_that_is_worse():
    bad = tuple(found(i, trained(10 + i, (0.1 + 0.01 * i,))) for i in range(6))
    random = tuple(trained(i, (0.5 + 0.01 * i,)) for i in range(10))
    text = summary(methods={"frozen": bad}, random=random)
    assert "0 of 6 searches by frozen" in text
    assert "That frozen is worse than random sampling is unlikely to be chance" in text


def test_merit_that_is_size():
    sizes = [1000 * 2**i for i in range(9)]
    random = tuple(trained(i, (0.5 + 0.05 * i,), size) for i, size in enumerate(sizes))
    searches = tuple(
        found(i, trained(20 + i, (0.89 + 0.01 * (i % 2),), sizes[8])) for i in range(6)
    )
    text = summary(methods={"reinforce": searches}, random=random)
    assert "That reinforce is better than random sampling is unlikely to be chance" in text
    assert "At equal numbers of parameters it remains better" not in text


def test_a_lower_perplexity_is_better():
    random = tuple(trained(i, (100.0 + i,)) for i in range(4))
    methods = {"reinforce": (found(0, trained(10, (90.0,))),)}
    assert "found a network better" in summary(lower_is_better=True, random=random, methods=methods)


def test_no_ranking():
    assert "How well shared weights rank was not measured." in summary(shared_weights=())


def test_scores_that_rank_better_than_size():
    ranked = tuple(trained(i, (0.1 * i,), 1000 - i) for i in range(6))
    scores = SharedWeightsScores("reinforce", 0, tuple(range(6)))
    text = summary(ranked=ranked, shared_weights=(scores,))
    assert "τ 1.00 (1.00 to 1.00), better than the number of parameters alone" in text


def test_no_random_ones():
    text = summary(random=(), ranked=(), shared_weights=())
    assert "Nothing is known of reinforce beside random sampling" in text
