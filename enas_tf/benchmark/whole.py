"""How the time of a whole search is divided: two epochs on random data, by what they are spent on.

The search is `enas_tf.search` itself; what is measured are the pieces of work that it names
(`training/pace.py`), each without those inside of it, so that all add up to the whole.
"""

import contextlib
import pathlib
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple

from typing_extensions import Self

from enas_tf.benchmark.machine import about
from enas_tf.environment.keras_settings import under_own_settings
from enas_tf.searching.api import search
from enas_tf.searching.schedule import LEARN, SAVE
from enas_tf.settings.benchmark import WholeConfig
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.training import pace
from enas_tf.training.devices import default_strategy

# What the time is spent on, and the kinds of work that belong to it. What is left is Python's.
PARTS = {
    "training_steps": (pace.TRAIN,),
    "rewards": (pace.REWARD,),
    "validation": (pace.VALIDATE,),
    "controller": (pace.PROPOSE, LEARN),
    "checkpoints": (SAVE,),
    "data": (pace.DATA,),
    "reports": (pace.REPORT,),
}
REST = "rest"
# These are what a search is there for.
PASSES = ("training_steps", "rewards", "validation")


class _Mark(NamedTuple):
    """The end of an epoch.

    Attributes:
      seconds: of the clock.
      own: what was measured until then, by kind of work.
    """

    seconds: float
    own: dict[str, pace.Own]

    @classmethod
    def of(cls, account: pace.Pace) -> Self:
        """Returns what an account says now."""
        kinds = (kind for kinds in PARTS.values() for kind in kinds)
        return cls(pace.now(), {kind: account.own(kind) for kind in kinds})

    def since(self, earlier: "_Mark", kinds: Sequence[str]) -> pace.Own:
        """Returns what some kinds took together since an earlier mark."""
        pairs = [(earlier.own[kind], self.own[kind]) for kind in kinds]
        return pace.Own(
            sum(new.pieces - old.pieces for old, new in pairs),
            sum(new.seconds - old.seconds for old, new in pairs),
        )


class _Enough(Exception):  # noqa: N818 (no error: the end of what is measured)
    """The epochs that are wanted have been measured."""


@under_own_settings
def measure_search(
    space: SearchSpace,
    config: SearchConfig,
    whole: WholeConfig | None = None,
    *,
    preset: str | None = None,
    distribution: Any | None = None,
) -> dict[str, Any]:
    """Measures what the time of an epoch is spent on.

    Nothing is ranked at the end; the run is made in a temporary folder.

    Args:
      space: the search space.
      config: the settings of the search; see `WholeConfig.of_search` for what is other.
      whole: how long it is; default: `WholeConfig()`.
      preset: of the search, from which final networks follow.
      distribution: over which devices; default: as in `enas_tf.search`.

    Returns:
      A dictionary with `first_epoch_seconds` (from the start of the search: building, tracing and
      compiling included), `epoch_seconds` (the mean of the `epochs` after it) and of these epochs
      `parts`: for each part its `seconds` an epoch, its `share`, its `pieces` an epoch, and the
      `first_piece_seconds`, those of the very first piece of each kind; `rest` is what no piece
      takes. `neither_training_nor_scoring` is the share of all parts but training steps, rewards
      and validation. Further `steps`, `updates_per_epoch`, `samples_per_update`, `settings` and
      `device`.
    """
    whole = whole or WholeConfig()
    config = whole.of_search(config)
    account = pace.Pace()
    marks: list[_Mark] = []

    def epoch_done(told: dict[str, Any]) -> None:
        del told
        marks.append(_Mark.of(account))
        if len(marks) == whole.epochs:
            raise _Enough

    begun = pace.now()
    with (
        tempfile.TemporaryDirectory(prefix="enas_benchmark_") as folder,
        pace.measuring(account),
        contextlib.suppress(_Enough),
    ):
        search(
            space,
            space.random_data(config, whole.steps),
            config,
            pathlib.Path(folder) / "run",
            distribution=distribution,
            on_epoch_end=epoch_done,
            preset=preset,
        )
    first, last, epochs = marks[0], marks[-1], whole.epochs - 1
    parts = _divided(first, last, epochs)
    for part, kinds in PARTS.items():
        parts[part]["first_piece_seconds"] = sum(map(account.first, kinds))
    replicas = (distribution or default_strategy()).num_replicas_in_sync
    return {
        "epochs": epochs,
        "steps": whole.steps,
        "updates_per_epoch": last.since(first, [LEARN]).pieces // epochs,
        "samples_per_update": config.policy.samples_per_update,
        "first_epoch_seconds": first.seconds - begun,
        "epoch_seconds": (last.seconds - first.seconds) / epochs,
        "parts": parts,
        "neither_training_nor_scoring": 1.0 - sum(parts[part]["share"] for part in PASSES),
        "settings": {
            "space": {"name": space.name, **space.to_json()},
            "search": config.to_json(),
            "whole": whole.to_json(),
        },
        "device": about(replicas),
    }


def _divided(first: _Mark, last: _Mark, epochs: int) -> dict[str, dict[str, Any]]:
    """Returns what the time of an epoch is spent on.

    Args:
      first: the end of the first epoch.
      last: the end of the last one.
      epochs: in between.
    """
    whole = last.seconds - first.seconds
    parts: dict[str, dict[str, Any]] = {}
    for part, kinds in PARTS.items():
        own = last.since(first, kinds)
        parts[part] = {
            "seconds": own.seconds / epochs,
            "share": own.seconds / whole,
            "pieces": own.pieces / epochs,
        }
    seconds = whole / epochs - sum(part["seconds"] for part in parts.values())
    parts[REST] = {"seconds": seconds, "share": seconds * epochs / whole}
    return parts
