"""Fills templates; every page is one file that needs nothing else."""

import datetime
import importlib.resources
from typing import TYPE_CHECKING, Any

import enas_tf
from enas_tf.environment.progress import duration
from enas_tf.reporting.drawing import draw_architecture
from enas_tf.reporting.page.numbers import count, moment, score, score_words, words
from enas_tf.reporting.page.settings_table import value_text

if TYPE_CHECKING:
    import jinja2

_TEMPLATES = importlib.resources.files("enas_tf.reporting.page").joinpath("templates")
# A browser refuses a page with this everything that would come from, or go to, somewhere else.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
)


def render(template: str, now: datetime.datetime | None = None, **values: Any) -> str:
    """Returns a page as the text of an HTML file.

    Args:
      template: the name of one that extends `base.html`.
      now: when the page is made (default: now).
      **values: what the template shows.
    """
    # Slow to import, and of no use before there is something to show.
    from plotly.offline import get_plotlyjs

    of_every_page = {
        "policy": _POLICY,
        "version": enas_tf.__version__,
        "now": now or datetime.datetime.now().astimezone(),
        **{"style": _text("style.css"), "script": _text("charts.js"), "plotly": get_plotlyjs()},
    }
    return _environment().get_template(template).render(**values, **of_every_page)


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
