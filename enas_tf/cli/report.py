"""`enas-report`: writes one HTML page on a search, a retraining, or a search with retrainings."""

import pathlib
import sys
from collections.abc import Sequence

from enas_tf.cli.app import run_command
from enas_tf.cli.flags import CommandFlags
from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.files.places import user_path
from enas_tf.files.writing import write_text
from enas_tf.records import next_steps
from enas_tf.reporting.page.page import report_page
from enas_tf.reporting.page.records import SearchRecord, TrainingRecord, read_run
from enas_tf.settings.groups import Group

NAME = "enas-report"
SUMMARY = (
    "writes one HTML page with everything about a run, finished or not: curves, sampled "
    "operations, the best architectures drawn, the ranking, the settings, the results of "
    "retrainings. It opens in any browser, without a network."
)
PAGE = "report.html"

_ENDINGS = (".html", ".htm")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _report, argv)


def _report(argv: Sequence[str]) -> None:
    command = CommandFlags(NAME, SUMMARY, positional="run")
    command.add(
        Group.START,
        "run",
        str,
        None,
        f"Folder of a search or a retraining; --run= may be left out: {NAME} RUN.",
        required=True,
    )
    command.add(
        Group.START,
        "final",
        list[str],
        None,
        "Folder of a retraining whose results belong into the report, for example of the "
        "architecture that the search found; may be given several times.",
    )
    command.add(
        Group.OUTPUT,
        "output",
        str | None,
        None,
        f"File to write; it ends in .html (default: RUN/{PAGE}).",
    )
    command.parse(argv)
    output = user_path(command["output"] or pathlib.Path(command["run"]) / PAGE)
    if output.suffix.lower() not in _ENDINGS:
        raise ConfigurationError(
            f"`--output` must be a file name that ends in .html. Received: --output={output}"
        )
    run = read_run(command["run"])
    finals = [_retraining(path, run.entry.name) for path in command["final"] or ()]
    write_text(output, report_page(run, finals, _commands_after(run, finals)))
    print(f"Wrote {output}")


def _commands_after(
    run: SearchRecord | TrainingRecord, finals: Sequence[TrainingRecord]
) -> list[next_steps.NextStep]:
    """Returns what can be done next, with the run and with the first finished retraining."""
    steps = next_steps.after(run)
    # The commands of one finished retraining are enough to know those of the others.
    for final in [one for one in finals if one.results is not None][:1]:
        steps += next_steps.after(final, data_of=run)
    return [*steps, next_steps.tensorboard(run)]


def _retraining(path: str, space: str) -> TrainingRecord:
    record = read_run(path)
    if not isinstance(record, TrainingRecord):
        raise RunDirectoryError(
            f"{path} is not the run of a retraining; `--final` takes the output_dir of "
            "enas-retrain."
        )
    if record.entry.name != space:
        raise RunDirectoryError(
            f"{path} holds a network of the {record.entry.name} space, not of the {space} space "
            "of the run."
        )
    return record


if __name__ == "__main__":
    sys.exit(main())
