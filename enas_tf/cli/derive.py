"""`enas-derive`: ranks candidate architectures of a finished or unfinished search again."""

import sys
from collections.abc import Sequence

from enas_tf.cli.app import run_command
from enas_tf.cli.common import load_data
from enas_tf.cli.flags import CommandFlags, differing_arguments, peek
from enas_tf.cli.report import search_report
from enas_tf.cli.start_up import load_tensorflow
from enas_tf.config import DeriveConfig, SearchConfig
from enas_tf.errors import EnasError
from enas_tf.search.recorded import recorded_search

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
    defaults, unused = _settings_of_run(path) if path else (DeriveConfig(), [])
    command = CommandFlags(NAME, SUMMARY)
    command.add("Run", "run", str, None, "Folder of a search.", required=True)
    command.add_settings("Ranking (defaults: as the search did)", defaults, exclude=unused)
    command.parse(argv)
    config = command.settings(defaults)
    recorded = recorded_search(command["run"])
    data, _ = load_data(recorded.entry, recorded.data, recorded.check_data, load_tensorflow)

    from enas_tf.search.derive_again import derive_recorded

    result = derive_recorded(recorded, data, config)
    dataset = f"--dataset={recorded.data.dataset}"
    plain = type(recorded.data)(dataset=recorded.data.dataset)
    others = differing_arguments(recorded.data, plain)
    print(search_report(result, [dataset, *others]))


def _settings_of_run(path: str) -> tuple[DeriveConfig, list[str]]:
    """Returns how the search of a run ranks, if there is such a run, and flags without effect."""
    try:
        recorded = recorded_search(path)
    except EnasError:
        # It is told after the flags have been read.
        return DeriveConfig(), []
    prefix = SearchConfig.__dataclass_fields__["derive"].metadata["prefix"]
    return recorded.config.derive, [f.removeprefix(prefix) for f in recorded.entry.unused_flags]


if __name__ == "__main__":
    sys.exit(main())
