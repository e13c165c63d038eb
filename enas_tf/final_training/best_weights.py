"""The weights of the best epoch of a training, which its result may have."""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

from enas_tf.training.checkpoints import first_component


class BestWeights(tf.Module):
    """What the weights of a network were when they were kept last; at first, its initial ones.

    Args:
      network: a built network; under a `tf.distribute` strategy to be called in its scope.

    Attributes:
      kept: variables, one for each weight.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self._network = network
        values = [first_component(weight.value) for weight in network.weights]
        self.kept = [tf.Variable(value, trainable=False) for value in values]

    def keep(self) -> None:
        """Keeps the present weights."""
        for kept, weight in zip(self.kept, self._network.weights, strict=True):
            kept.assign(first_component(weight.value))

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Puts the kept weights into the network for as long as the context lasts."""
        weights = [weight.value for weight in self._network.weights]
        present = [tf.identity(first_component(weight)) for weight in weights]
        for weight, kept in zip(weights, self.kept, strict=True):
            weight.assign(kept)
        try:
            yield
        finally:
            for weight, value in zip(weights, present, strict=True):
                weight.assign(value)
