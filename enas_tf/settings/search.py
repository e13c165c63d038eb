"""The settings of a whole search: who proposes, who scores, and how the best one is chosen.

What only one space has (its size, its controller's constants) stands in that space's folder, and
so do the presets. Flags, `config.json` and the tables of the documentation come from these fields.
"""

import dataclasses

from typing_extensions import Self

from enas_tf.errors import ConfigurationError
from enas_tf.settings.costs import CostConfig
from enas_tf.settings.durations import check_time, time_setting
from enas_tf.settings.groups import Group
from enas_tf.settings.setting import Settings, section, setting
from enas_tf.settings.strategies import (
    DartsConfig,
    EvolutionConfig,
    PolicyConfig,
    SurrogateConfig,
)
from enas_tf.settings.training import (
    PRECISIONS,
    LossConfig,
    TrainingConfig,
    precision_setting,
)

# What pictures are scored by; programs may have more (`enas_tf.register_metric`).
METRICS = ("accuracy", "top_5", "balanced_accuracy", "macro_f1", "loss")
# As many likeliest classes count for the top-5 accuracy.
TOP = 5
# Of the same quality: the likelihood only tells architectures apart more surely.
OF_ACCURACY = ("accuracy", "loss")


@dataclasses.dataclass(frozen=True)
class TrainedConfig(Settings):
    """How a proposed architecture is scored by a training of its own (Zoph and Le, 1611.01578)."""

    epochs: int = setting(
        10,
        "Epochs for which each proposed architecture is trained from scratch, with the settings of "
        "the shared weights, if evaluation is trained.",
        minimum=1,
        group=Group.DURATION,
    )
    best_of_epochs: int = setting(
        5, "The score is the best validation score of so many last epochs.", minimum=1
    )
    reward_power: float = setting(
        1.0, "Power of the score that is the reward; Zoph and Le: 3.", above=0.0
    )


