"""The settings of gradient descent, and of training a found network from scratch."""

import dataclasses
from typing import Any

from enas_tf.errors import ConfigurationError
from enas_tf.settings.durations import check_time, time_setting
from enas_tf.settings.groups import Group
from enas_tf.settings.setting import Settings, section, setting

# The types that activations and products may have; that of all that is kept comes first.
PRECISIONS = ("float32", "bfloat16", "float16")


def precision_setting(what: str) -> Any:
    """Declares a setting that chooses one of `PRECISIONS`.

    Args:
      what: says of what it is the type.
    """
    return setting(
        PRECISIONS[0],
        f"Type of activations and products {what}; weights, statistics, logits and the optimiser "
        "stay float32. The others are for GPUs, and float16 scales the loss.",
        choices=PRECISIONS,
        group=Group.HARDWARE,
    )


def check_rate_falls(first: float, final: float, prefix: str = "") -> None:
    """Tells by its flags of a learning rate that would rise."""
    if final > first:
        raise ConfigurationError(
            f"`{prefix}final_learning_rate` must be at most `{prefix}learning_rate`, {first}. "
            f"Received: {prefix}final_learning_rate={final}; set both."
        )


@dataclasses.dataclass(frozen=True)
class TrainingConfig(Settings):
    """Gradient descent on cross-entropy, of the shared weights or of a derived network."""

    epochs: int = setting(310, "Passes over the training set.", minimum=1, group=Group.DURATION)
    batch_size: int = setting(128, "Examples in a training step, over all devices.", minimum=1)
    learning_rate: float = setting(0.05, "Highest learning rate.", above=0.0)
    final_learning_rate: float = setting(
        0.0005, "Learning rate at the end of each cosine period.", minimum=0.0
    )
    restart_epochs: int = setting(
        10,
        "Length in epochs of the first cosine period; 0: one period over all epochs.",
        minimum=0,
    )
    restart_multiplier: int = setting(
        2, "Factor by which each cosine period is longer than the one before.", minimum=1
    )
    momentum: float = setting(0.9, "Nesterov momentum.", minimum=0.0, below=1.0)
    weight_decay: float = setting(
        2.5e-4,
        "Factor of the sum of squares of the trained weights in the loss (in the search of a "
        "recurrent cell: of the cell's matrices in use).",
        minimum=0.0,
    )
    clip_norm: float = setting(
        0.0, "Largest global norm of a gradient; 0: gradients are not clipped.", minimum=0.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rate_falls(self.learning_rate, self.final_learning_rate)


@dataclasses.dataclass(frozen=True)
class LossConfig(Settings):
    """What training on pictures minimises: of shared weights and of one network alike."""

    class_weights: str = setting(
        "none",
        "What the loss of a picture is multiplied by: 1, or n / (k * n_c) with the n pictures and "
        "k classes of the training part and n_c of its own class, so that rare classes count as "
        "much as frequent ones.",
        choices=("none", "balanced"),
    )
    label_smoothing: float = setting(
        0.0,
        "Share of the target that is spread evenly over all classes; 0: all of it is of the right "
        "one.",
        minimum=0.0,
        below=1.0,
    )


def _retraining_rollbacks() -> Any:
    return setting(
        5,
        "Times that a training goes back to its last checkpoint when a loss is not finite; 0: it "
        "ends at once.",
        minimum=0,
        group=Group.TROUBLE,
    )


def _time_budget() -> Any:
    return time_setting(
        "Time for the whole training, test and export included: it takes as many steps as fit, and "
        "all that falls or rises does so over these; epochs then only says how long restarts are "
        "in proportion.",
    )


def _early_stopping() -> Any:
    return setting(
        None,
        "End when so many epochs in a row brought nothing better on the validation part; the "
        "result has the weights of the best epoch (default: never).",
        minimum=1,
        group=Group.DURATION,
    )


def _best_weights() -> Any:
    return setting(
        False,
        "The result has the weights of the epoch that was best on the validation part, in place of "
        "the last ones; with early_stopping it always has.",
        group=Group.DURATION,
    )


@dataclasses.dataclass(frozen=True)
class RetrainConfig(Settings):
    """Training of a derived network from scratch."""

    seed: int = setting(0, "Seed of every random choice.", minimum=0, maximum=2**31 - 1)
    use_validation: bool = setting(
        False,
        "Keep the validation part out of training and report accuracy on it after each epoch; "
        "see early_stopping and best_weights.",
    )
    initial_weights: str | None = setting(
        None,
        "Output folder of a retraining, or .keras file, whose weights the training begins with, in "
        "layers of the same name and shape, for example of the same architecture on other data.",
    )
    max_rollbacks: int = _retraining_rollbacks()
    time_budget: str | None = _time_budget()
    early_stopping: int | None = _early_stopping()
    best_weights: bool = _best_weights()
    precision: str = precision_setting("while the network trains")
    training: TrainingConfig = section(
        TrainingConfig(
            batch_size=100, learning_rate=0.05, final_learning_rate=0.001, weight_decay=2e-4
        )
    )
    loss: LossConfig = section(LossConfig())

    def __post_init__(self) -> None:
        super().__post_init__()
        check_time("time_budget", self.time_budget)
        if keeps_best(self) and not self.use_validation:
            name = "best_weights" if self.early_stopping is None else "early_stopping"
            raise ConfigurationError(
                f"`{name}` compares epochs on the validation part, which this training would "
                f"train on; set use_validation too. Received: {name}={getattr(self, name)}, "
                "use_validation=False."
            )


@dataclasses.dataclass(frozen=True)
class TextRetrainConfig(Settings):
    """Training of a derived language model from scratch."""

    seed: int = setting(0, "Seed of every random choice.", minimum=0, maximum=2**31 - 1)
    averaging_patience: int | None = setting(
        10,
        "The average of the weights over all later steps becomes the result as soon as the "
        "validation perplexity is worse than the best one that is more than so many epochs old; "
        "unset: never.",
        minimum=0,
    )
    max_rollbacks: int = _retraining_rollbacks()
    time_budget: str | None = _time_budget()
    early_stopping: int | None = _early_stopping()
    best_weights: bool = _best_weights()
    precision: str = precision_setting("while the model trains")
    training: TrainingConfig = section(
        TrainingConfig(
            epochs=3000,
            batch_size=64,
            learning_rate=20.0,
            final_learning_rate=20.0,
            restart_epochs=0,
            momentum=0.0,
            weight_decay=8e-7,
            clip_norm=0.25,
        )
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_time("time_budget", self.time_budget)


def keeps_best(config: RetrainConfig | TextRetrainConfig) -> bool:
    """Whether the result of a training has the weights of its best epoch."""
    return config.best_weights or config.early_stopping is not None
