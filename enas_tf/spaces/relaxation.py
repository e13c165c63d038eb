"""Spaces that can be made continuous: mixtures of all options in the place of decisions.

Source: DARTS (Liu et al., 2019, arXiv 1806.09055). What is relaxed here is the decision of ENAS
itself: of each operand, which earlier tensor it reads *and* what is done with it, together.
"""

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.base import DecisionSpace
from enas_tf.spaces.operations import Operation, OwnOperation

READ_OFFS = ("edges", "argmax")


class RelaxableSpace(DecisionSpace):
    """A space whose decisions are pairs: an earlier tensor, and what is done with it.

    The decisions of an architecture must have two fields of one shape, first the tensors, then the
    operations. A *mixture* has for each pair a distribution over all pairs, and an architecture is
    the mixture of one-hot distributions.

    Attributes:
      samplings: what a step may compute of a mixture, see `DartsConfig.sampling`; the supernet of a
        space with `partial` has a method `partial_mixture`.
      mixture_type: `NamedTuple` with the field `weights`, float32 `[…, inputs, operations]`.
      path_type: `NamedTuple` with the fields of the decisions and `gains`, float32 of their shape:
        the sampled pairs, and by what the outcome of each is multiplied.
    """

    samplings: ClassVar[tuple[str, ...]] = ("full", "gumbel")
    mixture_type: ClassVar[type[Any]]
    path_type: ClassVar[type[Any]]

    @property
    @abc.abstractmethod
    def mixed_operations(self) -> tuple[Operation | OwnOperation, ...]:
        """The operations in the order of a mixture's last axis, and of decisions."""

    def permitted(self) -> np.ndarray:
        """Returns which pairs there are, bool `[…, inputs, operations]`."""
        num_inputs = np.asarray(self.decision_options()[0])
        inputs = np.arange(num_inputs.max()) < num_inputs[..., None]
        return np.repeat(inputs[..., None], len(self.mixed_operations), axis=-1)

    def relax(self, architectures: Sequence[Any]) -> Any:
        """Returns architectures as mixtures.

        Args:
          architectures: of this space.

        Returns:
          A mixture whose weights, float32 `[len(architectures), …, inputs, operations]`, are 0 and
          1.
        """
        inputs, operations = self.encode(architectures)
        reads = inputs[..., None] == np.arange(self.permitted().shape[-2])
        does = operations[..., None] == np.arange(len(self.mixed_operations))
        return self.mixture_type((reads[..., None] & does[..., None, :]).astype(np.float32))

    def strengths(self, mixture: Any, architecture: Any) -> np.ndarray:
        """Returns the weights that a mixture gives to the pairs of an architecture.

        Args:
          mixture: weights `[…, inputs, operations]`.
          architecture: of this space.

        Returns:
          Float32 `[…]`, one number for each decision.
        """
        return (np.asarray(mixture.weights) * self.relax([architecture]).weights[0]).sum((-1, -2))

    def marginals(self, mixture: Any) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
        """Returns the weights of the operations, and those of the tensors that are read.

        Args:
          mixture: weights `[…, inputs, operations]`.

        Returns:
          By the operation's name, and by the tensor's number, the weight in each decision.
        """
        weights = np.asarray(mixture.weights)
        flat = weights.reshape(-1, *weights.shape[-2:])
        names = [operation.label for operation in self.mixed_operations]
        inputs = [f"input {number}" for number in range(flat.shape[1])]
        operations = dict(zip(names, flat.sum(axis=1).T.tolist()))
        return operations, dict(zip(inputs, flat.sum(axis=2).T.tolist()))

    def discretise(self, mixture: Any, rule: str = "argmax") -> list[Any]:
        """Returns the architectures that mixtures are nearest to.

        Args:
          mixture: weights `[mixtures, …, inputs, operations]`.
          rule: `argmax`, the likeliest pair of each decision, or `edges`: the likeliest pairs that
            the authors of DARTS would accept, see `strongest_edges`.

        Returns:
          One architecture for each mixture.

        Raises:
          ConfigurationError: there is no such rule.
        """
        if rule not in READ_OFFS:
            raise ConfigurationError(
                f"`rule` must be one of {', '.join(READ_OFFS)}. Received: {rule!r}."
            )
        weights = np.asarray(mixture.weights, np.float32)
        strengths = np.where(self.permitted(), weights, -1.0)
        best = strengths.max(axis=-1)
        inputs = best.argmax(axis=-1) if rule == "argmax" else self.strongest_edges(best)
        places = strengths.argmax(axis=-1)
        chosen = np.take_along_axis(places, inputs[..., None], axis=-1)[..., 0]
        kind = type(self.decision_options())
        return self.decode(kind(inputs.astype(np.int32), chosen.astype(np.int32)))

    def strongest_edges(self, strengths: np.ndarray) -> np.ndarray:
        """Returns which tensors are read by the authors' rule: the strongest one of each decision.

        Args:
          strengths: of the best operation of each tensor, `[…, inputs]`; negative where a tensor
            cannot be read.

        Returns:
          Integers `[…]`.
        """
        return strengths.argmax(axis=-1)
