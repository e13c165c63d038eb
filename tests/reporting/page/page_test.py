import datetime
import json
import re

import plotly.offline
import pytest

from enas_tf.records.next_steps import NextStep
from enas_tf.reporting.page.page import report_page
from enas_tf.reporting.page.records import read_run
from enas_tf.spaces.registry import get_space
from tests.reporting.page.example_runs import (
    add_text,
    half_line,
    ranking,
    write_retraining,
    write_search,
)
from tests.reporting.page.pages import Page

NOW = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)
SPACES = ("macro", "micro", "rnn")
EVIL = "<script>alert('&')</script>"


@pytest.fixture(autouse=True)
def _small_plotly(request, monkeypatch):
    """Pages are read faster without the five million characters of Plotly."""
    if "whole" not in request.fixturenames:
        monkeypatch.setattr(plotly.offline, "get_plotlyjs", lambda: "// Plotly")


@pytest.fixture
def whole():
    """Of tests that need Plotly in the page."""


def html_of(run, *finals, commands=()):
    return report_page(read_run(run), [read_run(final) for final in finals], commands, NOW)


def page_of(*runs, **options):
    return Page(html_of(*runs, **options))


@pytest.mark.parametrize("space", SPACES)
def test_a_finished_search(tmp_path, space):
    write_search(tmp_path, space)
    page = page_of(tmp_path)
    text = page.text
    assert page.headings == [
        "Overview",
        "Best architecture",
        "Ranking",
        # All cells of the rnn space cost the same.
        *([] if space == "rnn" else ["Scores and costs"]),
        "Curves",
        "Sampled architectures",
        "Settings",
    ]
    assert "The search is finished." in text
    assert "This is not the final accuracy or perplexity" in text
    kind = "reward" if space == "rnn" else "accuracy"
    assert f"Validation {kind} with shared weights" in page.figures
    assert page.names("Reward and baseline") == ["reward", "baseline"]
    assert page.figures["Rewards by epoch"]["data"][0]["x"] == [1, 2, 3]
    assert {"Operations over time", "Operations by place, epoch 3"} <= page.figures.keys()
    assert "2026-01-02 03:04 UTC" in text


@pytest.mark.parametrize("space", SPACES)
def test_the_best_architectures_are_drawn(tmp_path, space):
    write_search(tmp_path, space)
    page = page_of(tmp_path)
    assert page.drawings == {"large": 1, "small": 2}


@pytest.mark.parametrize("space", SPACES)
def test_a_search_that_was_killed_before_its_first_event(tmp_path, space):
    write_search(tmp_path, space, events=False, finished=False)
    text = page_of(tmp_path).text
    assert "Not finished: what is here ends before its first event." in text
    assert "There is none yet" in text
    assert "no training step was logged yet" in text
    assert "no architecture was sampled" in text


def test_a_search_that_goes_on(tmp_path):
    write_search(tmp_path, finished=False)
    for name in ("metrics.jsonl", "architectures.jsonl"):
        add_text(tmp_path / name, half_line())
    text = page_of(tmp_path).text
    assert "Not finished: what is here ends in epoch 3 of 3." in text
    assert "damaged" not in text


def test_a_ranking_before_the_end(tmp_path):
    space = write_search(tmp_path, finished=False)
    document = {**ranking(space), "ranked_by": {"epochs": 2}}
    read_run(tmp_path)
    (tmp_path / "best_architecture.json").write_text(str(document).replace("'", '"'))
    assert "The ranking was made after 2 of 3 epochs." in page_of(tmp_path).text


def test_damaged_files_are_named(tmp_path):
    write_search(tmp_path, finished=False)
    (tmp_path / "best_architecture.json").write_text("{")
    add_text(tmp_path / "metrics.jsonl", "what\n")
    text = page_of(tmp_path).text
    assert "1 damaged lines of metrics.jsonl were left out." in text
    assert "best_architecture.json was left out" in text


def test_warnings_of_the_log_are_shown(tmp_path):
    write_search(tmp_path)
    add_text(tmp_path / "log.txt", "t WARNING enas_tf: the <entropy> fell\n")
    assert "t WARNING enas_tf: the <entropy> fell" in page_of(tmp_path).text


