"""What the numbers of a study allow one to say, and what not, in words."""

from collections.abc import Mapping
from typing import Any

from enas_tf.studies.document import RANDOM_SAMPLING
from enas_tf.studies.statistics import CONFIDENCE

# Fewer searches say little whatever they find: the demand is four, better ten (Yu et al.).
FEW_SEARCHES = 4
FEW_RANDOM = 8
_CHANCE = 1 - CONFIDENCE


def study_summary(document: Mapping[str, Any]) -> str:
    """Returns some sentences on what a study shows.

    Args:
      document: of `study_document`.
    """
    return " ".join(summary_paragraphs(document))


def summary_paragraphs(document: Mapping[str, Any]) -> list[str]:
    """Returns the summary as one text for each method, for the ranking, and for what is missing."""
    methods = document["methods"]
    num_random = len(methods[RANDOM_SAMPLING]["searches"])
    sentences = [
        _of_method(name, method, num_random, document["lower_is_better"], methods)
        for name, method in methods.items()
        if name != RANDOM_SAMPLING and method["searches"]
    ]
    sentences.append(_of_ranking(document["ranking"]))
    if 0 < num_random < FEW_RANDOM:
        sentences.append(
            f"Only {num_random} random architectures were trained: with fewer than {FEW_RANDOM} "
            "nobody knows what random sampling is worth here."
        )
    return sentences


def _of_method(
    name: str, method: Mapping[str, Any], num_random: int, lower: bool, methods: Mapping[str, Any]
) -> str:
    words = name.replace("_", " ")
    count = len(method["searches"])
    probability, reference = method["probability_beats_random"], methods[RANDOM_SAMPLING]["mean"]
    if probability is None:
        return f"Nothing is known of {words} beside random sampling: no random ones were trained."
    results = [search["result"] for search in method["searches"]]
    better = sum(one < reference if lower else one > reference for one in results)
    searches = "The one search" if count == 1 else f"{better} of {count} searches"
    verb = "found a network" if count == 1 else "found networks"
    side = "no better" if count == 1 and not better else "better"
    text = (
        f"{searches} by {words} {verb} {side} than the mean of {num_random} random ones; a found "
        f"network beats a random one in {100 * probability:.0f} % of pairs{_between(method)}."
    )
    return f"{text} {_verdict(words, method, count)}{_at_equal_size(method)}"


def _verdict(words: str, method: Mapping[str, Any], count: int) -> str:
    probability, p_value = method["probability_beats_random"], method["p_value"]
    if count == 1:
        return "One search says nothing of what the next one would find."
    if p_value is None or p_value >= _CHANCE:
        told = "" if p_value is None else f" (p = {p_value:.2f})"
        said = f"This does not tell {words} from random sampling{told}."
    else:
        side = "better" if probability > 0.5 else "worse"
        said = f"That {words} is {side} than random sampling is unlikely to be chance "
        said += f"({_small(p_value)})."
    if count < FEW_SEARCHES:
        said += (
            f" {count} searches are weak evidence: their interval is too narrow, and each of them "
            f"decides {100 / count:.0f} % of the mean."
        )
    return said


def _at_equal_size(method: Mapping[str, Any]) -> str:
    size = method["equal_size"]
    if not size["num_searches"]:
        return ""
    if size["difference"] is None:
        return " Nothing can be said at equal size: too few random networks are as large."
    interval = size["interval"]
    left_out = size["num_searches"] - size["num_compared"]
    beside = f", {left_out} of them left out as of a size no random one has" if left_out else ""
    probability = 100 * size["probability_beats_random"]
    if interval is None or interval[0] <= 0 <= interval[1]:
        said = "no difference is sure"
    else:
        said = "it remains better" if interval[0] > 0 else "it is worse"
    return f" At equal numbers of parameters {said} ({probability:.0f} % of pairs{beside})."


def _of_ranking(ranking: Mapping[str, Any]) -> str:
    shared = ranking["shared_weights"]
    tau, interval = shared["kendall_tau"], shared["interval"]
    if tau is None:
        return "How well shared weights rank was not measured."
    said = f"Shared weights rank {shared['num_architectures']} networks with τ {_number(tau)}"
    said += f" ({_number(interval[0])} to {_number(interval[1])})" if interval else ""
    trivial = {
        words: ranking[name]["kendall_tau"]
        for name, words in (
            ("parameters", "the number of parameters"),
            ("multiply_adds", "the number of multiply-adds"),
        )
        if ranking[name]["kendall_tau"] is not None
    }
    sentences = []
    if trivial:
        best = max(trivial, key=trivial.__getitem__)
        side = "better than" if tau > trivial[best] else "no better than"
        said += f", {side} {best} alone does ({_number(trivial[best])})"
    again = ranking["retraining_again"]["kendall_tau"]
    if again is not None:
        said += f"; a second training ranks them with τ {_number(again)}, the ceiling"
    sentences.append(f"{said}.")
    if interval is None or interval[0] <= 0 <= interval[1]:
        sentences.append("The τ of shared weights is not told apart from zero.")
    return " ".join(sentences)


def _between(method: Mapping[str, Any]) -> str:
    interval = method["probability_interval"]
    if interval is None:
        return ""
    return f" ({100 * interval[0]:.0f} to {100 * interval[1]:.0f} %)"


def _small(p_value: float) -> str:
    return f"p = {p_value:.3f}" if p_value >= 0.001 else "p < 0.001"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
