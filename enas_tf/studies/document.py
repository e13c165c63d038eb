"""`study.json`: the numbers of a study, and reading them again.

Numbers are test accuracies from 0 to 1, or test perplexities if `lower_is_better` says so; the
result of an architecture is the mean over its retrainings. Nothing here imports TensorFlow.
"""

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from enas_tf.errors import RunDirectoryError
from enas_tf.files.reading import read_bytes
from enas_tf.spaces.base import FORMAT_VERSION
from enas_tf.studies.outcomes import FoundBySearch, StudyOutcome, Trained
from enas_tf.studies.statistics import (
    SPARSE_ACCURACY,
    SPARSE_PERPLEXITY,
    Interval,
    RankStatistics,
    compare,
    equal_size,
    place_among,
    rank_statistics,
    relative_improvement,
)

RANDOM_SAMPLING = "random_sampling"
# The rankings in their order: of the search, the two trivial ones, and the ceiling.
RANKINGS = ("shared_weights", "parameters", "multiply_adds", "retraining_again")
_TIMES = ("search_seconds", "scoring_seconds", "retraining_seconds")

Json = dict[str, Any]


def study_document(outcome: StudyOutcome) -> Json:
    """Returns the numbers of a study as `study.json` holds them.

    Beside what the contract names, methods have: `place_among_random`, of the found architecture
    that did best on the validation part, among the random ones; `equal_size`, see
    `statistics.EqualSize`; `p_value` and the other fields of `statistics.Comparison`; `time`.
    `interval` is that of the mean. `ranked` has what rankings were measured on, and what the shared
    weights of each search said of it.

    Args:
      outcome: of the study.
    """
    sign = _sign(outcome)
    random = [sign * _result(one) for one in outcome.random]
    methods = {name: _method(found, outcome, random) for name, found in outcome.methods.items()}
    drawn = [FoundBySearch(i, 0.0, 0.0, 0.0, one) for i, one in enumerate(outcome.random)]
    sampling = _method(drawn, outcome, random)
    for search in sampling["searches"]:
        # Nothing but a draw found them; its number stands for a seed.
        search["score"] = None
    # Beside itself there is nothing to find out.
    sampling.update(dict.fromkeys(("probability_interval", "p_value", "place_among_random")))
    sampling["equal_size"] = equal_size([], [], [], [])._asdict()
    everything = [*outcome.random, *outcome.ranked]
    everything += [one.trained for found in outcome.methods.values() for one in found]
    searches = [one for found in outcome.methods.values() for one in found]
    return {
        "format_version": FORMAT_VERSION,
        "space": outcome.space,
        "dataset": outcome.dataset,
        "budget": dict(outcome.budget),
        "lower_is_better": outcome.lower_is_better,
        "score_kind": outcome.score_kind,
        "methods": {**methods, RANDOM_SAMPLING: sampling},
        "ranking": {
            name: _statistics_json(statistics) for name, statistics in _rankings(outcome).items()
        },
        "ranked": _ranked(outcome),
        "time": _time(searches, everything),
    }


def _method(found: Sequence[FoundBySearch], outcome: StudyOutcome, random: list[float]) -> Json:
    sign = _sign(outcome)
    results = [sign * _result(one.trained) for one in found]
    comparison = compare(results, random)
    reference = float(np.mean(random)) if random else None
    size = equal_size(
        results,
        [one.trained.parameters for one in found],
        random,
        [one.parameters for one in outcome.random],
    )
    best = max(found, key=lambda one: sign * _result(one.trained, "validation"), default=None)
    return {
        "searches": [_search(one) for one in found],
        "mean": None if comparison.mean is None else sign * comparison.mean,
        "std": comparison.std,
        "relative_improvement": relative_improvement(comparison.mean, reference),
        "probability_beats_random": comparison.probability_beats_random,
        "interval": _turned(comparison.interval, sign),
        "probability_interval": _turned(comparison.probability_interval, 1.0),
        "p_value": comparison.p_value,
        "place_among_random": place_among(sign * _result(best.trained), random) if best else None,
        "equal_size": {**size._asdict(), "interval": _turned(size.interval, 1.0)},
        "time": _time(found, [one.trained for one in found]),
    }


def _search(found: FoundBySearch) -> Json:
    return {
        "seed": found.seed,
        "score": found.score,
        **_trained(found.trained),
        "search_seconds": found.search_seconds,
        "scoring_seconds": found.scoring_seconds,
    }


