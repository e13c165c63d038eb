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
from enas_tf.training.time_budget import Course


class Horizon:
    """A `Course` as TensorFlow's functions read it; it may change between their calls.

    It is no part of checkpoints: who decides on the course keeps it.
    """

    def __init__(self) -> None:
        self._course = Course()
        # What depends on it is traced once.
        self._line = tf.Variable(self._course.line(), False, dtype=tf.float64, name="horizon")

    @property
    def course(self) -> Course:
        """Which share is done after which step."""
        return self._course

    @course.setter
    def course(self, course: Course) -> None:
        self._course = course
        self._line.assign(course.line())

    def share(self, step: Any) -> tf.Tensor:
        """Returns the share of the whole that is done at a step, a float32 tensor; see `Course`."""
        first, share, last = tf.unstack(self._line)
        passed = tf.clip_by_value((tf.cast(step, tf.float64) - first) / (last - first), 0.0, 1.0)
        return tf.cast(share + (1.0 - share) * passed, tf.float32)


def cosine(high: float, low: float, share: tf.Tensor) -> tf.Tensor:
    """Returns what falls from `high` to `low` along half a period of the cosine."""
    return low + 0.5 * (high - low) * (1.0 + tf.cos(math.pi * share))


class CosineFall(keras.optimizers.schedules.LearningRateSchedule):
    """One cosine over a course that is decided while it is run.

    Args:
      high: the rate at its beginning.
      low: the rate at its end.
      horizon: the course.
    """

    def __init__(self, high: float, low: float, horizon: Horizon) -> None:
        self.high, self.low, self.horizon = high, low, horizon

    def __call__(self, step: Any) -> tf.Tensor:
        """Returns the rate of the step that follows `step` earlier ones."""
        return cosine(self.high, self.low, self.horizon.share(step))


def period_starts(config: TrainingConfig) -> list[int]:
    """Returns the first epoch of each cosine period that begins within `config.epochs`."""
    starts = [0]
    length = config.restart_epochs
    while length and starts[-1] + length < config.epochs:
        starts.append(starts[-1] + length)
        length *= config.restart_multiplier
    return starts


def learning_rate(
    config: TrainingConfig, step: Any, steps_per_epoch: int, horizon: Horizon | None = None
) -> tf.Tensor:
    """Returns the learning rate of a training step.

    In the epoch `e` of a period of `T` epochs that began with epoch `s`, the rate is
    `low + (high - low) / 2 * (1 + cos(pi * (e - s) / T))`. The first period has
    `config.restart_epochs` epochs, each later one is `config.restart_multiplier` times as long;
    with `restart_epochs=0` one period spans all epochs.

    Args:
      config: the rates, the periods and the number of epochs.
      step: number of steps taken before this one, an integer or an integer tensor.
      steps_per_epoch: training steps in one epoch.
      horizon: how long the training is, if a time budget decides that while it runs. The periods
        then share its course in proportion, the last one ends with it, and the rate falls with
        every step.

    Returns:
      A float32 tensor of the shape of `step`.
    """
    starts = period_starts(config)
    first_length = config.restart_epochs or config.epochs
    lengths = [first_length * config.restart_multiplier**index for index in range(len(starts))]
    if horizon is None:
        epoch = tf.cast(tf.cast(step, tf.int64) // steps_per_epoch, tf.float32)
    else:
        epoch = horizon.share(step) * (starts[-1] + lengths[-1])
    period = tf.searchsorted(np.array(starts, np.float32), tf.reshape(epoch, [-1]), side="right")
    period = tf.reshape(period, tf.shape(epoch)) - 1
    start = tf.gather(np.array(starts, np.float32), period)
    length = tf.gather(np.array(lengths, np.float32), period)
    # Beyond the last epoch the rate stays at its lowest.
    progress = tf.minimum((epoch - start) / length, 1.0)
    return cosine(config.learning_rate, config.final_learning_rate, progress)


class CosineRestarts(keras.optimizers.schedules.LearningRateSchedule):
    """`learning_rate` in the form that a Keras optimizer takes.

    The rate depends on the optimizer's own count of steps, so a restored optimizer goes on with the
    right rate.

    Args:
      config: the rates, the periods and the number of epochs.
      steps_per_epoch: training steps in one epoch.
      horizon: see `learning_rate`.
    """

    def __init__(
        self, config: TrainingConfig, steps_per_epoch: int, horizon: Horizon | None = None
    ) -> None:
        self.config = config
        self.steps_per_epoch = steps_per_epoch
        self.horizon = horizon

    def __call__(self, step: Any) -> tf.Tensor:
        """Returns the rate of the step that follows `step` earlier ones."""
        return learning_rate(self.config, step, self.steps_per_epoch, self.horizon)

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` needs."""
        return {"config": self.config.to_json(), "steps_per_epoch": self.steps_per_epoch}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "CosineRestarts":
        """Makes the schedule from what `get_config` returned."""
        return cls(TrainingConfig.from_json(config["config"]), config["steps_per_epoch"])
