"""`study.json`: the contract's keys, numbers by hand, and what is refused."""

import copy
import dataclasses
import json

import pytest

from enas_tf.errors import RunDirectoryError
from enas_tf.studies.document import check_study, read_study, study_document
from tests.studies.example_outcomes import found, outcome, realistic_outcome, trained


@pytest.fixture(scope="module")
def document():
    return study_document(outcome())


@pytest.fixture(scope="module")
def searched(document):
    return document["methods"]["reinforce"]


@pytest.fixture
def damaged(document):
    return copy.deepcopy(document)


def test_the_keys_of_the_contract(document, searched):
    of_study = {"format_version", "space", "dataset", "budget", "methods", "ranking", "time"}
    assert of_study | {"lower_is_better"} <= document.keys()
    assert document["methods"].keys() == {"reinforce", "random_sampling"}
    of_method = {"searches", "mean", "std", "relative_improvement", "probability_beats_random"}
    of_search = {"seed", "release_string", "architecture", "score", "search_seconds", "parameters"}
    for method in document["methods"].values():
        assert of_method | {"interval"} <= method.keys()
        for search in method["searches"]:
            assert of_search | {"retrainings"} <= search.keys()
            assert {"seed", "validation", "test"} <= search["retrainings"][0].keys()
    names = ["shared_weights", "parameters", "multiply_adds", "retraining_again"]
    assert list(document["ranking"]) == names
    for name in names:
        assert list(document["ranking"][name]) == [
            "kendall_tau",
            "interval",
            "spearman",
            "sparse_kendall_tau",
            "precision_at_5",
            "num_architectures",
        ]
    times = {"search_seconds", "scoring_seconds", "retraining_seconds"}
    assert document["time"].keys() == searched["time"].keys() == times


def test_a_method(searched):
    assert searched["mean"] == pytest.approx(0.8)
    assert searched["std"] == pytest.approx(0.1 * 2**0.5)
    assert searched["relative_improvement"] == pytest.approx(100 * 0.15 / 0.65)
    assert searched["interval"] == pytest.approx([0.7, 0.9])


def test_random_sampling_is_what_the_others_are_compared_with(document):
    sampling = document["methods"]["random_sampling"]
    assert sampling["mean"] == pytest.approx(0.65)
    assert (sampling["relative_improvement"], sampling["probability_beats_random"]) == (0, 0.5)
    assert [one["seed"] for one in sampling["searches"]] == [0, 1, 2, 3]
    assert {one["score"] for one in sampling["searches"]} == {None}


def test_the_best_is_chosen_on_the_validation_part():
    better = found(0, trained(10, (0.9,), validation=0.1))
    chosen = found(1, trained(11, (0.65,), validation=0.2))
    document = study_document(outcome(methods={"evolution": (better, chosen)}))
    # Two of four random ones are better than 0.65.
    assert document["methods"]["evolution"]["place_among_random"] == 3


def test_rankings(document):
    ranking = document["ranking"]
    # The shared weights have one pair of six the wrong way.
    assert ranking["shared_weights"]["kendall_tau"] == pytest.approx(4 / 6)
    assert ranking["parameters"]["kendall_tau"] == pytest.approx(1)
    assert ranking["retraining_again"]["kendall_tau"] == pytest.approx(1)
    assert ranking["shared_weights"]["num_architectures"] == 4
    assert ranking["shared_weights"]["precision_at_5"] is None


def test_one_retraining_has_no_ceiling():
    ranked = tuple(trained(i, (0.1 * i,)) for i in range(4))
    document = study_document(outcome(ranked=ranked))
    assert document["ranking"]["retraining_again"]["kendall_tau"] is None
    # Of equal sizes nothing follows.
    assert document["ranking"]["parameters"]["kendall_tau"] is None


def test_time_is_told_apart(document, searched):
    times = ("search_seconds", "scoring_seconds", "retraining_seconds")
    assert [searched["time"][name] for name in times] == [200, 10, 40]
    # Twelve trainings of ten seconds: four random and two found architectures, two seeds each.
    assert [document["time"][name] for name in times] == [200, 10, 120]