def _trained(trained: Trained) -> Json:
    return {
        "release_string": trained.architecture.to_release_string(),
        "architecture": trained.architecture.to_json(),
        "parameters": trained.parameters,
        "multiply_adds": trained.multiply_adds,
        "result": _result(trained),
        "retrainings": [
            {"seed": one.seed, "validation": one.validation, "test": one.test,
             "seconds": one.seconds}
            for one in trained.retrainings
        ],
    }  # fmt: skip


def _rankings(outcome: StudyOutcome) -> dict[str, RankStatistics]:
    results, step = _turned_results(outcome), _step(outcome)
    scores: dict[str, list[Sequence[float]]] = {
        "shared_weights": [one.scores for one in outcome.shared_weights],
        "parameters": [[float(one.parameters) for one in outcome.ranked]],
        "multiply_adds": [[float(one.multiply_adds) for one in outcome.ranked]],
    }
    rankings = {
        name: rank_statistics([(one, results) for one in several], step)
        for name, several in scores.items()
    }
    rankings["retraining_again"] = rank_statistics(_again(outcome), step)
    return rankings


def _again(outcome: StudyOutcome) -> list[tuple[list[float], list[float]]]:
    """Returns what each retraining says, and the mean of the other ones, which it should foretell.

    No score that is no better than a retraining can foretell them better.
    """
    sign = _sign(outcome)
    tests = [[sign * again.test for again in one.retrainings] for one in outcome.ranked]
    times = min(map(len, tests), default=0)
    pairs = []
    for place in range(times if times > 1 else 0):
        others = [row[:place] + row[place + 1 : times] for row in tests]
        pairs.append(([row[place] for row in tests], [float(np.mean(row)) for row in others]))
    return pairs


def _ranked(outcome: StudyOutcome) -> Json:
    results, step = _turned_results(outcome), _step(outcome)
    return {
        "architectures": [_trained(one) for one in outcome.ranked],
        "shared_weights": [
            {
                "method": one.method,
                "seed": one.seed,
                "scores": list(one.scores),
                **_statistics_json(rank_statistics([(one.scores, results)], step)),
            }
            for one in outcome.shared_weights
        ],
    }


def _turned_results(outcome: StudyOutcome) -> list[float]:
    return [_sign(outcome) * _result(one) for one in outcome.ranked]


def _sign(outcome: StudyOutcome) -> float:
    """Returns by what results are multiplied so that larger is better."""
    return -1.0 if outcome.lower_is_better else 1.0


def _step(outcome: StudyOutcome) -> float:
    return SPARSE_PERPLEXITY if outcome.lower_is_better else SPARSE_ACCURACY


def _time(searches: Sequence[FoundBySearch], trained: Sequence[Trained]) -> Json:
    # An architecture that several searches found was trained once with each seed.
    retrainings = {
        (one.architecture, again.seed): again.seconds
        for one in trained
        for again in one.retrainings
    }
    seconds = (
        sum(one.search_seconds for one in searches),
        sum(one.scoring_seconds for one in searches),
        sum(retrainings.values()),
    )
    return dict(zip(_TIMES, map(float, seconds)))


def _result(trained: Trained, part: str = "test") -> float:
    return float(np.mean([getattr(one, part) for one in trained.retrainings]))


def _statistics_json(statistics: RankStatistics) -> Json:
    return {**statistics._asdict(), "interval": _turned(statistics.interval, 1.0)}


def _turned(interval: Interval | None, sign: float) -> list[float] | None:
    return None if interval is None else sorted(sign * end for end in interval)


# What a value must be: its words, and a test. Dictionaries and one-item lists nest.
_Kind = tuple[str, Callable[[Any], bool]]


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < float("inf")


