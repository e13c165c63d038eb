"""The settings of what proposes architectures, one class for each strategy that has any."""

import dataclasses

from enas_tf.errors import ConfigurationError
from enas_tf.settings.groups import Group
from enas_tf.settings.setting import Settings, setting
from enas_tf.settings.training import check_rate_falls


@dataclasses.dataclass(frozen=True)
class PolicyConfig(Settings):
    """REINFORCE updates of the controller."""

    learning_rate: float = setting(1e-3, "Adam's learning rate.", above=0.0)
    final_learning_rate: float | None = setting(
        None,
        "Learning rate after the last update; it gets there along a cosine (default: the rate "
        "stays as it is).",
        minimum=0.0,
    )
    adam_beta_1: float = setting(0.0, "Adam's decay of the first moment.", minimum=0.0, below=1.0)
    adam_epsilon: float = setting(1e-3, "Adam's epsilon.", above=0.0)
    samples_per_update: int = setting(20, "Architectures averaged in one update.", minimum=1)
    updates_per_epoch: int = setting(
        50, "Updates after each pass of training.", minimum=1, group=Group.DURATION
    )
    baseline_decay: float = setting(
        0.99,
        "Decay of the moving average of rewards that serves as baseline.",
        minimum=0.0,
        below=1.0,
    )
    advantage: str = setting(
        "baseline",
        "What a sample's log-probability is multiplied by: its reward minus the moving average, or "
        "its distance from the mean reward of the update in standard deviations, which learns from "
        "the first update on, and as fast from small differences as from large ones.",
        choices=("baseline", "normalized"),
    )
    entropy_weight: float = setting(1e-4, "Weight of the entropy in the reward.", minimum=0.0)
    clip_norm: float = setting(
        0.0, "Largest global norm of a controller gradient; 0: not clipped.", minimum=0.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.final_learning_rate is not None:
            check_rate_falls(self.learning_rate, self.final_learning_rate, "controller_")


@dataclasses.dataclass(frozen=True)
class EvolutionConfig(Settings):
    """Regularised evolution (Real et al., 2019, arXiv 1802.01548), another strategy."""

    population_size: int = setting(
        100, "Architectures in the population; the oldest one dies.", minimum=1
    )
    tournament_size: int = setting(
        25, "Members drawn at random, of which the best has offspring.", minimum=1
    )


@dataclasses.dataclass(frozen=True)
class SurrogateConfig(Settings):
    """Sequential model-based search, another strategy (Hutter et al., 2011; PNAS, 1712.00559)."""

    model: str = setting(
        "random_forest",
        "What predicts rewards: a random forest or a Gaussian process, of scikit-learn.",
        choices=("random_forest", "gaussian_process"),
    )
    num_trees: int = setting(100, "Trees of the random forest.", minimum=2)
    acquisition: str = setting(
        "expected_improvement",
        "What is proposed: where most improvement is expected, or where the prediction plus "
        "exploration times its standard deviation is highest.",
        choices=("expected_improvement", "upper_bound"),
    )
    exploration: float = setting(1.0, "Standard deviations of the upper bound.", minimum=0.0)
    num_initial: int = setting(
        20, "Random architectures that are observed before the first prediction.", minimum=2
    )
    pool_size: int = setting(
        200,
        "Architectures of which the most promising are proposed; half of them are neighbours of "
        "the best ones, half are random.",
        minimum=2,
    )
    memory_size: int = setting(
        500, "Observations that the regressor is fitted to; the oldest are forgotten.", minimum=2
    )
    grow: bool = setting(
        False,
        "Begin with cells of one node and open another one from time to time, as in PNAS (micro "
        "space).",
    )
    grow_after: int = setting(
        50, "Observations after which the next node is opened, if cells grow.", minimum=1
    )


@dataclasses.dataclass(frozen=True)
class DartsConfig(Settings):
    """Search by gradient on a mixture of all operations (DARTS; Liu et al., 1806.09055)."""

    order: int = setting(
        1,
        "1: the gradient of the architecture takes the shared weights as they are; 2: as they "
        "would be after their next step.",
        choices=(1, 2),
    )
    xi: float | None = setting(
        None,
        "Learning rate of that next step (default: the current one of the shared weights).",
        above=0.0,
    )
    learning_rate: float = setting(3e-4, "Adam's learning rate of the architecture.", above=0.0)
    adam_beta_1: float = setting(0.5, "Adam's decay of the first moment.", minimum=0.0, below=1.0)
    adam_beta_2: float = setting(
        0.999, "Adam's decay of the second moment.", minimum=0.0, below=1.0
    )
    weight_decay: float = setting(
        5e-4, "Factor of the sum of squares of the architecture's logits in the loss.", minimum=0.0
    )
    initial_deviation: float = setting(
        1e-3, "The logits start normal with this standard deviation.", minimum=0.0
    )
    validation_share: float = setting(
        0.5,
        "Share of the training part, its end, that the architecture learns from; the shared "
        "weights learn from the rest.",
        above=0.0,
        below=1.0,
    )
    warm_up_epochs: int = setting(
        0, "Epochs at the beginning in which only the shared weights learn.", minimum=0
    )
    sampling: str = setting(
        "full",
        "Compute the whole mixture, the mixture on some channels while the others pass (PC-DARTS, "
        "pictures only), or one path drawn by Gumbel noise (GDAS).",
        choices=("full", "partial", "gumbel"),
    )
    partial_channels: int = setting(
        4, "One channel in so many sees the operations, if sampling is partial.", minimum=1
    )
    temperature: float = setting(
        10.0, "Temperature of the first epoch, if sampling is gumbel.", above=0.0
    )
    final_temperature: float = setting(
        0.1, "Temperature of the last epoch, if sampling is gumbel; between them linear.", above=0.0
    )
    read_off: str = setting(
        "edges",
        "The found cell: of each node the strongest pair of different inputs, each with its best "
        "operation (the authors' rule), or of each operand the likeliest input and operation.",
        choices=("edges", "argmax"),
    )
    stop: str | None = setting(
        None,
        "End early: skips:N as soon as the (normal) cell that would be read off has N identities, "
        "stable:N when it has been the same for N epochs (default: neither).",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stop is not None:
            rule, _, number = self.stop.partition(":")
            if rule not in ("skips", "stable") or not number.isdecimal() or not int(number):
                raise ConfigurationError(
                    "`stop` must be skips:N or stable:N with a positive integer N. "
                    f"Received: stop={self.stop!r}."
                )