def test_what_several_searches_found_was_trained_once():
    same = trained(10, (0.9, 0.9))
    document = study_document(outcome(methods={"a": (found(0, same), found(1, same))}))
    assert document["methods"]["a"]["time"]["retraining_seconds"] == 20


def test_a_lower_perplexity_is_better():
    random = tuple(trained(i, (100.0 + i,)) for i in range(4))
    methods = {"reinforce": (found(0, trained(10, (90.0,))), found(1, trained(11, (102.0,))))}
    document = study_document(
        outcome(lower_is_better=True, random=random, ranked=random, methods=methods)
    )
    searched = document["methods"]["reinforce"]
    assert searched["mean"] == 96
    assert searched["relative_improvement"] == pytest.approx(100 * 5.5 / 101.5)
    # 90 beats all four; 102 beats one and ties with one.
    assert searched["probability_beats_random"] == 5.5 / 8
    assert searched["interval"] == [90, 102]
    assert searched["place_among_random"] == 1
    # The scores rise with the perplexity, but for one pair.
    assert document["ranking"]["shared_weights"]["kendall_tau"] == pytest.approx(-4 / 6)


def test_a_study_without_searches_or_random_ones():
    document = study_document(outcome(methods={}, random=(), ranked=(), shared_weights=()))
    assert document["methods"]["random_sampling"]["mean"] is None
    assert document["ranking"]["parameters"]["num_architectures"] == 0
    check_study(document)


def test_a_document_is_the_same_every_time():
    assert study_document(realistic_outcome(3, 6)) == study_document(realistic_outcome(3, 6))


@pytest.mark.parametrize("lower_is_better", [False, True])
def test_what_was_written_is_read(tmp_path, lower_is_better):
    document = study_document(realistic_outcome(3, 6, lower_is_better))
    path = tmp_path / "study.json"
    path.write_text(json.dumps(document, allow_nan=False))
    assert read_study(path) == document


def test_scores_are_those_of_the_ranked(document):
    (scores,) = document["ranked"]["shared_weights"]
    assert scores["scores"] == [0.1, 0.2, 0.4, 0.3]
    assert scores["kendall_tau"] == document["ranking"]["shared_weights"]["kendall_tau"]


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[1]", b"{}", b"[" * 100_000])
def test_what_is_no_study_is_refused(tmp_path, content):
    path = tmp_path / "study.json"
    path.write_bytes(content)
    with pytest.raises(RunDirectoryError, match=r"study\.json .*again with `enas-study`"):
        read_study(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(RunDirectoryError, match="cannot be read"):
        read_study(tmp_path / "study.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 2}, "format_version must be 1, but is 2"),
        ({"lower_is_better": "no"}, 'lower_is_better must be true or false, but is "no"'),
        ({"methods": []}, "methods must be an object"),
        ({"methods": {}}, "methods.random_sampling must be an object, but is null"),
        ({"time": {"search_seconds": True}}, "time.search_seconds must be a finite number"),
    ],
)
def test_what_is_wrong_is_named(damaged, change, message):
    with pytest.raises(RunDirectoryError, match=message):
        check_study({**damaged, **change})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("methods.reinforce.mean", float("nan")),
        ("methods.reinforce.interval", [2.0, 1.0]),
        ("methods.reinforce.searches.1.retrainings.0.test", None),
        ("methods.reinforce.searches.1.parameters", 1.5),
        ("ranking.parameters.kendall_tau", "high"),
        ("ranked.shared_weights.0.scores", [0.1]),
    ],
)
def test_where_it_is_wrong_is_named(damaged, path, value):
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place = damaged
    for part in parents:
        place = place[part]
    place[last] = value
    with pytest.raises(RunDirectoryError, match=f"{path} must be"):
        check_study(damaged)


def test_more_keys_may_stand_in_it(document):
    assert check_study({**document, "notes": "x"})["notes"] == "x"


def test_outcomes_are_values():
    with pytest.raises(dataclasses.FrozenInstanceError):
        outcome().space = "micro"
