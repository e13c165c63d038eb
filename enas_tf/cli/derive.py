"""`enas-derive`: ranks candidate architectures of a finished or unfinished search again."""

import sys
from collections.abc import Sequence

from enas_tf.cli.app import run_command
from enas_tf.cli.closing_words import search_report
from enas_tf.cli.common import flags_of_other_spaces, load_data
from enas_tf.cli.flags import CommandFlags, peek
from enas_tf.cli.start_up import load_tensorflow
from enas_tf.errors import EnasError
from enas_tf.records.run import RecordedRun, recorded_search
from enas_tf.settings.arguments import flag_names
from enas_tf.settings.groups import Group
from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.spaces.registry import SpaceEntry

NAME = "enas-derive"
SUMMARY = (
    "samples candidate architectures from the controller of a search, finished or not, ranks them "
    "with the shared weights, and writes the best one into the run."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _derive, argv)


def _derive(argv: Sequence[str]) -> None:
    path = peek(argv, ["run"])["run"]
    searched = _search_in(path) if path else None
    defaults = DeriveConfig() if searched is None else searched.settings["search"].derive
    elsewhere = {} if searched is None else flags_of_other_spaces(searched.entry, _flag_names)
    command = CommandFlags(NAME, SUMMARY, elsewhere)
    command.add(Group.START, "run", str, None, "Folder of a search.", required=True)
    command.add(
        Group.START,
        "checkpoint",
        str,
        "latest",
        "Which checkpoint: the latest, or the one after the epoch at whose end a proposed "
        "architecture had the best score.",
        choices=("latest", "best"),
    )
    command.add_settings(Group.RANKING, defaults, exclude=elsewhere)
    command.parse(argv)
    config = command.settings(defaults)
    recorded = recorded_search(command["run"])
    data, _ = load_data(recorded.entry, recorded.data, recorded.check_data, load_tensorflow)

    from enas_tf.searching.ranking_again import derive_recorded

    result = derive_recorded(recorded, data, config, command["checkpoint"])
    print(search_report(result))


def _search_in(path: str) -> RecordedRun | None:
    """Returns the search in a run directory, if there is one."""
    try:
        return recorded_search(path)
    except EnasError:
        # It is told after the flags have been read.
        return None


def _flag_names(entry: SpaceEntry) -> set[str]:
    """Returns the flags of the ranking that change something in a space."""
    prefix = SearchConfig.__dataclass_fields__["derive"].metadata["prefix"]
    unused = {flag.removeprefix(prefix) for flag in entry.unused_flags}
    return set(flag_names(DeriveConfig())) - unused


if __name__ == "__main__":
    sys.exit(main())
