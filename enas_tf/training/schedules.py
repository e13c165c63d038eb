"""The cosine learning rate with warm restarts, as a function of the step alone.

Source: Loshchilov and Hutter, *SGDR* (arXiv 1608.03983), with the rate constant inside an epoch as
in the authors' release. On the one step of a restart the release uses the midpoint of the two
rates; here that step has the highest rate already, like the rest of its epoch.
"""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from enas_tf.settings.training import TrainingConfig


def period_starts(config: TrainingConfig) -> list[int]:
    """Returns the first epoch of each cosine period that begins within `config.epochs`."""
    starts = [0]
    length = config.restart_epochs
    while length and starts[-1] + length < config.epochs:
        starts.append(starts[-1] + length)
        length *= config.restart_multiplier
    return starts


def learning_rate(config: TrainingConfig, step: Any, steps_per_epoch: int) -> tf.Tensor:
    """Returns the learning rate of a training step.

    In the epoch `e` of a period of `T` epochs that began with epoch `s`, the rate is
    `low + (high - low) / 2 * (1 + cos(pi * (e - s) / T))`. The first period has
    `config.restart_epochs` epochs, each later one is `config.restart_multiplier` times as long;
    with `restart_epochs=0` one period spans all epochs.

    Args:
      config: the rates, the periods and the number of epochs.
      step: number of steps taken before this one, an integer or an integer tensor.
      steps_per_epoch: training steps in one epoch.

    Returns:
      A float32 tensor of the shape of `step`.
    """
    starts = period_starts(config)
    first_length = config.restart_epochs or config.epochs
    lengths = [first_length * config.restart_multiplier**index for index in range(len(starts))]
    epoch = tf.cast(step, tf.int64) // steps_per_epoch
    period = tf.searchsorted(
        np.array(starts, np.int64), tf.reshape(epoch, [-1]), side="right", out_type=tf.int64
    )
    period = tf.reshape(period, tf.shape(epoch)) - 1
    start = tf.gather(np.array(starts, np.int64), period)
    length = tf.gather(np.array(lengths, np.float32), period)
    # Beyond the last epoch the rate stays at its lowest.
    progress = tf.minimum(tf.cast(epoch - start, tf.float32) / length, 1.0)
    low, high = config.final_learning_rate, config.learning_rate
    return low + 0.5 * (high - low) * (1.0 + tf.cos(math.pi * progress))


class CosineRestarts(keras.optimizers.schedules.LearningRateSchedule):
    """`learning_rate` in the form that a Keras optimizer takes.

    The rate depends on the optimizer's own count of steps, so a restored optimizer goes on with the
    right rate.

    Args:
      config: the rates, the periods and the number of epochs.
      steps_per_epoch: training steps in one epoch.
    """

    def __init__(self, config: TrainingConfig, steps_per_epoch: int) -> None:
        self.config = config
        self.steps_per_epoch = steps_per_epoch

    def __call__(self, step: Any) -> tf.Tensor:
        """Returns the rate of the step that follows `step` earlier ones."""
        return learning_rate(self.config, step, self.steps_per_epoch)

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` needs."""
        return {"config": self.config.to_json(), "steps_per_epoch": self.steps_per_epoch}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "CosineRestarts":
        """Makes the schedule from what `get_config` returned."""
        return cls(TrainingConfig.from_json(config["config"]), config["steps_per_epoch"])
