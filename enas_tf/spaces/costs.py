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
    """

    parameters: int
    all_parameters: int
    multiply_adds: int

    def to_json(self) -> dict[str, int]:
        """Returns the numbers by name."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Costs | None":
        """Returns the costs among the entries of a JSON object; None if they are not there."""
        names = [field.name for field in dataclasses.fields(cls)]
        known = all(type(value.get(name)) is int for name in names)
        return cls(*(value[name] for name in names)) if known else None

    def __str__(self) -> str:
        """Returns both sizes in words."""
        return f"{self.parameters:,} parameters, {self.multiply_adds:,} multiply-adds"
