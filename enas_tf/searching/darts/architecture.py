"""The weights of a mixture, what is made of them, and their optimiser."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from enas_tf.settings.strategies import DartsConfig
from enas_tf.spaces.relaxation import RelaxableSpace
from enas_tf.training.checkpoints import KerasVariables
from enas_tf.training.loss_scaling import LossScaling, ScaledAdam, unscaled
from enas_tf.training.optimizers import global_norm

_IDENTITY = "identity"


class MixtureWeights(tf.Module):
    """One logit for each pair of an input and an operation of each decision, and Adam.

    To be made in the scope of the `tf.distribute` strategy that trains it.

    Args:
      space: says which pairs there are.
      config: the settings.
      seed: of the first logits.
      precision: that the supernet computes in.

    Attributes:
      space: as given.
      logits: Keras variable `[…, inputs, operations]`; those of pairs that do not exist stay.
      optimizer: Adam; in float16 with `LossScaling`.
    """

    def __init__(
        self, space: RelaxableSpace, config: DartsConfig, seed: int, precision: str = "float32"
    ) -> None:
        super().__init__(name="mixture_weights")
        self.space = space
        self._config = config
        self._permitted = space.permitted()
        generator = np.random.default_rng(seed)
        start = config.initial_deviation * generator.normal(size=self._permitted.shape)
        self.logits = keras.Variable(np.float32(start), dtype="float32", name="logits")
        # The authors' framework has this epsilon.
        kind = ScaledAdam if precision == "float16" else keras.optimizers.Adam
        self.optimizer = kind(
            config.learning_rate, config.adam_beta_1, config.adam_beta_2, epsilon=1e-8
        )
        self.optimizer.build([self.logits])
        # What a checkpoint holds of them.
        self._saved = [self.logits.value, KerasVariables(self.optimizer)]

    def mixture(self, logits: tf.Tensor) -> Any:
        """Returns the mixture of logits: for each decision a softmax over all its pairs."""
        shape = tf.shape(logits)
        masked = tf.where(self._permitted, logits, -np.inf)
        flat = tf.reshape(masked, [*logits.shape[:-2], -1])
        return self.space.mixture_type(tf.reshape(tf.nn.softmax(flat), shape))

    def path(self, logits: tf.Tensor, temperature: tf.Tensor, seed: tf.Tensor) -> Any:
        """Returns one path, drawn by Gumbel noise, whose gains (all 1) have a gradient (GDAS).

        Args:
          logits: of the mixture.
          temperature: of the softmax that the gradient goes through.
          seed: int32 `[2]`, of the noise.
        """
        uniform = tf.random.stateless_uniform(
            logits.shape, seed, minval=np.finfo(np.float32).tiny, maxval=1.0
        )
        noisy = (logits - tf.math.log(-tf.math.log(uniform))) / temperature
        weights = self.mixture(noisy).weights
        flat = tf.reshape(weights, [*logits.shape[:-2], -1])
        place = tf.argmax(flat, axis=-1, output_type=tf.int32)
        chosen = tf.gather(flat, place, axis=-1, batch_dims=place.shape.rank)
        gains = 1.0 + (chosen - tf.stop_gradient(chosen))
        count = logits.shape[-1]
        return self.space.path_type(place // count, place % count, gains)

    def apply(self, gradient: tf.Tensor) -> None:
        """Takes a step of Adam; in a replica, with the gradient over all replicas.

        Args:
          gradient: of `scaled_loss`.
        """
        (gradient,) = unscaled(self.optimizer, [gradient])
        if isinstance(self.optimizer, LossScaling):
            self.optimizer.observe(global_norm([gradient]))
        decayed = gradient + 2.0 * self._config.weight_decay * self.logits.value
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        # Keras's optimisers sum over replicas.
        self.optimizer.apply([tf.where(self._permitted, decayed, 0.0) / replicas], [self.logits])

    def weights(self) -> np.ndarray:
        """Returns the mixture as it is now."""
        return self.mixture(tf.convert_to_tensor(self.logits.value)).weights.numpy()

    def copies(self, count: int) -> Any:
        """Returns the mixture as it is now, so many times."""
        return self.space.mixture_type(np.stack([self.weights()] * count))

    def read_off(self) -> Any:
        """Returns the architecture that the mixture is nearest to, by the rule of the settings."""
        return self.space.discretise(self.copies(1), self._config.read_off)[0]

    def metrics(self) -> dict[str, float]:
        """Returns what says whether the mixture has decided, and whether for doing nothing.

        Returns:
          `entropy`, in nats, of all decisions together, and `identity_share`, of the weights.
        """
        weights = self.weights()
        logarithms = np.log(np.where(weights > 0.0, weights, 1.0))
        names = [operation.label for operation in self.space.mixed_operations]
        metrics = {"entropy": float(-np.sum(weights * logarithms))}
        if _IDENTITY in names:
            decisions = weights[..., 0, 0].size
            metrics["identity_share"] = (
                float(weights[..., names.index(_IDENTITY)].sum()) / decisions
            )
        return metrics


class ReadOff:
    """What a search by gradient offers to be ranked: the cell that is read off.

    Args:
      architecture: the weights of the mixture.
    """

    def __init__(self, architecture: MixtureWeights) -> None:
        self._architecture = architecture

    def most_likely(self) -> Any:
        """Returns the architecture that is read off."""
        return self._architecture.read_off()

    def candidates(self, count: int) -> list[Any]:
        """Returns the architecture that is read off."""
        del count
        return [self._architecture.read_off()]
