"""The truth of a small space: what every one of its architectures is worth, trained alone.

With it a strategy's whole search takes seconds, and how far it stays from the best is known
exactly. As in NAS-Bench (Ying et al., 2019, arXiv 1902.09635), a search sees the validation score
of one training; the worth of an architecture is its mean test metric over all trainings.

Nothing here imports TensorFlow.
"""

import dataclasses
import functools
import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np
from typing_extensions import Self

from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.files.reading import read_bytes
from enas_tf.files.writing import to_json_text, write_text
from enas_tf.searching.limits import Limits
from enas_tf.settings.arguments import differing_arguments
from enas_tf.settings.costs import COSTS, CostConfig
from enas_tf.spaces.base import FORMAT_VERSION, Architecture, SearchSpace
from enas_tf.spaces.costs import Costs
from enas_tf.spaces.registry import get_space

_SHIPPED = resources.files("enas_tf.studies") / "truths"
_SUFFIX = ".json"


@dataclasses.dataclass(frozen=True)
class Truth:
    """What became of every architecture of a space.

    Attributes:
      space: the space.
      dataset: the name of the data.
      budget: how each was trained, as JSON can hold it.
      metric: what `tests` holds, for example `test_accuracy`.
      lower_is_better: whether a low value of it is good.
      architectures: all of them, in their canonical form.
      rewards: validation scores `[architectures, seeds]`; higher is better.
      tests: the metric on the test part, `[architectures, seeds]`.
      parameters: of the networks, `[architectures]`.
      multiply_adds: of one example, `[architectures]`.
    """

    space: SearchSpace
    dataset: str
    budget: Mapping[str, Any]
    metric: str
    lower_is_better: bool
    architectures: Sequence[Architecture]
    rewards: np.ndarray
    tests: np.ndarray
    parameters: np.ndarray
    multiply_adds: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.architectures)
        if count < 2 or self.rewards.ndim != 2 or self.tests.shape != self.rewards.shape:
            raise ConfigurationError(
                "A truth needs at least two architectures, with as many rewards as tests each."
            )
        if {len(self.rewards), len(self.parameters), len(self.multiply_adds)} != {count}:
            raise ConfigurationError(f"A truth of {count} architectures needs {count} rows.")

    @functools.cached_property
    def _rows(self) -> dict[Architecture, int]:
        return {architecture: row for row, architecture in enumerate(self.architectures)}

    def costs(self, architecture: Architecture) -> Costs:
        """Returns what the network of an architecture of the table costs."""
        (row,) = self.rows([architecture])
        parameters = int(self.parameters[row])
        return Costs(parameters, parameters, int(self.multiply_adds[row]))

    def within(self, limits: Limits) -> Self:
        """Returns the truth of the architectures within limits, the best of which have no regret.

        Raises:
          ConfigurationError: there are fewer than two.
        """
        rows = [row for row, one in enumerate(self.architectures) if limits.allows(one)]
        if len(rows) < 2:
            raise ConfigurationError(
                f"{len(rows)} of the {len(self.architectures)} architectures of the truth are "
                f"within the limits, {dict(limits.maxima)}; at least two are needed."
            )
        kept = ("rewards", "tests", "parameters", "multiply_adds")
        return dataclasses.replace(
            self,
            architectures=[self.architectures[row] for row in rows],
            **{name: getattr(self, name)[rows] for name in kept},
        )

    @property
    def num_seeds(self) -> int:
        """How often every architecture was trained."""
        return self.rewards.shape[1]

    @property
    def worth(self) -> np.ndarray:
        """Mean of the test metric over the trainings, `[architectures]`."""
        return self.tests.mean(axis=1)

    @property
    def regrets(self) -> np.ndarray:
        """How much worse than the best of the space each one is, `[architectures]`, at least 0."""
        worth = -self.worth if self.lower_is_better else self.worth
        return worth.max() - worth

    def rows(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """Returns the place of each architecture in the table.

        Raises:
          ArchitectureError: one is not in the table.
        """
        try:
            return np.array(
                [self._rows[architecture.canonical()] for architecture in architectures]
            )
        except KeyError as error:
            raise ArchitectureError(
                f"The truth has no architecture {error.args[0].to_release_string()!r}."
            ) from None

    def probability_beats_random(self, row: int) -> float:
        """Returns the chance that an architecture is better than a random one; ties count half."""
        regrets = self.regrets
        worse, equal = np.mean(regrets > regrets[row]), np.mean(regrets == regrets[row])
        return float(worse + equal / 2)

    def to_json(self) -> dict[str, Any]:
        """Returns the truth as JSON can hold it; a line of numbers an architecture."""
        return {
            "format_version": FORMAT_VERSION,
            "space": {"name": self.space.name, **self.space.to_json()},
            "dataset": self.dataset,
            "budget": dict(self.budget),
            "metric": self.metric,
            "lower_is_better": self.lower_is_better,
            "architectures": {
                architecture.to_release_string(): [
                    np.round(self.rewards[row], 5).tolist(),
                    np.round(self.tests[row], 5).tolist(),
                    int(self.parameters[row]),
                    int(self.multiply_adds[row]),
                ]
                for row, architecture in enumerate(self.architectures)
            },
        }

    def write(self, path: pathlib.Path) -> None:
        """Writes the file that `read_truth` reads."""
        # A line an architecture, so that people can look something up.
        lines = to_json_text(self.to_json()).replace("]], ", "]],\n").replace(': {"', ':\n{"')
        write_text(path, lines + "\n")


def check_known_costs(config: CostConfig) -> None:
    """Raises `ConfigurationError` unless costs have only limits, and a truth knows all of them."""
    if config.cost is not None or COSTS["latency"] in config.maxima:
        raise ConfigurationError(
            "A truth knows parameters and multiply-adds, and regrets are in quality alone: here "
            "`max_parameters` and `max_multiply_adds` can be given. Received: "
            f"{', '.join(differing_arguments(config, CostConfig()))}."
        )


def shipped_truths() -> list[str]:
    """Returns the names of the truths that come with the package."""
    names = [entry.name for entry in _SHIPPED.iterdir()] if _SHIPPED.is_dir() else []
    return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))