@dataclasses.dataclass(frozen=True)
class DeriveConfig(Settings):
    """How the best architecture is chosen after (or during) a search."""

    num_candidates: int = setting(
        100, "Architectures sampled from the trained controller and ranked.", minimum=1
    )
    metric: str | None = setting(
        None,
        "What pictures are scored by when candidates are ranked and after each epoch; see "
        "reward_metric (default: what is rewarded, or the accuracy if that is the loss).",
        choices=METRICS,
        before="accuracy",
        is_open=True,
    )
    scoring: str = setting(
        "validation_set",
        "Rank candidates by their score on the whole validation set or on one minibatch (paper).",
        choices=("validation_set", "minibatch"),
    )
    statistics: str = setting(
        "batch",
        "Batch normalisation while ranking: statistics of the batch, statistics refitted for each "
        "candidate on training batches, or the moving ones.",
        choices=("batch", "refitted", "moving"),
    )
    finalists: int = setting(
        0, "Best candidates that are retrained briefly and ranked again; 0: none.", minimum=0
    )
    finalist_epochs: int = setting(3, "Epochs of a finalist's short retraining.", minimum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.finalists > self.num_candidates:
            raise ConfigurationError(
                f"`finalists` must be at most `num_candidates`, {self.num_candidates}. "
                f"Received: finalists={self.finalists}."
            )


@dataclasses.dataclass(frozen=True)
class SearchConfig(Settings):
    """A whole search: phase 1 (shared weights), phase 2 (controller), then deriving."""

    seed: int = setting(0, "Seed of every random choice.", minimum=0, maximum=2**31 - 1)
    strategy: str = setting(
        "reinforce",
        "How architectures are proposed: by a controller that learns by REINFORCE, at random, by "
        "the controller as it starts, by regularised evolution, or by a regressor that learns what "
        "they are worth; darts: found by gradient on a mixture of all (micro and rnn).",
        # What they are stands in `enas_tf.searching.strategies` and `enas_tf.searching.procedures`.
        choices=("reinforce", "random", "frozen", "evolution", "surrogate", "darts"),
    )
    evaluation: str = setting(
        "shared_weights",
        "What proposed architectures are scored by: the weights that all of them share, or a short "
        "training of each alone, from scratch.",
        choices=("shared_weights", "trained"),
    )
    reward_statistics: str = setting(
        "batch",
        "Batch normalisation in the reward: statistics of the minibatch, or the moving ones.",
        choices=("batch", "moving"),
        group=Group.REWARD,
    )
    reward_batch_size: int | None = setting(
        None,
        "Validation examples behind one reward; of pictures at most all of the validation part "
        "(default: the training batch size).",
        minimum=1,
        group=Group.REWARD,
    )
    reward_minibatches: str = setting(
        "own",
        "Minibatches behind the rewards of one update: each architecture has its own, as in the "
        "release, or all have one, so that they differ by the architectures alone.",
        choices=("own", "one"),
        group=Group.REWARD,
    )
    reward_metric: str = setting(
        "accuracy",
        "What architectures for pictures are rewarded for: accuracy, top-5 accuracy, balanced "
        "accuracy (mean recall of the classes), macro F1, or the loss, as the likelihood "
        "exp(-cross-entropy), in which few examples tell architectures apart more surely.",
        choices=METRICS,
        is_open=True,
        group=Group.REWARD,
    )
    samples_per_step: int | None = setting(
        None,
        "Architectures that one training step of the shared weights trains, each on its share of "
        "the batch: 1, or a divisor of the number of devices (default: one for each device).",
        minimum=1,
    )
    policy_start_epoch: int = setting(
        0,
        "First epoch whose end updates the controller; before it, only weights train.",
        minimum=0,
    )
    warm_up: float = setting(
        0.0,
        "Share of the epochs, the first ones, in which only weights train, with random "
        "architectures that use every option of a decision equally often; TuNAS: 0.25.",
        minimum=0.0,
        below=1.0,
    )
    training_architectures: str = setting(
        "proposed",
        "What trains the shared weights after the warm-up: architectures that the strategy "
        "proposes, or fair random ones, as in the warm-up.",
        choices=("proposed", "fair"),
    )
    max_rollbacks: int = setting(
        5,
        "Times that a search goes back to its last checkpoint when a loss or a reward is not "
        "finite; 0: it ends at once.",
        minimum=0,
        group=Group.TROUBLE,
    )
    collapse_level: float = setting(
        0.05,
        "Warn when the controller's entropy or the spread of the sampled operations falls under "
        "this share of the largest possible; 0: never (a tanh constant keeps the entropy far above "
        "the default).",
        minimum=0.0,
        below=1.0,
        group=Group.TROUBLE,
    )
    time_budget: str | None = time_setting(
        "Time for the whole search, ranking included: it has as many epochs as fit, and all that "
        "falls or rises does so over these; epochs then only says how long restarts, warm-ups and "
        "the like are in proportion.",
    )
    precision: str = precision_setting("of the shared weights, in rewards and scores too")
    shared_weights: TrainingConfig = section(TrainingConfig(), group=Group.TRAINING)
    loss: LossConfig = section(LossConfig(), group=Group.TRAINING)
    policy: PolicyConfig = section(PolicyConfig(), prefix="controller_", group=Group.CONTROLLER)
    evolution: EvolutionConfig = section(
        EvolutionConfig(), prefix="evolution_", group=Group.EVOLUTION
    )
    surrogate: SurrogateConfig = section(
        SurrogateConfig(), prefix="surrogate_", group=Group.SURROGATE
    )
    trained: TrainedConfig = section(TrainedConfig(), prefix="trained_", group=Group.TRAINED)
    darts: DartsConfig = section(DartsConfig(), prefix="darts_", group=Group.GRADIENT)
    derive: DeriveConfig = section(DeriveConfig(), prefix="derive_", group=Group.RANKING)
    costs: CostConfig = section(CostConfig(), group=Group.COSTS)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_time("time_budget", self.time_budget)
        if self.strategy == "darts" and self.darts.order == 2 and self.precision != PRECISIONS[0]:
            raise ConfigurationError(
                "`precision` must be float32 where darts_order is 2, which compares losses of "
                "weights that differ by less than half types tell apart; or take darts_order=1. "
                f"Received: precision={self.precision}, darts_order=2."
            )
        if (
            self.costs.maxima
            and self.strategy == "reinforce"
            and self.policy.samples_per_update < 2
        ):
            raise ConfigurationError(
                "`samples_per_update` must be at least 2 where costs have limits: a controller "
                "learns there from the differences between the samples of an update. Received: "
                f"samples_per_update={self.policy.samples_per_update}."
            )
        metrics = self.reward_metric, self.ranking_metric
        is_one = len({*metrics}) == 1 or {*metrics} <= {*OF_ACCURACY}
        if self.evaluation == "trained" and not is_one:
            raise ConfigurationError(
                "`derive_metric` must be what is rewarded where architectures are trained alone: "
                "each is scored once, and that score rewards and ranks it. Received: "
                f"reward_metric={metrics[0]}, derive_metric={metrics[1]}."
            )

    @property
    def ranking_metric(self) -> str:
        """What candidates are ranked by, and what is proposed after each epoch is scored by."""
        followed = "accuracy" if self.reward_metric in OF_ACCURACY else self.reward_metric
        return self.derive.metric or followed

    @property
    def metrics(self) -> dict[str, str]:
        """What is rewarded and what is ranked by, by the flags."""
        return {"reward_metric": self.reward_metric, "derive_metric": self.ranking_metric}

    def resolved(self) -> Self:
        """Returns the settings with the metric of the ranking; see `Settings.resolved`."""
        return self.replace(derive=self.derive.replace(metric=self.ranking_metric))

    @property
    def warm_up_epochs(self) -> int:
        """Epochs of the warm-up; 0 where architectures share no weights."""
        is_shared = self.evaluation == "shared_weights"
        return int(self.warm_up * self.shared_weights.epochs) if is_shared else 0

    @property
    def first_updating_share(self) -> float:
        """Share of a search with a time budget that is done before its strategy is updated."""
        warm_up = self.warm_up if self.evaluation == "shared_weights" else 0.0
        return max(warm_up, self.policy_start_epoch / self.shared_weights.epochs)

    @property
    def first_updating_epoch(self) -> int:
        """First epoch, from 0, whose end updates the strategy."""
        return max(self.policy_start_epoch, self.warm_up_epochs)

    @property
    def num_updates(self) -> int:
        """Updates of the strategy in the whole search."""
        epochs = max(0, self.shared_weights.epochs - self.first_updating_epoch)
        return epochs * self.policy.updates_per_epoch
