"""What can be decided in the macro space: its sizes, its architectures, and their decisions."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.settings.groups import Group
from enas_tf.settings.setting import section, setting
from enas_tf.spaces.base import MOST_PARTS, DecisionSpace
from enas_tf.spaces.images.stem import AUTO, CIFAR, HELP, STEMS, body_shape
from enas_tf.spaces.macro.architecture import (
    RELEASE_OPERATIONS,
    AnyMacroArchitecture,
    ChannelRange,
    MacroArchitecture,
    MacroChannelArchitecture,
    MacroChannelLayer,
    MacroLayer,
    MacroOperation,
)
from enas_tf.spaces.macro.config import STEM_HALVINGS, MacroControllerConfig
from enas_tf.spaces.operations import OwnOperation, chosen_operations, whole_names

SMALLEST_REDUCED_SIDE = 4


class MacroDecisions(NamedTuple):
    """Batched architectures, as the controller decides them and the supernet reads them.

    Attributes:
      operations: int32 `[batch, num_layers]`, numbers in the space's `searched_operations`.
      skips: int32 `[batch, num_layers, num_layers]`; `skips[b, i, j]` is 1 if layer `i` adds the
        input of layer `j < i`, else 0.
    """

    operations: Any
    skips: Any


class MacroChannelDecisions(NamedTuple):
    """Batched architectures of the per-channel form.

    Attributes:
      starts: int32 `[batch, num_layers, num_operations]`, first channel of each branch.
      counts: int32, same shape, number of channels of each branch.
      skips: as in `MacroDecisions`.
    """

    starts: Any
    counts: Any
    skips: Any


@dataclasses.dataclass(frozen=True)
class MacroDecisionSpace(DecisionSpace):
    """The architectures of a macro space; see `MacroSpace`."""

    num_layers: int = setting(12, "Layers of the searched network.", minimum=1, maximum=MOST_PARTS)
    filters: int = setting(36, "Channels of every layer of the supernet; even.", minimum=2)
    input_shape: tuple[int, ...] = setting(
        (32, 32, 3), "Height, width and channels of a picture.", flag=False
    )
    num_classes: int = setting(10, "Number of classes.", minimum=2, flag=False)
    num_operations: int = setting(
        len(RELEASE_OPERATIONS),
        "Use the first so many operations: convolution 3x3, separable 3x3, convolution 5x5, "
        "separable 5x5, average pooling, max pooling.",
        minimum=1,
        maximum=len(RELEASE_OPERATIONS),
    )
    operations: tuple[str, ...] | None = setting(
        None,
        "Use these operations, separated by commas: "
        f"{', '.join(one.label for one in MacroOperation)}, or of your own "
        "(--operations_module). Some words of a name are enough if they fit one alone: "
        "separable_3x3 (default: the first num_operations).",
    )
    search_whole_channels: bool = setting(
        True, "One operation per layer; no: every operation computes a range of channels."
    )
    stem: str = setting(AUTO, HELP, choices=STEMS, before=CIFAR)
    dropout_rate: float = setting(
        0.1, "Share of features dropped before the supernet's classifier.", minimum=0.0, below=1.0
    )
    moving_statistics: str = setting(
        "debiased",
        "Moving statistics after a k x k operation: debiased like all others, or starting from "
        "0 and 1 as in the release.",
        choices=("debiased", "release"),
    )
    controller: MacroControllerConfig = section(
        MacroControllerConfig(), prefix="controller_", group=Group.CONTROLLER
    )
    name: ClassVar[str] = "macro"

    def __post_init__(self) -> None:
        super().__post_init__()
        whole = whole_names(MacroOperation, self.operations, RELEASE_OPERATIONS)
        object.__setattr__(self, "operations", whole)
        if whole is None:
            return
        if self.num_operations != len(RELEASE_OPERATIONS):
            raise ConfigurationError(
                "Give `operations` or `num_operations`, not both. Received: "
                f"operations={','.join(whole)} and num_operations={self.num_operations}."
            )
        if not self.search_whole_channels:
            raise ConfigurationError(
                "`operations` can be chosen where a layer has one operation; for ranges of "
                "channels (search_whole_channels=False) give `num_operations`. Received: "
                f"operations={','.join(whole)}."
            )

    @functools.cached_property
    def searched_operations(self) -> tuple[MacroOperation | OwnOperation, ...]:
        """The operations that a layer can have."""
        if self.operations is None:
            return RELEASE_OPERATIONS[: self.num_operations]
        return chosen_operations(MacroOperation, self.operations)

    @property
    def reduction_layers(self) -> tuple[int, ...]:
        """Layers after which the picture is halved; see `reduction_layers`."""
        return reduction_layers(self.num_layers, self.body_shape)

    @property
    def body_shape(self) -> tuple[int, int, int]:
        """Height and width that the first layer sees, and the channels of a picture."""
        return body_shape(self.stem, self.input_shape, STEM_HALVINGS)

    @property
    def num_architectures(self) -> int:
        """Operations (or channel ranges) of all layers times all subsets of skip connections."""
        per_layer = len(self.searched_operations)
        if not self.search_whole_channels:
            # A range of the release starts anywhere and never covers all channels.
            ranges = self.filters * (self.filters + 1) // 2 - 1
            per_layer = ranges**self.num_operations
        num_skips = self.num_layers * (self.num_layers - 1) // 2
        return per_layer**self.num_layers * 2**num_skips

    def random_architecture(
        self, seed: "int | np.random.Generator | None" = None
    ) -> AnyMacroArchitecture:
        """Returns an architecture drawn uniformly from the space.

        Args:
          seed: an integer, a NumPy generator (which is advanced), or None for a random one.
        """
        generator = np.random.default_rng(seed)
        shape = (1, self.num_layers)
        skips = generator.integers(0, 2, size=(*shape, self.num_layers))
        skips *= np.tri(self.num_layers, k=-1, dtype=skips.dtype)
        if self.search_whole_channels:
            operations = generator.integers(0, len(self.searched_operations), size=shape)
            return self.decode(MacroDecisions(operations, skips))[0]
        picks = generator.integers(0, len(self._channel_ranges), size=(*shape, self.num_operations))
        chosen = self._channel_ranges[picks]
        return self.decode(MacroChannelDecisions(chosen[..., 0], chosen[..., 1], skips))[0]

    def architecture_from_release_string(self, text: str) -> AnyMacroArchitecture:
        """Returns the architecture that a text names; see `DecisionSpace`."""
        if self.search_whole_channels:
            return MacroArchitecture.from_release_string(text)
        return MacroChannelArchitecture.from_release_string(text, self.num_operations, self.filters)

    def mutate(
        self, architecture: AnyMacroArchitecture, generator: np.random.Generator
    ) -> AnyMacroArchitecture:
        """Returns an architecture that differs from another one in a single random decision.

        With equal chances this is a skip connection, or an operation (in the per-channel form the
        channels of one branch); if the space leaves no choice of the one, it is the other.

        Args:
          architecture: of this space; returned as it is if the space has no other.
          generator: makes the random choices and is advanced.
        """
        fields = list(self.encode([architecture]))
        has_skips = self.num_layers > 1
        num_operations = len(self.searched_operations)
        has_operations = num_operations > 1 or not self.search_whole_channels
        if has_skips and not (has_operations and generator.random() < 0.5):
            layers, sources = np.tril_indices(self.num_layers, k=-1)
            pick = generator.integers(len(layers))
            fields[-1][0, layers[pick], sources[pick]] ^= 1
        elif has_operations and self.search_whole_channels:
            layer = generator.integers(self.num_layers)
            # A shift by 1 to n - 1 modulo n reaches every operation but the same one.
            shift = generator.integers(1, num_operations)
            fields[0][0, layer] = (fields[0][0, layer] + shift) % num_operations
        elif has_operations:
            place = (0, generator.integers(self.num_layers), generator.integers(fields[0].shape[2]))
            current = (fields[0][place], fields[1][place])
            others = self._channel_ranges[np.any(self._channel_ranges != current, axis=1)]
            fields[0][place], fields[1][place] = others[generator.integers(len(others))]
        kind = MacroDecisions if self.search_whole_channels else MacroChannelDecisions
        return self.decode(kind(*fields))[0]

    @property
    def _labels(self) -> str:
        return ", ".join(one.label for one in self.searched_operations)

    @functools.cached_property
    def _channel_ranges(self) -> np.ndarray:
        """Start and count of every range of channels that a branch can have, `[ranges, 2]`."""
        starts, ends = np.triu_indices(self.filters + 1, k=1)
        ranges = np.stack([starts, ends - starts], axis=1)
        return ranges[ranges[:, 1] < self.filters]

    def check(self, architecture: Any) -> None:
        """Raises `ArchitectureError` unless the architecture belongs to this space."""
        kind = MacroArchitecture if self.search_whole_channels else MacroChannelArchitecture
        if not isinstance(architecture, kind):
            raise ArchitectureError(
                f"Expected a {kind.__name__}, since search_whole_channels is "
                f"{self.search_whole_channels}. Received: {type(architecture).__name__}."
            )
        if architecture.num_layers != self.num_layers:
            raise ArchitectureError(
                f"The architecture has {architecture.num_layers} layers, the space "
                f"{self.num_layers}; set num_layers={architecture.num_layers}."
            )
        if isinstance(architecture, MacroChannelArchitecture):
            branches = len(architecture.layers[0].branches)
            if (branches, architecture.channels) != (self.num_operations, self.filters):
                raise ArchitectureError(
                    f"The architecture has {branches} branches on {architecture.channels} "
                    f"channels, the space {self.num_operations} on {self.filters}."
                )
            return
        for index, layer in enumerate(architecture.layers):
            if layer.operation not in self.searched_operations:
                raise ArchitectureError(
                    f"Layer {index}: operation {layer.operation.label} is not among the "
                    f"operations of this space: {self._labels}."
                )

    def encode(self, architectures: Sequence[Any]) -> MacroDecisions | MacroChannelDecisions:
        """Returns the decisions of architectures as int32 arrays; see `MacroDecisions`."""
        shape = (len(architectures), self.num_layers)
        skips = np.zeros((*shape, self.num_layers), np.int32)
        for number, architecture in enumerate(architectures):
            self.check(architecture)
            for index, layer in enumerate(architecture.layers):
                skips[number, index, list(layer.skip_connections)] = 1
        if self.search_whole_channels:
            number_of = self.searched_operations.index
            operations = [[number_of(layer.operation) for layer in a.layers] for a in architectures]
            return MacroDecisions(np.array(operations, np.int32).reshape(shape), skips)
        ranges = [
            [[(branch.start, branch.count) for branch in layer.branches] for layer in a.layers]
            for a in architectures
        ]
        chosen = np.array(ranges, np.int32).reshape(*shape, self.num_operations, 2)
        return MacroChannelDecisions(chosen[..., 0], chosen[..., 1], skips)

    def decode(self, decisions: Any) -> list[AnyMacroArchitecture]:
        """Returns the architectures of batched decisions (arrays or eager tensors)."""
        *fields, skips = (np.asarray(field).tolist() for field in decisions)
        architectures: list[AnyMacroArchitecture] = []
        for *chosen, bits in zip(*fields, skips):
            sources = [tuple(j for j in range(index) if row[j]) for index, row in enumerate(bits)]
            if isinstance(decisions, MacroDecisions):
                operations = map(self.searched_operations.__getitem__, *chosen)
                layers = tuple(map(MacroLayer, operations, sources))
                architectures.append(MacroArchitecture(layers))
            else:
                ranges = (tuple(map(ChannelRange, *own)) for own in zip(*chosen))
                channel_layers = tuple(map(MacroChannelLayer, ranges, sources))
                architectures.append(MacroChannelArchitecture(channel_layers, self.filters))
        return architectures

    def decision_options(self) -> MacroDecisions:
        """Returns how many values each decision can have; see `DecisionSpace.decision_options`."""
        if not self.search_whole_channels:
            raise ConfigurationError(
                "Where a range of channels ends depends on where it starts; architectures of "
                "search_whole_channels=False cannot be enumerated."
            )
        return MacroDecisions(
            np.full(self.num_layers, len(self.searched_operations)),
            np.tri(self.num_layers, k=-1, dtype=int) + 1,
        )

    def operation_counts(self, architectures: Sequence[Any]) -> dict[str, list[int]]:
        """Returns how often each operation has each layer.

        In the per-channel form: how many channels each operation has in each layer.
        """
        decisions = self.encode(architectures)
        operations = list(enumerate(self.searched_operations))
        if isinstance(decisions, MacroDecisions):
            counts = {o.label: decisions.operations == n for n, o in operations}
        else:
            counts = {o.label: decisions.counts[..., n] for n, o in operations}
        return {name: np.sum(values, axis=0).tolist() for name, values in counts.items()}


def reduction_layers(num_layers: int, input_shape: Sequence[int]) -> tuple[int, ...]:
    """Returns the layers after which the picture is halved.

    They are layers `L // 3 - 1` and `2 * (L // 3) - 1` of `L` (as in the release), except that a
    reduction is left out if it would make the smaller side less than 4 pixels: 32 x 32 and
    16 x 16 pictures are halved twice, 8 x 8 ones once, smaller ones never. Networks of fewer than
    three layers have no reduction.

    Args:
      num_layers: number of layers.
      input_shape: height, width and channels of a picture.
    """
    side = min(input_shape[:2])
    layers = []
    for third in (1, 2):
        layer = third * (num_layers // 3) - 1
        side = (side + 1) // 2
        if layer >= 0 and side >= SMALLEST_REDUCED_SIDE:
            layers.append(layer)
    return tuple(layers)
