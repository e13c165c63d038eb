"""The report of a run: what a view says, in the templates of the folder `templates`."""

import datetime
from collections.abc import Sequence

from enas_tf.records.next_steps import NextStep
from enas_tf.reporting.page.curves import NOT_FINAL
from enas_tf.reporting.page.records import SearchRecord, TrainingRecord
from enas_tf.reporting.page.render import render
from enas_tf.reporting.page.search_view import search_view
from enas_tf.reporting.page.settings_table import DEFAULT, nearest_preset, preset_rows
from enas_tf.reporting.page.training_view import training_view


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
    }
    return render(name, now, **view, **more)
