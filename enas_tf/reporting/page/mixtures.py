"""What a search by gradient mixed after each epoch."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from enas_tf.drawing.style import operation_colours
from enas_tf.records.logs import Lines
from enas_tf.reporting.page.charts import Chart, heat_map, shares_chart
from enas_tf.reporting.page.numbers import is_number, words
from enas_tf.reporting.page.sampled import Epochs
from enas_tf.settings.strategies import DartsConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.entry import SpaceEntry
from enas_tf.spaces.relaxation import RelaxableSpace

# More columns than these cannot be told from each other.
_MOST_COLUMNS = 60


class RecordedMixture(NamedTuple):
    """The mixture after an epoch.

    Attributes:
      epoch: from 1.
      mixture: of the space's `mixture_type`.
    """

    epoch: int
    mixture: Any


def read_mixtures(
    path: pathlib.Path, space: SearchSpace
) -> tuple[list[RecordedMixture], list[str]]:
    """Returns the mixtures of a search so far, and sentences on what could not be read.

    Args:
      path: of its `mixtures.jsonl`, which need not exist.
      space: the space.
    """
    if not isinstance(space, RelaxableSpace):
        return [], []
    lines, shape = Lines(path), space.permitted().shape
    found = []
    for line in lines:
        epoch, weights = line.get("epoch"), _weights(line.get("weights"))
        if is_number(epoch) and weights is not None and weights.shape == shape:
            found.append(RecordedMixture(int(epoch), space.mixture_type(weights)))
        else:
            lines.damaged += 1
    return found, lines.complaints()


def _weights(value: Any) -> np.ndarray | None:
    try:
        weights = np.asarray(value, np.float32)
    except (TypeError, ValueError):
        return None
    return weights if np.isfinite(weights).all() else None


def mixture_view(
    entry: SpaceEntry, space: SearchSpace, config: DartsConfig, mixtures: Sequence[RecordedMixture]
) -> Mapping[str, Any] | None:
    """Returns what the template shows of the mixtures; None: there are none.

    Args:
      entry: of the space.
      space: the space.
      config: says how a cell is read off.
      mixtures: in the order of the epochs.
    """
    if not mixtures or not isinstance(space, RelaxableSpace):
        return None
    last = mixtures[-1].mixture
    (cell,) = space.discretise(space.mixture_type(last.weights[None]), config.read_off)
    ends = mixtures[:: max(1, len(mixtures) - 1)]
    return {
        "epoch": mixtures[-1].epoch,
        "cell": cell,
        "drawing_options": {
            **space.drawing_options(),
            "strengths": space.strengths(last, cell).tolist(),
        },
        "charts": [_over_time(space, mixtures)],
        "heat_maps": [
            heat_map(f"{what} by decision, epoch {one.epoch}", shares, places, entry.places_note)
            for number, what in enumerate(("Operations", "Inputs"))
            for one in ends
            for shares in [_in_words(space.marginals(one.mixture)[number])]
            for places in [entry.place_names(len(next(iter(shares.values()))))]
        ],
    }


def _over_time(space: RelaxableSpace, mixtures: Sequence[RecordedMixture]) -> Chart:
    """Returns the chart of each operation's mean weight, of so many epochs as can be seen."""
    shown = mixtures[:: -(-len(mixtures) // _MOST_COLUMNS)]
    columns = [space.marginals(one.mixture)[0] for one in shown]
    shares = {
        words(name): [float(np.mean(column[name])) for column in columns] for name in columns[0]
    }
    fills = {words(one.label): operation_colours(one)[0] for one in space.mixed_operations}
    epochs = [Epochs(one.epoch, one.epoch) for one in shown]
    return shares_chart(
        "Operations over time", epochs, shares, fills, "Mean weight over all decisions."
    )


def _in_words(shares: Mapping[str, Sequence[float]]) -> dict[str, Sequence[float]]:
    return {words(name): values for name, values in shares.items()}
