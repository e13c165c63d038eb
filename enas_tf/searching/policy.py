"""The controller's update: REINFORCE with a moving-average baseline (phase 2 of ENAS)."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from enas_tf.errors import NumericalError
from enas_tf.layers.graph_options import without_graph_optimization
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.spaces.controller import Controller
from enas_tf.training.checkpoints import KerasVariables
from enas_tf.training.optimizers import global_norm
from enas_tf.training.schedules import CosineFall, Horizon


class PolicyGradient(tf.Module):
    """Moves a controller towards architectures with high rewards.

    With R = reward + entropy weight · entropy (a constant for the gradient), the baseline b is
    updated first, sample by sample, b ← b − (1 − decay)(b − R); then one Adam step is made on the
    mean over samples of −log p · (R − b) + penalty. This is the release's rule; since it uses the
    updated baseline, the advantage of one sample is decay · (R − old b). With
    `config.advantage == "normalized"` it is (R − mean) / standard deviation over the samples of the
    update, and the baseline is only logged.

    Where samples beyond limits were drawn again (`is_conditioned`), and are not learned from,
    samples have the distribution p(a) / Z, where Z is the probability of all that is within the
    limits. The gradient of its mean reward is the mean of (∇log p − ∇log Z) · R, and since ∇log Z
    is the mean of ∇log p, it is their covariance. So the advantages are centred over the update.
    Without that, any baseline but the mean reward would also move the share of what is within.

    Controller, optimizer and baseline are tracked, so that a `tf.train.Checkpoint` of this object
    holds the whole state of the update.

    Attributes:
      controller: the policy that is trained.
      config: the settings.
      optimizer: Adam.
      baseline: float32 scalar variable, starts at 0.
    """

    def __init__(
        self,
        controller: Controller,
        config: PolicyConfig,
        num_updates: int = 1,
        *,
        is_conditioned: bool = False,
        horizon: Horizon | None = None,
    ):
        """Initializes the update and all its variables.

        Args:
          controller: the policy to train.
          config: learning rate, decay of the baseline and so on.
          num_updates: of the whole search; after them the rate is `config.final_learning_rate`, if
            that is set.
          is_conditioned: whether what is beyond limits is missing among the samples.
          horizon: of the updates, if a time budget decides how many there are.
        """
        super().__init__(name="policy_gradient")
        self.controller = controller
        self.config = config
        self._is_conditioned = is_conditioned
        rate = config.learning_rate
        if config.final_learning_rate is not None and horizon is not None:
            rate = CosineFall(rate, config.final_learning_rate, horizon)
        elif config.final_learning_rate is not None:
            # A search may end before the controller would begin to learn.
            rate = keras.optimizers.schedules.CosineDecay(
                rate, max(1, num_updates), alpha=config.final_learning_rate / rate
            )
        self.optimizer = keras.optimizers.Adam(
            rate, beta_1=config.adam_beta_1, epsilon=config.adam_epsilon
        )
        self.optimizer.build(controller.trainable_variables)
        # What a checkpoint holds of them; see `KerasVariables`.
        self._saved = [KerasVariables(controller), KerasVariables(self.optimizer)]
        self.baseline = tf.Variable(
            0.0,
            trainable=False,
            name="baseline",
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        self._traced_step = tf.function(
            self.step,
            autograph=False,
            input_signature=(
                controller.decisions_signature,
                tf.TensorSpec([None], tf.float32),
            ),
        )

    def update(self, architectures: Any, rewards: Sequence[float] | Any) -> dict[str, float]:
        """Makes one update with the rewards of sampled architectures.

        Args:
          architectures: architecture values, or decisions as for `Controller.score`.
          rewards: one for each, finite, higher is better, float32 `[batch]`.

        Returns:
          The metrics of `step`.

        Raises:
          NumericalError: the gradient is not finite.
        """
        decisions = self.controller.as_decisions(architectures)
        with without_graph_optimization():
            tensors = self._traced_step(decisions, tf.convert_to_tensor(rewards, tf.float32))
        metrics = {name: float(value) for name, value in tensors.items()}
        if not np.isfinite(metrics["gradient_norm"]):
            raise NumericalError(
                "The controller's gradient is not finite. Lower its learning rate or set its "
                "clip_norm."
            )
        return metrics

    def step(self, decisions: Any, rewards: tf.Tensor) -> dict[str, tf.Tensor]:
        """Makes one update with tensors only, for use inside a `tf.function`.

        In `tf.distribute.Strategy.run` every replica must be given the same samples.

        Args:
          decisions: int32 tensors in the form of `space.encode`.
          rewards: float32 `[batch]`.

        Returns:
          Float32 scalars: `loss`, `advantage`, `baseline` (after the update), `reward`, `entropy`
          (in nats, of the whole distributions), `log_probability`, `gradient_norm` (before
          clipping), and the metrics of the space's own; means over the samples.
        """
        variables = [variable.value for variable in self.controller.trainable_variables]
        with tf.GradientTape() as tape:
            sample = self.controller.score(decisions)
            rewards_with_entropy = tf.stop_gradient(
                rewards + self.config.entropy_weight * sample.reward_entropy
            )
            baselines = self._advance_baseline(rewards_with_entropy)
            if self.config.advantage == "normalized":
                advantages = _normalized(rewards_with_entropy)
            else:
                advantages = rewards_with_entropy - baselines
            if self._is_conditioned:
                advantages -= tf.reduce_mean(advantages)
            losses = -sample.log_probability * advantages + sample.penalty
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        gradient_norm = global_norm(gradients)
        if self.config.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self.config.clip_norm, gradient_norm)
        if tf.distribute.in_cross_replica_context():
            num_replicas = 1
        else:
            # Keras's optimizers sum gradients over replicas.
            num_replicas = tf.distribute.get_strategy().num_replicas_in_sync
        gradients = [gradient / num_replicas for gradient in gradients]
        self.optimizer.apply(gradients, self.controller.trainable_variables)
        return {
            "loss": loss,
            "advantage": tf.reduce_mean(advantages),
            "baseline": baselines[-1],
            "reward": tf.reduce_mean(rewards),
            "entropy": tf.reduce_mean(sample.entropy),
            "log_probability": tf.reduce_mean(sample.log_probability),
            "gradient_norm": gradient_norm,
            **sample.metrics,
        }

    def _advance_baseline(self, rewards: tf.Tensor) -> tf.Tensor:
        """Updates the baseline with each reward in turn and returns all its values, `[batch]`."""
        decay = self.config.baseline_decay
        number = tf.range(1, tf.shape(rewards)[0] + 1)
        # Unrolled recursion: b_k = decay^k b_0 + (1 − decay) Σ_{j ≤ k} decay^(k − j) R_j.
        age = tf.cast(number[:, None] - number, tf.float32)
        weights = (1.0 - decay) * tf.where(age >= 0, decay ** tf.maximum(age, 0.0), 0.0)
        kept = decay ** tf.cast(number, tf.float32)
        baselines = kept * self.baseline + tf.linalg.matvec(weights, rewards)
        self.baseline.assign(baselines[-1])
        return baselines


def _normalized(rewards: tf.Tensor) -> tf.Tensor:
    """Returns the distances from the mean in standard deviations; zeros where all are equal."""
    distances = rewards - tf.reduce_mean(rewards)
    deviation = tf.sqrt(tf.reduce_mean(tf.square(distances)))
    return tf.math.divide_no_nan(distances, deviation)