_WHOLE: _Kind = ("a whole number", lambda value: type(value) is int)
_TEXT: _Kind = ("a text", lambda value: isinstance(value, str))
_BOOL: _Kind = ("true or false", lambda value: isinstance(value, bool))
_OBJECT: _Kind = ("an object", lambda value: isinstance(value, dict))
_NUMBER: _Kind = ("a finite number", _is_number)
_MAYBE: _Kind = ("a finite number or null", lambda value: value is None or _is_number(value))
_SPAN: _Kind = (
    "two finite numbers in order, or null",
    lambda value: (
        value is None
        or (
            isinstance(value, list)
            and len(value) == 2
            and all(map(_is_number, value))
            and value[0] <= value[1]
        )
    ),
)
_RETRAININGS = [{"seed": _WHOLE, "validation": _NUMBER, "test": _NUMBER, "seconds": _NUMBER}]
_ARCHITECTURE = {
    "release_string": _TEXT,
    "architecture": _OBJECT,
    "parameters": _WHOLE,
    "multiply_adds": _WHOLE,
    "result": _NUMBER,
    "retrainings": _RETRAININGS,
}
_SECONDS = dict.fromkeys(_TIMES, _NUMBER)
_METHOD = {
    "searches": [
        {
            "seed": _WHOLE,
            "score": _MAYBE,
            **_ARCHITECTURE,
            "search_seconds": _NUMBER,
            "scoring_seconds": _NUMBER,
        }
    ],
    **dict.fromkeys(("mean", "std", "relative_improvement", "probability_beats_random"), _MAYBE),
    "interval": _SPAN,
    "probability_interval": _SPAN,
    "p_value": _MAYBE,
    "place_among_random": _MAYBE,
    "equal_size": {
        "difference": _MAYBE,
        "interval": _SPAN,
        "probability_beats_random": _MAYBE,
        "num_compared": _WHOLE,
        "num_searches": _WHOLE,
    },
    "time": _SECONDS,
}
_RANK = {
    "kendall_tau": _MAYBE,
    "interval": _SPAN,
    "spearman": _MAYBE,
    "sparse_kendall_tau": _MAYBE,
    "precision_at_5": _MAYBE,
    "num_architectures": _WHOLE,
}
_STUDY = {
    "format_version": (f"{FORMAT_VERSION}", lambda value: value == FORMAT_VERSION),
    "space": _TEXT,
    "dataset": _TEXT,
    "budget": _OBJECT,
    "lower_is_better": _BOOL,
    "score_kind": _TEXT,
    "methods": _OBJECT,
    "ranking": dict.fromkeys(RANKINGS, _RANK),
    "ranked": {
        "architectures": [_ARCHITECTURE],
        "shared_weights": [{"method": _TEXT, "seed": _WHOLE, "scores": [_NUMBER], **_RANK}],
    },
    "time": _SECONDS,
}


def read_study(path: str | os.PathLike[str]) -> Json:
    """Reads a `study.json`.

    Args:
      path: of the file.

    Raises:
      RunDirectoryError: it cannot be read, or is not what `study_document` returns.
    """
    try:
        document = json.loads(read_bytes(path))
    except (OSError, ValueError, RecursionError) as error:
        raise RunDirectoryError(
            f"{path} cannot be read: {error}. Make it again with `enas-study`."
        ) from error
    return check_study(document, os.fspath(path))


def check_study(document: Any, name: str = "study.json") -> Json:
    """Returns a document that is what `study_document` returns, in which more keys may stand.

    Args:
      document: to check.
      name: of its file, for errors.

    Raises:
      RunDirectoryError: something in it is missing or is not what it must be; says what and where.
    """
    _check(document, _STUDY, name, "")
    for method, value in document["methods"].items():
        _check(value, _METHOD, name, f"methods.{method}")
    if RANDOM_SAMPLING not in document["methods"]:
        raise _wrong(name, f"methods.{RANDOM_SAMPLING}", "an object", None)
    num_ranked = len(document["ranked"]["architectures"])
    for place, one in enumerate(document["ranked"]["shared_weights"]):
        if len(one["scores"]) != num_ranked:
            where = f"ranked.shared_weights.{place}.scores"
            raise _wrong(name, where, f"a list of {num_ranked} numbers", one["scores"])
    return document


def _check(value: Any, kind: Any, name: str, place: str) -> None:
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            raise _wrong(name, place, "an object", value)
        for key, inner in kind.items():
            _check(value.get(key), inner, name, f"{place}.{key}".lstrip("."))
    elif isinstance(kind, list):
        if not isinstance(value, list):
            raise _wrong(name, place, "a list", value)
        for index, one in enumerate(value):
            _check(one, kind[0], name, f"{place}.{index}")
    elif not kind[1](value):
        raise _wrong(name, place, kind[0], value)


def _wrong(name: str, place: str, expected: str, value: Any) -> RunDirectoryError:
    shown = json.dumps(value, default=repr)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return RunDirectoryError(
        f"{name} is no study: {place or 'the whole'} must be {expected}, but is {shown}. Make it "
        "again with `enas-study`."
    )
