"""`enas-report`: writes one HTML page on a search, a retraining, or a search with retrainings."""

import pathlib
import sys
from collections.abc import Iterator, Sequence

from enas_tf.cli import next_steps
from enas_tf.cli.app import run_command
from enas_tf.cli.flag_files import with_flag_files
from enas_tf.cli.flags import CommandFlags
from enas_tf.cli.known_run import known_run
from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.files.places import user_path
from enas_tf.files.writing import write_text
from enas_tf.reporting.page.page import Command, report_page
from enas_tf.reporting.page.records import SearchRecord, TrainingRecord, read_run

NAME = "enas-report"
SUMMARY = (
    "writes one HTML page with everything about a run, finished or not: curves, sampled "
    "operations, the best architectures drawn, the ranking, the settings, the results of "
    "retrainings. It opens in any browser, without a network."
)
PAGE = "report.html"

_ENDINGS = (".html", ".htm")
# The flags whose value may be the next argument.
_WITH_VALUE = ("run", "final", "output")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _report, argv)


def _report(argv: Sequence[str]) -> None:
    command = CommandFlags(NAME, SUMMARY)
    command.add(
        "Report",
        "run",
        str,
        None,
        f"Folder of a search or a retraining; --run= may be left out: {NAME} RUN.",
        required=True,
    )
    command.add(
        "Report",
        "final",
        str | None,
        None,
        "Folder of a retraining whose results belong into the report, for example of the "
        "architecture that the search found; may be given several times.",
    )
    command.add(
        "Report",
        "output",
        str | None,
        None,
        f"File to write; it ends in .html (default: RUN/{PAGE}).",
    )
    argv = with_flag_files(argv)
    command.parse(_with_run_named(argv))
    output = user_path(command["output"] or pathlib.Path(command["run"]) / PAGE)
    if output.suffix.lower() not in _ENDINGS:
        raise ConfigurationError(
            f"`--output` must be a file name that ends in .html. Received: --output={output}"
        )
    run = read_run(command["run"])
    finals = [_retraining(path, run.entry.name) for path in _finals(argv)]
    write_text(output, report_page(run, finals, _commands_after(run, finals)))
    print(f"Wrote {output}")


def _commands_after(
    run: SearchRecord | TrainingRecord, finals: Sequence[TrainingRecord]
) -> list[Command]:
    """Returns what can be done next, with the run and with the first finished retraining."""
    steps = []
    reported = known_run(run.path)
    if reported is not None:
        steps += next_steps.after(reported)
    # The commands of one finished retraining are enough to know those of the others.
    for final in [one for one in finals if one.results is not None][:1]:
        trained = known_run(final.path)
        if trained is not None:
            steps += next_steps.after(trained, data_of=reported)
    if reported is not None:
        steps.append(next_steps.tensorboard(reported))
    return [Command(step.purpose, step.line) for step in steps]


def _with_run_named(argv: Sequence[str]) -> list[str]:
    """Returns the arguments with a first one that is no flag as `--run`."""
    arguments, named = [], False
    for argument, is_flag in _told_apart(argv):
        if is_flag or named:
            arguments.append(argument)
        else:
            arguments.append(f"--run={argument}")
            named = True
    if named and any(_name(text) == "run" for text, is_flag in _told_apart(argv) if is_flag):
        raise ConfigurationError("The folder of the run is given twice, with --run and without.")
    return arguments


def _finals(argv: Sequence[str]) -> list[str]:
    """Returns all folders that `--final` names."""
    found = []
    flags = [text for text, is_flag in _told_apart(argv) if is_flag]
    for number, text in enumerate(flags):
        if _name(text) == "final":
            found.append(text.partition("=")[2] if "=" in text else flags[number + 1])
    return found


def _told_apart(argv: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yields the arguments, each with whether it is a flag or the value of one."""
    is_value = False
    for argument in argv:
        is_flag = argument.startswith("-") and argument != "-"
        yield argument, is_flag or is_value
        is_value = (
            not is_value and is_flag and "=" not in argument and _name(argument) in _WITH_VALUE
        )


def _name(flag: str) -> str:
    """Returns the name in `--name=value`."""
    return flag.lstrip("-").partition("=")[0]


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
