"""What the operations of the image spaces have in common."""

import enum
import functools

from typing_extensions import Self

from enas_tf.errors import ArchitectureError


class Operation(enum.IntEnum):
    """Base of a space's operations; members are named like `SEPARABLE_CONVOLUTION_3X3`.

    The values are those of the authors' release.
    """

    @functools.cached_property
    def label(self) -> str:
        """The name used in JSON files, logs and drawings, for example `max_pooling_3x3`."""
        return self.name.lower()

    @functools.cached_property
    def kernel_size(self) -> int:
        """Height and width of the window in pixels; 1 if there is none."""
        size, times, _ = self.name.rpartition("_")[2].partition("X")
        return int(size) if times else 1

    @functools.cached_property
    def is_pooling(self) -> bool:
        """Whether the operation pools."""
        return "POOLING" in self.name

    @functools.cached_property
    def is_separable(self) -> bool:
        """Whether the operation is made of depthwise-separable convolutions."""
        return self.name.startswith("SEPARABLE")

    @functools.cached_property
    def dilation(self) -> int:
        """Distance in pixels of what the window reads: 2 if it is dilated, otherwise 1."""
        return 2 if self.name.startswith("DILATED") else 1

    @classmethod
    def from_label(cls, label: str) -> Self:
        """Returns the operation of a name as in `label`.

        Raises:
          ArchitectureError: there is none of that name.
        """
        for operation in cls:
            if operation.label == label:
                return operation
        raise ArchitectureError(
            f"Unknown operation {label!r}. Known: {', '.join(o.label for o in cls)}."
        )

    @classmethod
    def from_integer(cls, value: int) -> Self:
        """Returns the operation of a number of the release.

        Raises:
          ArchitectureError: there is none of that number.
        """
        if not 0 <= value < len(cls):
            raise ArchitectureError(
                f"An operation must be an integer from 0 to {len(cls) - 1}. Received: {value}."
            )
        return cls(value)