def read_truth(name: str | os.PathLike[str]) -> Truth:
    """Returns a truth.

    Args:
      name: of a file, or of one that comes with the package, see `shipped_truths`.

    Raises:
      ConfigurationError: there is no such file, or it holds no truth.
    """
    path = pathlib.Path(name).expanduser()
    if not path.is_file():
        if os.fspath(name) not in shipped_truths():
            raise ConfigurationError(
                f"`truth` must be a file that enas-study --exhaustive wrote, or one of "
                f"{', '.join(shipped_truths())}. Received: truth={os.fspath(name)!r}."
            )
        path = pathlib.Path(str(_SHIPPED / f"{os.fspath(name)}{_SUFFIX}"))
    try:
        return _truth_of_document(json.loads(read_bytes(path)))
    except (ValueError, KeyError, TypeError, AttributeError, ArchitectureError) as error:
        raise ConfigurationError(f"{path} holds no truth of a space: {error}.") from error


def _truth_of_document(document: Mapping[str, Any]) -> Truth:
    if document["format_version"] != FORMAT_VERSION:
        raise ValueError(f"format_version must be {FORMAT_VERSION}")
    settings = dict(document["space"])
    space = get_space(settings.pop("name")).space.from_json(settings)
    rewards, tests, parameters, multiply_adds = zip(*document["architectures"].values())
    return Truth(
        space=space,
        dataset=document["dataset"],
        budget=document["budget"],
        metric=document["metric"],
        lower_is_better=document["lower_is_better"],
        architectures=[
            space.architecture_from_release_string(text) for text in document["architectures"]
        ],
        rewards=np.array(rewards, float),
        tests=np.array(tests, float),
        parameters=np.array(parameters, int),
        multiply_adds=np.array(multiply_adds, int),
    )
