"""What a study does: searches of several methods and seeds, and trainings from scratch.

Nothing here imports TensorFlow. A study is a list of jobs that do not depend on each other, so that
`--part` can divide them among processes: a search goes together with the scoring by its weights and
with the trainings of what it found; every training of a random architecture is a job of its own.
"""

import dataclasses
import hashlib
from typing import Any, NamedTuple

import numpy as np

from enas_tf.errors import ConfigurationError
from enas_tf.searching.limits import NO_LIMITS, Limits
from enas_tf.searching.procedures import METHODS
from enas_tf.settings.durations import check_time, seconds_of, time_setting
from enas_tf.settings.setting import Settings, setting
from enas_tf.spaces.base import Architecture, SearchSpace

# Keeps the random architectures apart from all that searches of the same seed draw.
_RANDOM_ARCHITECTURES = 14
# Of the time of a search in a study: for the scores that its weights give to random architectures.
_SHARE_OF_SCORING = 0.2
# So many draws in a row that bring nothing new: the space has no more.
_MOST_DRAWS = 10_000


@dataclasses.dataclass(frozen=True)
class StudyConfig(Settings):
    """How much a study does."""

    methods: str = setting(
        "reinforce,random",
        f"Strategies whose searches are compared, of {', '.join(METHODS)}, separated by commas; "
        "architectures drawn at random are always there.",
    )
    seeds: int = setting(
        3, "Searches of each method, with seeds from seed on (papers ask for 4 to 10).", minimum=1
    )
    num_random: int = setting(
        12, "Architectures drawn at random and trained from scratch.", minimum=2
    )
    retrain_seeds: int = setting(
        2,
        "Trainings from scratch of each architecture; with at least 2 the study knows how well "
        "training again would rank.",
        minimum=1,
    )
    time_budget: str | None = time_setting(
        "Time for all jobs of the study, as if one process did them: half of it for the searches, "
        "half for the trainings from scratch, and equal times for all searches, and for all "
        "trainings.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_time("time_budget", self.time_budget)
        for name in self.method_names:
            if name not in METHODS or self.method_names.count(name) > 1:
                raise ConfigurationError(
                    f"`methods` must be some of {', '.join(METHODS)}, separated by commas, each "
                    f"once. Received: methods={self.methods}"
                )

    @property
    def method_names(self) -> list[str]:
        """The strategies, in the order in which they were given."""
        return [name.strip() for name in self.methods.split(",")]


class SearchJob(NamedTuple):
    """A search, the scoring by its weights, and the trainings of what it found.

    Attributes:
      method: its strategy.
      seed: of the search.
    """

    method: str
    seed: int

    @property
    def name(self) -> str:
        """What it is called in messages, and its folder."""
        return f"{self.method}-seed{self.seed}"


class TrainingJob(NamedTuple):
    """A training from scratch.

    Attributes:
      architecture: what is trained.
      seed: of the training.
    """

    architecture: Architecture
    seed: int

    @property
    def name(self) -> str:
        """What it is called in messages, and its folder: the same for whoever trains the same."""
        text = self.architecture.to_release_string()
        return f"{hashlib.sha256(text.encode()).hexdigest()[:12]}-seed{self.seed}"


class Part(NamedTuple):
    """Every `of`-th job of a study, from job `number - 1` on.

    Attributes:
      number: from 1 to `of`.
      of: how many parts there are.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Returns the part that a text like `2/8` names.

        Raises:
          ConfigurationError: it is none.
        """
        number, _, count = text.partition("/")
        if number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count):
            return cls(int(number), int(count))
        raise ConfigurationError(
            "`part` must be K/N with K from 1 to N, for example 2/8 for the second of eight parts. "
            f"Received: part={text}"
        )


WHOLE = Part(1, 1)


class JobTimes(NamedTuple):
    """What each job of a study with a time budget may take, as settings have it.

    Attributes:
      search: a search, without the scoring by its weights.
      training: a training from scratch.
    """

    search: str
    training: str


@dataclasses.dataclass(frozen=True)
class Plan:
    """The jobs of a study.

    Attributes:
      searches: one for each method and seed.
      random: the random architectures.
      seeds: of all trainings from scratch.
    """

    searches: tuple[SearchJob, ...]
    random: tuple[Architecture, ...]
    seeds: tuple[int, ...]

    @property
    def trainings(self) -> tuple[TrainingJob, ...]:
        """The trainings of random architectures."""
        return tuple(TrainingJob(one, seed) for seed in self.seeds for one in self.random)

    def trainings_of(self, found: Architecture) -> tuple[TrainingJob, ...]:
        """Returns the trainings of an architecture that a search found."""
        return tuple(TrainingJob(found.canonical(), seed) for seed in self.seeds)

    def times(self, time_budget: str, *, is_searched: bool = True) -> JobTimes:
        """Returns what each job may take of a time for all of them.

        Args:
          time_budget: the time, such as `2h`.
          is_searched: whether the study makes the searches itself; else all is for the trainings.

        Raises:
          ConfigurationError: it is less than a second for a job.
        """
        whole = seconds_of(time_budget) or 0.0
        half = whole / 2 if is_searched else whole
        trainings = len(self.trainings) + len(self.searches) * len(self.seeds)
        search = (1.0 - _SHARE_OF_SCORING) * half / len(self.searches)
        times = int(search), int(half / trainings)
        if min(times) < 1:
            raise ConfigurationError(
                f"`time_budget` must be more for {len(self.searches)} searches and {trainings} "
                f"trainings. Received: time_budget={time_budget}"
            )
        return JobTimes(*(f"{seconds}s" for seconds in times))

    def jobs(self, part: Part = WHOLE) -> list[Any]:
        """Returns the jobs of a part: searches first, which take longest."""
        return [*self.searches, *self.trainings][part.number - 1 :: part.of]


def make_plan(
    space: SearchSpace, config: StudyConfig, seed: int, limits: Limits = NO_LIMITS
) -> Plan:
    """Returns the jobs of a study.

    Args:
      space: from which random architectures are drawn, each in its canonical form.
      config: how many of each there are.
      seed: of the first search, of the first training and of the random architectures.
      limits: what the networks of random architectures may cost.

    Raises:
      ConfigurationError: the space has fewer architectures, or fewer within the limits.
    """
    generator = np.random.default_rng((seed, _RANDOM_ARCHITECTURES))
    drawn: dict[Architecture, None] = {}
    for _ in range(_MOST_DRAWS):
        if len(drawn) == config.num_random:
            break
        (one,) = limits.draw(
            1, lambda number: [space.random_architecture(generator) for _ in range(number)]
        )
        drawn[one.canonical()] = None
    else:
        raise ConfigurationError(
            f"`num_random` must be at most the number of architectures of the space"
            f"{' within the limits' if limits.maxima else ''}, about {len(drawn)}. "
            f"Received: num_random={config.num_random}."
        )
    seeds, names = range(seed, seed + config.seeds), config.method_names
    return Plan(
        # Seed by seed, so that the first results compare all methods, and each time in another
        # order, so that no part gets the same method every time.
        searches=tuple(
            SearchJob(names[(turn + place) % len(names)], one)
            for turn, one in enumerate(seeds)
            for place in range(len(names))
        ),
        random=tuple(drawn),
        seeds=tuple(range(seed, seed + config.retrain_seeds)),
    )