def test_names_cannot_become_markup(tmp_path):
    write_search(tmp_path, dataset=f"{EVIL}.npz")
    page = page_of(tmp_path, commands=[NextStep("<p>", "a && <b>")])
    assert f"{EVIL}.npz" in page.text
    assert "a && <b>" in page.text


def poisoned(value):
    """Returns a JSON value in which every text, also of keys, ends in markup that must not run."""
    if isinstance(value, dict):
        return {**value, EVIL: 0.5, **{key: poisoned(inner) for key, inner in value.items()}}
    if isinstance(value, list):
        return [poisoned(inner) for inner in value]
    return value + EVIL if isinstance(value, str) else value


def poison(folder):
    """Poisons every file of a run, but for the settings that decide what the run is."""
    for path in folder.glob("*.jsonl"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        # Of a phase that is known and of one that is not.
        lines += [{**line, EVIL: 0.25} for line in lines] + [poisoned(line) for line in lines]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for path in folder.glob("*.json"):
        document = json.loads(path.read_text())
        if path.name == "config.json":
            document["versions"] = poisoned(document["versions"])
            data = document["configuration"]["data"]
            # Any text may stand in these.
            free = {"dataset", "background"} & data.keys()
            data.update({key: poisoned(data[key]) for key in free})
        else:
            architecture = document.get("architecture")
            document = {**poisoned(document), "architecture": architecture}
        path.write_text(json.dumps(document))
    add_text(folder / "log.txt", f"t WARNING enas_tf: {EVIL}\n")


def test_no_text_of_a_run_can_run(tmp_path):
    run, final = tmp_path / f"run{EVIL.replace('/', '')}", tmp_path / "<b>final"
    write_search(run)
    write_retraining(final)
    poison(run)
    poison(final)
    for runs in ((run, final), (final, final)):
        page = page_of(*runs)
        assert page.scripts[0] == "// Plotly"
        assert len(page.scripts) == 2
        assert "alert" not in page.scripts[1]
        assert EVIL in page.text
        # The browser shows texts out of files in charts, too, and Plotly some tags in them.
        text = json.dumps(list(page.figures.values()))
        assert "&lt;script&gt;alert" in text
        assert set(re.findall("<[^>]*>", text)) <= {"<br>", "<extra>", "</extra>"}


def test_settings_that_differ_are_marked(tmp_path):
    write_search(tmp_path)
    text = page_of(tmp_path).text
    assert "nearest to smoke; 1 setting differs" in text
    epochs = get_space("macro").search_presets["smoke"].search.shared_weights.epochs
    assert f"search.shared_weights.epochs Passes over the training set. ● 3 310 {epochs}" in text


def test_a_long_ranking_is_folded(tmp_path):
    space = write_search(tmp_path, finished=False)
    (tmp_path / "best_architecture.json").write_text(
        str(ranking(space, 30)).replace("'", '"').replace("None", "null")
    )
    assert "The other 10 candidates" in page_of(tmp_path).text


def test_finalists_have_two_scores(tmp_path):
    document = ranking(write_search(tmp_path, finished=False))
    for entry, shared in zip(document["ranking"], (0.125, "no number")):
        entry.update(score_kind="short_retraining_accuracy", shared_weights_score=shared)
    (tmp_path / "best_architecture.json").write_text(json.dumps(document))
    text = page_of(tmp_path).text
    assert "Short retraining accuracy Shared-weights score Release string" in text
    assert "1 50.00 % 12.50 % " in text
    assert "3 30.00 % (shared-weights validation accuracy) 30.00 % " in text


def test_a_ranking_says_what_it_is_worth(tmp_path):
    document = ranking(write_search(tmp_path, finished=False))
    for entry, tie in zip(document["ranking"], (True, True, False)):
        entry.update(standard_error=0.0125, tied_with_first=tie)
        entry.update(parameters=12345, all_parameters=12400, multiply_adds=678900)
    (tmp_path / "best_architecture.json").write_text(json.dumps(document))
    text = page_of(tmp_path).text
    assert "The first 2 of 3 cannot be told apart (within 2 standard errors)." in text
    assert "1 50.00 % ± 1.25 % 12,345 678,900 " in text
    assert "2 40.00 % ± 1.25 % no 12,345 678,900 " in text
    assert "3 30.00 % ± 1.25 % yes 12,345 678,900 " in text


def test_a_study_beside_the_run_says_how_far_to_trust_its_ranking(tmp_path):
    write_search(tmp_path)
    assert "Kendall" not in page_of(tmp_path).text
    rankings = {
        "shared_weights": {"kendall_tau": 0.333, "interval": [0.1, 0.55]},
        "parameters": {"kendall_tau": 0.48, "interval": None},
        "multiply_adds": {"kendall_tau": "?"},
    }
    (tmp_path / "study.json").write_text(json.dumps({"ranking": rankings}))
    text = page_of(tmp_path).text
    assert "0.33 (0.10 to 0.55) for the shared weights' ranking, 0.48 for a ranking by" in text
    (tmp_path / "study.json").write_text("[")
    assert "study.json was left out" in page_of(tmp_path).text


def test_numbers_that_no_chart_is_made_for_have_one(tmp_path):
    write_search(tmp_path)
    for phase in ("controller", "third_phase"):
        event = {"phase": phase, "step": 1, "new_metric": 0.5, "word": "x"}
        add_text(tmp_path / "metrics.jsonl", json.dumps(event) + "\n")
    page = page_of(tmp_path)
    assert page.figures["New metric"]["layout"]["xaxis"]["title"]["text"] == "step"
    assert "Third phase" in page.text
    assert "Word" not in page.figures


@pytest.mark.parametrize("space", SPACES)
def test_a_retraining(tmp_path, space):
    write_retraining(tmp_path, space)
    page = page_of(tmp_path)
    text = page.text
    assert page.headings == ["Overview", "Curves", "Architecture", "Settings"]
    assert "The training is finished." in text
    assert "12,345" in text
    assert "<digits & co>" in text
    assert ("62.50 %" in text) == (space != "rnn")


def test_curves_of_a_retraining(tmp_path):
    write_retraining(tmp_path)
    page = page_of(tmp_path)
    assert page.names("Loss") == ["loss"]
    assert page.names("Accuracy") == ["training", "validation"]


def test_a_retraining_that_goes_on(tmp_path):
    write_retraining(tmp_path, finished=False)
    assert "Not finished: what is here ends after epoch 2." in page_of(tmp_path).text


def test_results_of_retrainings_stand_in_the_report_of_their_search(tmp_path):
    write_search(tmp_path / "run")
    write_retraining(tmp_path / "found")
    write_retraining(tmp_path / "other", seed=99, finished=False)
    page = page_of(tmp_path / "run", tmp_path / "found", tmp_path / "other")
    text = page.text
    assert "Trained from scratch" in page.headings
    assert "the best candidate" in text
    assert "no candidate of this search" in text
    assert "test accuracy 62.50 %" in text
    assert "other, validation" in page.names("Accuracy")


def test_retrainings_are_compared(tmp_path):
    write_retraining(tmp_path / "a", "rnn")
    write_retraining(tmp_path / "b", "rnn", seed=1)
    page = page_of(tmp_path / "a", tmp_path / "b")
    assert "Trained from scratch" in page.headings
    assert "b, validation" in page.names("Perplexity")


def test_the_page_is_one_file_with_plotly_in_it_once(tmp_path, whole):
    write_search(tmp_path)
    text = html_of(tmp_path)
    script = plotly.offline.get_plotlyjs()
    assert text.count(script) == 1
    assert len(text) - len(script) < 200_000
    assert "default-src 'none'" in text.replace("&#39;", "'")


def test_no_chart_can_be_sent_anywhere(tmp_path):
    write_search(tmp_path)
    _, script = page_of(tmp_path).scripts
    assert "showSendToCloud: false" in script
    assert "http" not in script


def test_colours_that_charts_name_are_in_the_style_sheet(tmp_path):
    write_search(tmp_path)
    text = html_of(tmp_path)
    named = set(re.findall(r"var\((--\w+)\)", json.dumps(Page(text).figures)))
    assert named
    assert all(text.count(f"{name}:") >= 2 for name in named)
