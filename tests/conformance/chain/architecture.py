import dataclasses
from typing import ClassVar

from enas_tf.errors import ArchitectureError
from enas_tf.spaces.base import Architecture, parse_integers, parse_json_object
from enas_tf.spaces.operations import Operation


class ChainOperation(Operation):
    CONVOLUTION_1X1 = 0
    IDENTITY = 1
    AVERAGE_POOLING_3X3 = 2


@dataclasses.dataclass(frozen=True)
class ChainArchitecture(Architecture):
    operations: tuple[ChainOperation, ...]
    space_name: ClassVar[str] = "chain"

    @classmethod
    def from_release_string(cls, text):
        return cls(
            tuple(map(ChainOperation.from_integer, parse_integers(text, "A chain", most=1000)))
        )

    def to_release_string(self):
        return " ".join(str(int(operation)) for operation in self.operations)

    @classmethod
    def from_json(cls, value):
        labels = parse_json_object(value, "A chain").get("operations")
        if not isinstance(labels, list) or not labels:
            raise ArchitectureError("A chain must have a list of operations.")
        return cls(tuple(map(ChainOperation.from_label, labels)))

    def to_json(self):
        return {"operations": [operation.label for operation in self.operations]}
