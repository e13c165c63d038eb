"""What the network of an architecture costs, without building it.

Nothing here imports TensorFlow.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Costs:
    """The size of a network, and the work of one example.

    Attributes:
      parameters: that are trained: kernels, biases, scales and offsets; `parameters` of
        `results.json`.
      all_parameters: those and the moving statistics of batch normalisation; `count_params()` of
        the Keras model.
      multiply_adds: multiplications with an addition each that one picture takes, or one word and
        the prediction of the next: those of convolutions, dense layers, recurrent kernels and the
        softmax's logits. Not counted are batch normalisation (it can be folded into the
        convolution before it), activations, poolings, sums, gates, and reading an embedding.
      latency_ms: milliseconds that one picture takes, if that was asked for.
    """

    parameters: int
    all_parameters: int
    multiply_adds: int
    latency_ms: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the numbers that are known, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Costs | None":
        """Returns the costs among the entries of a JSON object; None if they are not there."""
        names = ("parameters", "all_parameters", "multiply_adds")
        if not all(type(value.get(name)) is int for name in names):
            return None
        latency = value.get("latency_ms")
        known = float(latency) if isinstance(latency, (int, float)) else None
        return cls(**{name: value[name] for name in names}, latency_ms=known)

    def __str__(self) -> str:
        """Returns what is known in words."""
        latency = "" if self.latency_ms is None else f", {self.latency_ms:.3g} ms"
        return f"{self.parameters:,} parameters, {self.multiply_adds:,} multiply-adds{latency}"
