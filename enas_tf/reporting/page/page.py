"""The whole page: what a view says, in the templates of the folder `templates`."""

import datetime
import importlib.resources
from collections.abc import Sequence
from typing import TYPE_CHECKING

import enas_tf
from enas_tf.records.next_steps import NextStep
from enas_tf.reporting.drawing import draw_architecture
from enas_tf.reporting.page.curves import NOT_FINAL
from enas_tf.reporting.page.numbers import count, moment, score, score_words, words
from enas_tf.reporting.page.records import SearchRecord, TrainingRecord
from enas_tf.reporting.page.search_view import search_view
from enas_tf.reporting.page.settings_table import (
    DEFAULT,
    nearest_preset,
    preset_rows,
    value_text,
)
from enas_tf.reporting.page.training_view import training_view
from enas_tf.reporting.progress import duration

if TYPE_CHECKING:
    import jinja2

_TEMPLATES = importlib.resources.files("enas_tf.reporting.page").joinpath("templates")
# A browser refuses a page with this everything that would come from, or go to, somewhere else.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
)


def report_page(
    run: SearchRecord | TrainingRecord,
    finals: Sequence[TrainingRecord],
    commands: Sequence[NextStep],
    now: datetime.datetime | None = None,
) -> str:
    """Returns the report of a run as the text of an HTML file that needs nothing else.

    Args:
      run: a search or a retraining.
      finals: retrainings of what a search found, or to compare a retraining with.
      commands: what to do next.
      now: when the report is made (default: now).
    """
    # Slow to import, and of no use before a run has been read.
    from plotly.offline import get_plotlyjs

    if isinstance(run, SearchRecord):
        name, view = "search.html", search_view(run, finals)
    else:
        name, view = "training.html", training_view([run, *finals])
    rows = preset_rows(run)
    more = {
        "run": run,
        "settings": rows,
        "default": DEFAULT,
        "nearest": nearest_preset(rows),
        "commands": commands,
        "not_final": NOT_FINAL,
        "policy": _POLICY,
        "version": enas_tf.__version__,
        "now": now or datetime.datetime.now().astimezone(),
        **{"style": _text("style.css"), "script": _text("charts.js"), "plotly": get_plotlyjs()},
    }
    return _environment().get_template(name).render(**view, **more)


def _environment() -> "jinja2.Environment":
    """Returns what reads the templates; every text becomes part of a page escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (count, duration, moment, score, score_words, value_text, words):
        environment.filters[function.__name__] = function
    environment.filters["draw"] = draw_architecture
    environment.globals["zip"] = zip
    return environment


def _text(name: str) -> str:
    return _TEMPLATES.joinpath(name).read_text("utf-8")
