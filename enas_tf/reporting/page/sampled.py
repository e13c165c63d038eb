"""The architectures that a search sampled for its controller: operations and rewards by epoch."""

import dataclasses
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from enas_tf.drawing.shares import shares_of
from enas_tf.errors import ArchitectureError
from enas_tf.records.logs import Lines
from enas_tf.reporting.page.numbers import is_number
from enas_tf.spaces.base import Architecture, SearchSpace

# So many columns can still be told from each other.
_MOST_COLUMNS = 60
# Reading one architecture takes a tenth of a millisecond; so many tell the shares.
_MOST_READ = 5000
# At the least of the first and the last column, whose shares are shown place by place.
_MOST_READ_OF_ENDS = 400


class Epochs(NamedTuple):
    """Epochs that share a column: the first and the last of them, from 1."""

    first: int
    last: int

    @property
    def name(self) -> str:
        """What a reader calls them."""
        if self.first == self.last:
            return f"epoch {self.first}"
        return f"epochs {self.first} to {self.last}"

    @property
    def middle(self) -> float:
        """Where their column stands."""
        return (self.first + self.last) / 2


@dataclasses.dataclass(frozen=True)
class SampledEpochs:
    """What was sampled in some epochs.

    Attributes:
      epochs: which.
      rewards: of all architectures that were sampled, in the order of time.
      shares: for each operation its share at each place (layer, node …), 0 to 1.
      num_read: architectures that the shares come from.
    """

    epochs: Epochs
    rewards: Sequence[float]
    shares: Mapping[str, Sequence[float]]
    num_read: int

    def mean_shares(self) -> dict[str, float]:
        """Returns for each operation its share in all choices."""
        return {
            name: math.fsum(values) / max(len(values), 1) for name, values in self.shares.items()
        }


@dataclasses.dataclass(frozen=True)
class Sampled:
    """What a search sampled.

    Attributes:
      columns: what was sampled, by epochs.
      total: how many architectures were sampled.
      qualities: of each architecture, by its integers, the mean of what it was rewarded with; where
        costs counted, without them.
      costs: where they counted, by the integers.
    """

    columns: Sequence[SampledEpochs] = ()
    total: int = 0
    qualities: Mapping[str, float] = dataclasses.field(default_factory=dict)
    costs: Mapping[str, float] = dataclasses.field(default_factory=dict)


def read_sampled(path: pathlib.Path, space: SearchSpace) -> tuple[Sampled, list[str]]:
    """Returns what a search sampled so far, and sentences on what could not be read.

    Args:
      path: of its `architectures.jsonl`, which need not exist.
      space: the space.
    """
    lines = Lines(path)
    rewards: dict[int, list[float]] = {}
    strings: dict[int, list[str]] = {}
    qualities: dict[str, list[float]] = {}
    costs: dict[str, float] = {}
    for line in lines:
        epoch, reward, text = (line.get(name) for name in ("epoch", "reward", "release_string"))
        if not (is_number(epoch) and isinstance(text, str)):
            lines.damaged += 1
            continue
        strings.setdefault(int(epoch), []).append(text)
        if is_number(reward):
            rewards.setdefault(int(epoch), []).append(reward)
            quality, cost = line.get("quality", reward), line.get("cost")
            if is_number(quality):
                qualities.setdefault(text, []).append(quality)
            if is_number(cost):
                costs[text] = cost
    groups = _groups(sorted(strings))
    of_all = _MOST_READ // max(len(groups), 1)
    columns = []
    for number, (group, inside) in enumerate(groups.items()):
        texts = [text for epoch in inside for text in strings[epoch]]
        is_end = number in (0, len(groups) - 1)
        most = max(of_all, _MOST_READ_OF_ENDS) if is_end else of_all
        architectures = _architectures(_evenly(texts, most), space)
        of_group = [reward for epoch in inside for reward in rewards.get(epoch, ())]
        shares = shares_of(space.operation_counts(architectures)) if architectures else {}
        columns.append(SampledEpochs(group, of_group, shares, len(architectures)))
    means = {text: math.fsum(values) / len(values) for text, values in qualities.items()}
    total = sum(map(len, strings.values()))
    return Sampled(columns, total, means, costs), lines.complaints()


def _groups(epochs: Sequence[int]) -> dict[Epochs, list[int]]:
    """Returns those of the epochs, which ascend, that share a column, by column."""
    groups: dict[Epochs, list[int]] = {}
    for epoch in epochs:
        size = math.ceil((epochs[-1] - epochs[0] + 1) / _MOST_COLUMNS)
        start = epoch - (epoch - epochs[0]) % size
        groups.setdefault(Epochs(start, min(start + size - 1, epochs[-1])), []).append(epoch)
    return groups


def _evenly(entries: Sequence[str], most: int) -> list[str]:
    """Returns some entries that lie equally far apart, or all if there are few."""
    if len(entries) <= most:
        return list(entries)
    return [entries[number * len(entries) // most] for number in range(most)]


def _architectures(texts: Sequence[str], space: SearchSpace) -> list[Architecture]:
    """Returns those architectures that can be read and belong to the space."""
    found = []
    for text in texts:
        try:
            architecture = space.architecture_from_release_string(text)
            space.check(architecture)
        except ArchitectureError:
            continue
        found.append(architecture)
    return found
