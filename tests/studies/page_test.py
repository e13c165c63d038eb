"""The page of a study."""

import datetime
import functools
import json
import re

import plotly.graph_objects as go
import plotly.offline
import pytest

from enas_tf.environment.progress import duration
from enas_tf.studies.document import study_document
from enas_tf.studies.page import study_page
from tests.reporting.page.pages import Page
from tests.studies.example_outcomes import outcome, realistic_outcome

NOW = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)
EVIL = "<script>alert('&')</script>"


@pytest.fixture(autouse=True)
def _small_plotly(monkeypatch):
    monkeypatch.setattr(plotly.offline, "get_plotlyjs", lambda: "// Plotly")


@functools.cache
def usual():
    return study_document(outcome())


def html_of(**changes):
    return study_page(study_document(outcome(**changes)) if changes else usual(), NOW)


@pytest.fixture(scope="module")
def documents():
    return {
        "accuracy": study_document(realistic_outcome(5, 16)),
        "perplexity": study_document(realistic_outcome(3, 6, lower_is_better=True)),
    }


@pytest.mark.parametrize("metric", ["accuracy", "perplexity"])
def test_a_study(documents, metric):
    page = Page(study_page(documents[metric], NOW))
    assert page.headings == ["What it shows", "Methods", "Ranking", "Time", "Budget"]
    assert f"Test {metric}, mean" in page.text
    assert "Written by enas-study" in page.text
    assert "2026-01-02 03:04 UTC" in page.text


def test_every_search_is_listed():
    text = Page(html_of()).text
    assert "Reinforce, search by search" in text
    assert "0 0.500 90.00 %, 90.00 % 90.00 %, 90.00 % 90.00 % 3,000 6,000" in text
    assert "1 0.500 70.00 %, 70.00 % 70.00 %, 70.00 % 70.00 % 9,000 18,000" in text
    assert "Random architectures: 4" in text


def test_a_method_is_summed_up():
    text = Page(html_of()).text
    assert "reinforce 2 80.00 % 14.14 % 70.00 % to 90.00 % 6,000 12,000" in text
    assert "random sampling 4 draws 65.00 % 12.91 %" in text
    assert "reinforce +23.08 % 81 % (38 % to 100 %) 0.348 1 of 5" in text


def test_rankings_stand_beside_the_trivial_ones_and_the_ceiling():
    text = Page(html_of()).text
    assert "Shared weights (mean over searches) 0.667 \N{MINUS SIGN}1.000 to 1.000" in text
    for name in ("Trivial: number of parameters", "Trivial: multiply-adds", "Ceiling: one"):
        assert name in text


def test_times_stand_apart():
    times = " ".join(map(duration, (200, 10, 120)))
    assert f"all {times}" in Page(html_of()).text


def test_the_budget_is_told():
    text = Page(html_of()).text
    assert "epochs 3" in text
    assert "search.steps 20" in text


def test_found_ones_are_marked_among_random_ones():
    figure = Page(html_of()).figures["What was found, and random architectures"]
    random, search = figure["data"]
    assert (random["name"], search["name"]) == ("random sampling", "reinforce")
    assert search["x"] == pytest.approx([0.9, 0.7])
    assert random["marker"]["symbol"] != search["marker"]["symbol"]
    assert search["hovertext"][0] == "reinforce<br>seed 0, 3,000 parameters<br>90 %"


def test_scores_stand_against_results():
    (points,) = Page(html_of()).figures["Shared-weights score and result"]["data"]
    assert points["x"] == [0.1, 0.2, 0.4, 0.3]
    assert points["y"] == pytest.approx([0.5, 0.6, 0.7, 0.8])


def test_an_empty_study_has_a_page():
    page = Page(html_of(methods={}, random=(), ranked=(), shared_weights=()))
    assert page.figures == {}


def test_no_text_of_a_study_can_run():
    page = Page(
        html_of(
            space=EVIL,
            dataset=EVIL,
            budget={EVIL: EVIL},
            score_kind=EVIL,
            methods={EVIL: outcome().methods["reinforce"]},
        )
    )
    assert len(page.scripts) == 2
    assert "alert" not in page.scripts[1]
    assert EVIL in page.text
    assert set(re.findall("<[^>]*>", json.dumps(list(page.figures.values())))) <= {
        "<br>",
        "<extra>",
        "</extra>",
    }


@pytest.mark.parametrize("metric", ["accuracy", "perplexity"])
def test_plotly_knows_all_that_it_is_told(documents, metric):
    figures = Page(study_page(documents[metric], NOW)).figures
    assert len(figures) == 4
    for figure in figures.values():
        go.Figure(json.loads(re.sub(r"var\(--\w+\)", "#000000", json.dumps(figure))))


@pytest.mark.parametrize("cost", ["parameters", "multiply_adds"])
def test_the_fronts_of_methods_stand_side_by_side(documents, cost):
    document = documents["accuracy"]
    figure = Page(study_page(document, NOW)).figures[f"Results and {cost.replace('_a', '-a')}"]
    lines = {one["name"]: one for one in figure["data"] if one["mode"] == "lines"}
    assert set(lines) == {
        name.replace("_", " ") for name, one in document["methods"].items() if one["searches"]
    }
    for name, line in lines.items():
        searches = document["methods"][name.replace(" ", "_")]["searches"]
        # It ends with the best of all, and gets there from the cheapest.
        assert line["y"][-1] == max(one["result"] for one in searches)
        assert line["x"][0] == min(one[cost] for one in searches)


def test_what_costs_the_same_everywhere_is_not_drawn(documents):
    document = json.loads(json.dumps(documents["perplexity"]))
    for method in document["methods"].values():
        for search in method["searches"]:
            search["parameters"] = search["multiply_adds"] = 1000
    figures = Page(study_page(document, NOW)).figures
    assert not [name for name in figures if name.startswith("Results and")]
    assert "What was found, and random architectures" in figures
