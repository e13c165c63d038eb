"""The whole page."""

import datetime
import importlib.resources
from collections.abc import Sequence

import enas_tf
from enas_tf.reporting.page.markup import Html, element, joined
from enas_tf.reporting.page.records import SearchRecord, TrainingRecord
from enas_tf.reporting.page.search_sections import search_sections
from enas_tf.reporting.page.sections import Command, Section, moment
from enas_tf.reporting.page.training_sections import training_sections

_HERE = "enas_tf.reporting.page"


def report_page(
    run: SearchRecord | TrainingRecord,
    finals: Sequence[TrainingRecord],
    commands: Sequence[Command],
    now: datetime.datetime | None = None,
) -> str:
    """Returns the report of a run as the text of an HTML file that needs nothing else.

    Args:
      run: a search or a retraining.
      finals: retrainings of what a search found, or to compare a retraining with.
      commands: what to do next.
      now: when the report is made (default: now).
    """
    now = now or datetime.datetime.now().astimezone()
    if isinstance(run, SearchRecord):
        title = f"Search in the {run.entry.name} space"
        sections = search_sections(run, finals, commands)
    else:
        title = f"Network of the {run.entry.name} space, trained from scratch"
        sections = training_sections([run, *finals], commands)
    written = element("p", "Written by enas-report ", enas_tf.__version__, ", ", moment(now))
    body = [
        element("header", element("h1", title), element("p", element("code", str(run.path)))),
        _contents(sections),
        element("main", [_section(section) for section in sections]),
        element("footer", written),
    ]
    # Style sheets are no text that could be escaped; this one is ours.
    style = Html(importlib.resources.files(_HERE).joinpath("style.css").read_text("utf-8"))
    head = [
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title}: {run.path.name}"),
        element("style", style),
    ]
    page = element("html", element("head", head), element("body", body), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _contents(sections: Sequence[Section]) -> Html:
    links = [
        element("li", element("a", section.title, href=f"#{section.name}")) for section in sections
    ]
    return element("nav", element("ul", links), aria_label="Contents")


def _section(section: Section) -> Html:
    heading = element("h2", section.title)
    return element("section", heading, joined(section.content, "\n"), id=section.name)
