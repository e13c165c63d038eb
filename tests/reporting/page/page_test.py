import datetime
import html.parser
import re

import pytest

from enas_tf.reporting.page.page import report_page
from enas_tf.reporting.page.records import read_run
from enas_tf.reporting.page.sections import Command
from tests.reporting.page.example_runs import (
    add_text,
    half_line,
    ranking,
    write_retraining,
    write_search,
)

NOW = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)
SPACES = ("macro", "micro", "rnn")


class Checker(html.parser.HTMLParser):
    """Checks that elements are closed in the right order, and collects the texts."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.texts = []

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "link", "img", "iframe")
        assert not {"src", "onclick", "onload"} & set(dict(attributes))
        assert dict(attributes).get("href", "#").startswith("#")
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


def page_of(run, *finals, commands=()):
    return report_page(read_run(run), [read_run(final) for final in finals], commands, NOW)


def text_of(page):
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return re.sub(r"\s+", " ", " ".join(checker.texts))


def heading_names(page):
    return re.findall(r"<h2>(.*?)</h2>", page)


@pytest.mark.parametrize("space", SPACES)
def test_a_finished_search(tmp_path, space):
    write_search(tmp_path, space)
    page = page_of(tmp_path)
    text = text_of(page)
    assert heading_names(page) == [
        "Overview",
        "Best architecture",
        "Ranking",
        "Curves",
        "Sampled architectures",
        "Settings",
    ]
    assert "The search is finished." in text
    assert "This is not the final accuracy or perplexity" in text
    assert "Validation reward with shared weights" in text or space != "rnn"
    assert "2026-01-02 03:04 UTC" in text


@pytest.mark.parametrize("space", SPACES)
def test_the_best_architectures_are_drawn(tmp_path, space):
    write_search(tmp_path, space)
    page = page_of(tmp_path)
    assert page.count('<div class="drawing large') == 1
    assert page.count('<div class="drawing small') == 2


@pytest.mark.parametrize("space", SPACES)
def test_a_search_that_was_killed_before_its_first_event(tmp_path, space):
    write_search(tmp_path, space, events=False, finished=False)
    text = text_of(page_of(tmp_path))
    assert "Not finished: what is here ends before its first event." in text
    assert "There is none yet" in text
    assert "no training step was logged yet" in text
    assert "no architecture was sampled" in text


def test_a_search_that_goes_on(tmp_path):
    write_search(tmp_path, finished=False)
    for name in ("metrics.jsonl", "architectures.jsonl"):
        add_text(tmp_path / name, half_line())
    text = text_of(page_of(tmp_path))
    assert "Not finished: what is here ends in epoch 3 of 3." in text
    assert "damaged" not in text


def test_a_ranking_before_the_end(tmp_path):
    space = write_search(tmp_path, finished=False)
    document = {**ranking(space), "ranked_by": {"epochs": 2}}
    read_run(tmp_path)
    (tmp_path / "best_architecture.json").write_text(str(document).replace("'", '"'))
    assert "The ranking was made after 2 of 3 epochs." in text_of(page_of(tmp_path))


def test_damaged_files_are_named(tmp_path):
    write_search(tmp_path, finished=False)
    (tmp_path / "best_architecture.json").write_text("{")
    add_text(tmp_path / "metrics.jsonl", "what\n")
    text = text_of(page_of(tmp_path))
    assert "1 damaged lines of metrics.jsonl were left out." in text
    assert "best_architecture.json was left out" in text


def test_warnings_of_the_log_are_shown(tmp_path):
    write_search(tmp_path)
    add_text(tmp_path / "log.txt", "t WARNING enas_tf: the <entropy> fell\n")
    assert "t WARNING enas_tf: the <entropy> fell" in text_of(page_of(tmp_path))


def test_names_cannot_become_markup(tmp_path):
    write_search(tmp_path, dataset="<script>alert('&')</script>.npz")
    page = page_of(tmp_path, commands=[Command("<p>", "a && <b>")])
    assert "<script>alert('&')</script>.npz" in text_of(page)
    assert "a && <b>" in text_of(page)


def test_settings_that_differ_are_marked(tmp_path):
    write_search(tmp_path)
    text = text_of(page_of(tmp_path))
    assert "nearest to smoke; 1 setting differs" in text
    assert "search.shared_weights.epochs ● 3 310 20" in text


def test_a_long_ranking_is_folded(tmp_path):
    space = write_search(tmp_path, finished=False)
    (tmp_path / "best_architecture.json").write_text(
        str(ranking(space, 30)).replace("'", '"').replace("None", "null")
    )
    assert "The other 10 candidates" in text_of(page_of(tmp_path))


@pytest.mark.parametrize("space", SPACES)
def test_a_retraining(tmp_path, space):
    write_retraining(tmp_path, space)
    page = page_of(tmp_path)
    text = text_of(page)
    assert heading_names(page) == ["Overview", "Curves", "Architecture", "Settings"]
    assert "The training is finished." in text
    assert "12,345" in text
    assert "<digits & co>" in text
    assert ("62.50 %" in text) == (space != "rnn")


def test_a_retraining_that_goes_on(tmp_path):
    write_retraining(tmp_path, finished=False)
    assert "Not finished: what is here ends after epoch 2." in text_of(page_of(tmp_path))


def test_results_of_retrainings_stand_in_the_report_of_their_search(tmp_path):
    write_search(tmp_path / "run")
    write_retraining(tmp_path / "found")
    write_retraining(tmp_path / "other", seed=99, finished=False)
    page = page_of(tmp_path / "run", tmp_path / "found", tmp_path / "other")
    text = text_of(page)
    assert "Trained from scratch" in heading_names(page)
    assert "the best candidate" in text
    assert "no candidate of this search" in text
    assert "test accuracy 62.50 %" in text
    assert "other, validation" in text


def test_retrainings_are_compared(tmp_path):
    write_retraining(tmp_path / "a", "rnn")
    write_retraining(tmp_path / "b", "rnn", seed=1)
    page = page_of(tmp_path / "a", tmp_path / "b")
    assert "Trained from scratch" in heading_names(page)
    assert "b, validation" in text_of(page)
