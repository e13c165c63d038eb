"""What the sections of the page are made of."""

import dataclasses
import datetime
from collections.abc import Iterable, Mapping, Sequence

from enas_tf.reporting.drawing import draw_architecture
from enas_tf.reporting.page.markup import Html, element
from enas_tf.reporting.page.numbers import words
from enas_tf.reporting.page.records import Record
from enas_tf.reporting.progress import duration
from enas_tf.spaces.base import Architecture


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
      name: for links.
      title: its heading.
      content: its markup.
    """

    name: str
    title: str
    content: Sequence[Html]


@dataclasses.dataclass(frozen=True)
class Command:
    """A command that goes on from a run.

    Attributes:
      purpose: what it is for.
      line: what to type.
    """

    purpose: str
    line: str


def commands_section(commands: Sequence[Command]) -> list[Section]:
    """Returns the section of what to do next, if there is something."""
    if not commands:
        return []
    content = []
    for command in commands:
        content.append(element("p", command.purpose))
        content.append(element("pre", element("code", command.line), tabindex=0))
    return [Section("next", "Going on", content)]


def troubles(record: Record) -> list[Html]:
    """Returns what could not be read of a run, and the warnings in its log."""
    parts = [paragraph(complaint, "missing") for complaint in record.complaints]
    if record.warnings:
        lines = [element("li", line) for line in record.warnings]
        summary = element("summary", f"Warnings in {record.path / 'log.txt'}: {len(lines)}")
        parts.append(element("details", summary, element("ul", lines, class_="log")))
    return parts


def paragraph(text: object, class_: str | None = None) -> Html:
    """Returns a paragraph."""
    return element("p", text, class_=class_)


def grid(figures: Iterable[Html]) -> Html:
    """Returns figures side by side, as many as the screen has room for."""
    return element("div", list(figures), class_="grid")


def cards(entries: Iterable[tuple[str, object, str]]) -> Html:
    """Returns the numbers that matter most.

    Args:
      entries: what each is, the number, and what must be known of it.
    """
    return element(
        "div",
        [
            element(
                "div",
                element("div", name, class_="name"),
                element("div", value, class_="value"),
                element("div", note, class_="note") if note else None,
                class_="card",
            )
            for name, value, note in entries
        ],
        class_="cards",
    )


def facts(entries: Mapping[str, object]) -> Html:
    """Returns names with their values, those that are not None."""
    return element(
        "dl",
        [
            element("div", element("dt", name), element("dd", value))
            for name, value in entries.items()
            if value is not None
        ],
    )


def drawing(architecture: Architecture, options: Mapping[str, object], class_: str) -> Html:
    """Returns the drawing of an architecture.

    Args:
      architecture: of any space.
      options: of `draw_architecture`.
      class_: `large` or `small`.
    """
    # Drawings escape their own texts.
    svg = Html(draw_architecture(architecture, **options))
    return element("div", svg, class_=f"drawing {class_} scroll", tabindex=0)


def score_text(score: float, kind: str) -> str:
    """Returns a score with its unit; what it is a score of says `kind`."""
    return f"{100 * score:.2f} %" if kind.endswith("accuracy") else f"{score:.4f}"


def kind_text(kind: str) -> str:
    """Returns what a score is, in words."""
    return words(kind).replace("shared weights", "shared-weights")


def time_text(seconds: float | None) -> str | None:
    """Returns a length of time in words."""
    return None if seconds is None else duration(seconds)


def versions_text(record: Record) -> str | None:
    """Returns the versions of the software that began a run."""
    return ", ".join(f"{name} {version}" for name, version in record.versions.items()) or None


def written_text(record: Record) -> str | None:
    """Returns when a run was last written to."""
    if record.written is None:
        return None
    return moment(datetime.datetime.fromtimestamp(record.written).astimezone())


def moment(when: datetime.datetime) -> str:
    """Returns a date and a time of day, with the time zone."""
    return when.strftime("%Y-%m-%d %H:%M %Z").strip()
