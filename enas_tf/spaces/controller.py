"""What the controllers of all search spaces have in common."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.layers.decisions import FREE, seed_tensor
from enas_tf.layers.graph_options import without_graph_optimization
from enas_tf.spaces.base import SearchSpace


@dataclasses.dataclass(frozen=True)
class ControllerSample:
    """A batch of architectures and what the controller says about them.

    Attributes:
      space: the search space.
      decisions: the architectures as int32 tensors, in the form of `space.encode`.
      log_probability: float32 `[batch]`, logarithm of the probability of each architecture.
      entropy: float32 `[batch]`, sum of the entropies in nats of all distributions met; it has no
        gradient.
      reward_entropy: float32 `[batch]`, the entropy that counts in the reward; no gradient.
      penalty: float32 `[batch]`, weighted term of the space's own in the controller's loss.
    """

    space: SearchSpace
    decisions: Any
    log_probability: tf.Tensor
    entropy: tf.Tensor
    reward_entropy: tf.Tensor
    penalty: tf.Tensor

    @functools.cached_property
    def architectures(self) -> list[Any]:
        """The architectures as typed values; not inside a `tf.function`."""
        return self.space.decode(self.decisions)

    @property
    def metrics(self) -> dict[str, tf.Tensor]:
        """What the space adds to the log of an update: float32 scalars by name."""
        return {}


class Controller(keras.Model):
    """An autoregressive policy over the architectures of a space.

    A subclass makes its weights in its constructor and says in `unroll` how one decision follows
    from the others. Sampling, scoring and the most likely architecture run the same traced
    function, whatever the architectures and their number.

    Args:
      space: the search space.
      name: of the model.
    """

    sample_type: ClassVar[type[ControllerSample]] = ControllerSample

    def __init__(self, space: SearchSpace, name: str = "controller") -> None:
        super().__init__(name=name)
        self.space = space
        example = space.encode([space.random_architecture(0)])
        self._decisions_type = type(example)
        self._decision_shapes = tuple(np.shape(field)[1:] for field in example)
        self._traced = tf.function(
            self.unroll,
            autograph=False,
            input_signature=(
                self.decisions_signature,
                tf.TensorSpec([2], tf.int32),
                tf.TensorSpec([], tf.float32),
            ),
        )

    @property
    def decisions_signature(self) -> Any:
        """The decisions of any number of architectures as `tf.TensorSpec`s."""
        return self._decisions_type(
            *(tf.TensorSpec([None, *shape], tf.int32) for shape in self._decision_shapes)
        )

    def unroll(self, decisions: Any, seed: tf.Tensor, exploration: tf.Tensor) -> Mapping[str, Any]:
        """Takes all decisions, one after the other; see `enas_tf.layers.decisions.decide`.

        Args:
          decisions: int32 tensors in the form of `space.encode`; negative entries are free.
          seed: int32 `[2]`.
          exploration: float32 scalar, 1 to draw free decisions, 0 to take the most likely ones.

        Returns:
          The fields of `sample_type` except `space`.
        """
        raise NotImplementedError

    def sample(
        self, batch_size: int | tf.Tensor = 8, seed: int | tf.Tensor | None = None
    ) -> ControllerSample:
        """Draws architectures from the policy.

        Args:
          batch_size: how many, at least 1.
          seed: an integer or an int32 tensor `[2]`; the same seed gives the same architectures as
            long as the weights stay the same. None: others at each call.

        Returns:
          A sample of type `sample_type`.

        Raises:
          ConfigurationError: the batch size or the seed cannot be used.
        """
        if not tf.is_tensor(batch_size) and (
            not isinstance(batch_size, (int, np.integer)) or batch_size < 1
        ):
            raise ConfigurationError(
                f"`batch_size` must be a positive integer. Received: batch_size={batch_size!r}."
            )
        return self._run(self._free_decisions(batch_size), seed_tensor(seed), 1.0)

    def score(self, architectures: Any) -> ControllerSample:
        """Says how likely given architectures are under the policy.

        Args:
          architectures: architecture values, or decisions in the form of `space.encode`. Decisions
            that are negative are drawn at random.

        Returns:
          A sample of type `sample_type` that holds these architectures.

        Raises:
          ArchitectureError: there is none, or one does not belong to the space.
        """
        return self._run(self.as_decisions(architectures), seed_tensor(0), 1.0)

    def most_likely(self) -> Any:
        """Returns the architecture whose decisions are, one after the other, the most likely."""
        return self._run(self._free_decisions(1), seed_tensor(0), 0.0).architectures[0]

    def call(self, decisions: Any, training: bool | None = None) -> tf.Tensor:
        """Returns the log-probability of architectures, float32 `[batch]`.

        Args:
          decisions: as for `score`.
          training: has no effect; part of the interface of Keras models.
        """
        del training
        return self.score(decisions).log_probability

    def as_decisions(self, architectures: Any) -> Any:
        """Returns architectures as int32 tensors in the form of `space.encode`.

        Args:
          architectures: architecture values, or decisions in that form already.

        Raises:
          ArchitectureError: there is none, or one does not belong to the space.
        """
        if not isinstance(architectures, self._decisions_type):
            if not isinstance(architectures, Sequence) or not len(architectures):
                raise ArchitectureError(
                    "`architectures` must be a list of at least one architecture, or "
                    f"{self._decisions_type.__name__}. Received: {architectures!r:.80}."
                )
            architectures = self.space.encode(architectures)
        return self._decisions_type(
            *(tf.convert_to_tensor(field, tf.int32) for field in architectures)
        )

    def _run(self, decisions: Any, seed: tf.Tensor, exploration: float) -> ControllerSample:
        inputs = (decisions, seed, tf.constant(exploration))
        if tf.inside_function():
            # Inlined: a function of its own would be traced again for its gradient.
            fields = self.unroll(*inputs)
        else:
            with without_graph_optimization():
                fields = self._traced(*inputs)
        return self.sample_type(space=self.space, **fields)

    def _free_decisions(self, batch_size: int | tf.Tensor) -> Any:
        return self._decisions_type(
            *(tf.fill([batch_size, *shape], FREE) for shape in self._decision_shapes)
        )


class UniformWeights:
    """Initializers that are uniform around zero, another one for each weight of a model.

    Keras initializers with one and the same seed would give weights of one shape the same values.

    Args:
      initial_range: weights lie between minus and plus this.
      seed: of the whole series.
    """

    def __init__(self, initial_range: float, seed: int) -> None:
        self._range = initial_range
        self._generator = np.random.default_rng(seed)

    def next(self) -> keras.initializers.Initializer:
        """Returns the initializer of the next weight."""
        seed = int(self._generator.integers(2**31))
        return keras.initializers.RandomUniform(-self._range, self._range, seed=seed)
