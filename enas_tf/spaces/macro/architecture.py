"""Architectures of the macro space: an operation and skip connections for every layer.

Layer `i` (from 0) has one operation, of six in the release, and may add any *inputs* of the layers
before it: skip connection `j` of layer `i`, `j < i`, leads from the input of layer `j` (`j = 0`:
the stem). The input of layer `i` itself is no candidate. Source: the authors' release,
`src/cifar10/`.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from typing_extensions import Self

from enas_tf.errors import ArchitectureError
from enas_tf.spaces.base import (
    MOST_PARTS,
    Architecture,
    check_size,
    is_index,
    naming,
    parse_integers,
    parse_json_object,
)
from enas_tf.spaces.operations import ImageOperation, OwnOperation

_WHAT = "A macro architecture"


class MacroOperation(ImageOperation):
    """What a layer computes, behind a 1 x 1 convolution; the first six values are the release's."""

    CONVOLUTION_3X3 = 0
    SEPARABLE_CONVOLUTION_3X3 = 1
    CONVOLUTION_5X5 = 2
    SEPARABLE_CONVOLUTION_5X5 = 3
    AVERAGE_POOLING_3X3 = 4
    MAX_POOLING_3X3 = 5
    IDENTITY = 6


# What a layer chooses from unless something else is said.
RELEASE_OPERATIONS = tuple(MacroOperation)[:6]


@dataclasses.dataclass(frozen=True)
class MacroLayer:
    """One layer: its operation and where its skip connections come from.

    Attributes:
      operation: what the layer computes.
      skip_connections: ascending indices `j`; `j` stands for the input of layer `j`.
    """

    operation: MacroOperation | OwnOperation
    skip_connections: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class ChannelRange:
    """The output channels `start … start + count - 1` that one branch of a layer computes."""

    start: int
    count: int


@dataclasses.dataclass(frozen=True)
class MacroChannelLayer:
    """One layer of the per-channel form: every operation computes a range of channels.

    Attributes:
      branches: one range for each operation, in the order of `RELEASE_OPERATIONS`.
      skip_connections: as in `MacroLayer`.
    """

    branches: tuple[ChannelRange, ...]
    skip_connections: tuple[int, ...] = ()


class _LayeredArchitecture(Architecture):
    """What both forms share."""

    layers: tuple[Any, ...]
    space_name: ClassVar[str] = "macro"

    @property
    def num_layers(self) -> int:
        """Number of layers."""
        return len(self.layers)

    @property
    def num_skip_connections(self) -> int:
        """Number of skip connections in all layers."""
        return sum(len(layer.skip_connections) for layer in self.layers)


@dataclasses.dataclass(frozen=True, repr=False)
class MacroArchitecture(_LayeredArchitecture):
    """A network of the macro space in which every layer has one operation.

    Attributes:
      layers: the layers, first to last.
    """

    layers: tuple[MacroLayer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        _check_layers(self.layers, MacroLayer)
        for index, layer in enumerate(self.layers):
            if not isinstance(layer.operation, MacroOperation | OwnOperation):
                raise ArchitectureError(
                    f"Layer {index}: `operation` must be a MacroOperation or an OwnOperation. "
                    f"Received: {layer.operation!r}."
                )

    @classmethod
    def from_release_string(cls, text: str) -> Self:
        """Parses the release's integers: for each layer the operation, then its skip bits.

        Args:
          text: for example `"0 | 3 0 | 0 1 0"`; bars and commas count as blanks. In the place of
            an operation's integer its name may stand.

        Raises:
          ArchitectureError: the number of integers fits no number of layers, or one is out of
            range.
        """
        layers = []
        for index, ((number,), bits) in enumerate(_integers_of_layers(text, 1, True)):
            with naming(f"Layer {index}"):
                operation = MacroOperation.from_word(number)
                layers.append(MacroLayer(operation, _sources_of_bits(bits)))
        return cls(tuple(layers))

    def to_release_string(self) -> str:
        """Returns the release's integers, `num_layers * (num_layers + 1) / 2` of them.

        An operation of the user's own has no integer; its name stands there.
        """
        words: list[int | str] = []
        for index, layer in enumerate(self.layers):
            words += [layer.operation.word, *_bits_of_sources(index, layer.skip_connections)]
        return " ".join(map(str, words))

    def to_json(self) -> dict[str, Any]:
        """Returns `{"layers": [{"operation": …, "skip_connections": […]}, …]}`."""
        return {
            "layers": [
                {
                    "operation": layer.operation.label,
                    "skip_connections": list(layer.skip_connections),
                }
                for layer in self.layers
            ]
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | str) -> Self:
        """Makes an architecture from what `to_json` returned, or from its JSON text."""
        layers = []
        for index, entry in enumerate(_layer_entries(value, {"operation", "skip_connections"})):
            with naming(f"Layer {index}"):
                operation = MacroOperation.from_label(entry["operation"])
                layers.append(MacroLayer(operation, _sources_of_json(entry)))
        return cls(tuple(layers))


@dataclasses.dataclass(frozen=True, repr=False)
class MacroChannelArchitecture(_LayeredArchitecture):
    """A network of the per-channel form of the macro space (`search_whole_channels=False`).

    Attributes:
      layers: the layers, first to last; all have the same number of branches.
      channels: channels of a layer's output that the ranges refer to.
    """

    layers: tuple[MacroChannelLayer, ...]
    channels: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        _check_layers(self.layers, MacroChannelLayer)
        num_branches = len(self.layers[0].branches)
        for index, layer in enumerate(self.layers):
            if len(layer.branches) != num_branches or not 1 <= num_branches <= len(
                RELEASE_OPERATIONS
            ):
                raise ArchitectureError(
                    f"Layer {index}: expected the same number of branches in every layer, from 1 "
                    f"to {len(RELEASE_OPERATIONS)}. Received: {len(layer.branches)}."
                )
            for branch in layer.branches:
                inside = branch.start >= 0 and branch.start + branch.count <= self.channels
                if not inside or not 1 <= branch.count < self.channels:
                    raise ArchitectureError(
                        f"Layer {index}: a branch must have 1 to {self.channels - 1} channels "
                        f"inside 0 to {self.channels - 1}. Received: start {branch.start}, "
                        f"count {branch.count}."
                    )

    @classmethod
    def from_release_string(cls, text: str, num_branches: int, channels: int) -> Self:
        """Parses the release's integers: per layer `start count` of each branch, then skip bits.

        Args:
          text: the integers, separated by blanks.
          num_branches: number of operations in each layer, 1 to 6.
          channels: channels that the ranges refer to.

        Raises:
          ArchitectureError: the number of integers fits no number of layers, or one is out of
            range.
        """
        layers = []
        for index, (numbers, bits) in enumerate(_integers_of_layers(text, 2 * num_branches)):
            branches = tuple(map(ChannelRange, numbers[0::2], numbers[1::2]))
            with naming(f"Layer {index}"):
                layers.append(MacroChannelLayer(branches, _sources_of_bits(bits)))
        return cls(tuple(layers), channels)

    def to_release_string(self) -> str:
        """Returns the release's integers."""
        words: list[int] = []
        for index, layer in enumerate(self.layers):
            for branch in layer.branches:
                words += [branch.start, branch.count]
            words += _bits_of_sources(index, layer.skip_connections)
        return " ".join(map(str, words))

    def to_json(self) -> dict[str, Any]:
        """Returns `{"channels": …, "layers": [{"branches": […], "skip_connections": […]}, …]}`."""
        return {
            "channels": self.channels,
            "layers": [
                {
                    "branches": [dataclasses.asdict(branch) for branch in layer.branches],
                    "skip_connections": list(layer.skip_connections),
                }
                for layer in self.layers
            ],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | str) -> Self:
        """Makes an architecture from what `to_json` returned, or from its JSON text."""
        value = parse_json_object(value, _WHAT)
        layers = []
        for index, entry in enumerate(_layer_entries(value, {"branches", "skip_connections"})):
            with naming(f"Layer {index}"):
                branches = _branches_of_json(entry["branches"])
                layers.append(MacroChannelLayer(branches, _sources_of_json(entry)))
        channels = value.get("channels")
        if type(channels) is not int:
            raise ArchitectureError(f"`channels` must be an integer. Received: {channels!r}.")
        return cls(tuple(layers), channels)


AnyMacroArchitecture = MacroArchitecture | MacroChannelArchitecture


def macro_architecture_from_json(value: Mapping[str, Any] | str) -> AnyMacroArchitecture:
    """Makes an architecture of either form from its JSON, told apart by the key `channels`."""
    value = parse_json_object(value, _WHAT)
    form = MacroChannelArchitecture if "channels" in value else MacroArchitecture
    return form.from_json(value)


def _num_layers(num_integers: int, integers_per_layer: int) -> int:
    """Solves n·k + n(n−1)/2 = `num_integers` for the number of layers n."""
    offset = 2 * integers_per_layer - 1
    num_layers = (math.isqrt(offset * offset + 8 * num_integers) - offset) // 2
    if num_layers < 1 or _num_integers(num_layers, integers_per_layer) != num_integers:
        shorter = max(num_layers, 1)
        raise ArchitectureError(
            f"{num_integers} integers fit no number of layers: {shorter} layers take "
            f"{_num_integers(shorter, integers_per_layer)}, {shorter + 1} layers take "
            f"{_num_integers(shorter + 1, integers_per_layer)}."
        )
    return num_layers


def _num_integers(num_layers: int, integers_per_layer: int) -> int:
    return num_layers * integers_per_layer + num_layers * (num_layers - 1) // 2


def _integers_of_layers(
    text: str, per_layer: int, names: bool = False
) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yields for each layer the integers of what it computes, and its skip bits."""
    integers = parse_integers(text, _WHAT, _num_integers(MOST_PARTS, per_layer), names)
    for index in range(_num_layers(len(integers), per_layer)):
        start = _num_integers(index, per_layer)
        yield (
            integers[start : start + per_layer],
            integers[start + per_layer : start + per_layer + index],
        )


def _sources_of_bits(bits: Sequence[int]) -> tuple[int, ...]:
    if any(bit not in (0, 1) for bit in bits):
        raise ArchitectureError(f"skip bits must be 0 or 1. Received: {bits}.")
    return tuple(source for source, bit in enumerate(bits) if bit)


def _bits_of_sources(layer: int, sources: tuple[int, ...]) -> list[int]:
    return [int(source in sources) for source in range(layer)]


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _layer_entries(value: Mapping[str, Any] | str, keys: set[str]) -> list[Mapping[str, Any]]:
    value = parse_json_object(value, _WHAT)
    entries = value.get("layers")
    if not isinstance(entries, list):
        raise ArchitectureError(
            f"A macro architecture must have a list `layers`. Received keys: {sorted(value)}."
        )
    for index, entry in enumerate(entries):
        if not isinstance(entry, Mapping) or set(entry) != keys:
            raise ArchitectureError(
                f"Layer {index} must be an object with the keys {sorted(keys)}. "
                f"Received: {entry!r:.80}."
            )
    return entries


def _branches_of_json(entries: Any) -> tuple[ChannelRange, ...]:
    try:
        return tuple(
            ChannelRange(_integer(entry["start"]), _integer(entry["count"])) for entry in entries
        )
    except (TypeError, KeyError) as error:
        raise ArchitectureError(
            "`branches` must be a list of objects with integers `start` and `count`. "
            f"Received: {entries!r:.80}."
        ) from error


def _sources_of_json(entry: Mapping[str, Any]) -> tuple[int, ...]:
    sources = entry["skip_connections"]
    if not isinstance(sources, list):
        raise ArchitectureError(
            f"`skip_connections` must be a list of integers. Received: {sources!r}."
        )
    return tuple(sources)


def _check_layers(layers: Sequence[Any], kind: type[MacroLayer] | type[MacroChannelLayer]) -> None:
    if not layers:
        raise ArchitectureError("An architecture must have at least one layer.")
    check_size(_WHAT, "layers", len(layers))
    for index, layer in enumerate(layers):
        if not isinstance(layer, kind):
            raise ArchitectureError(
                f"Layer {index} must be a {kind.__name__}. Received: {layer!r:.60}."
            )
        sources = layer.skip_connections
        inside = all(is_index(source, index) for source in sources)
        if not inside or list(sources) != sorted(set(sources)):
            raise ArchitectureError(
                f"Layer {index}: `skip_connections` must be ascending integers from 0 to "
                f"{index - 1}. Received: {list(sources)}."
                if index
                else f"Layer 0 has no skip connections. Received: {list(sources)}."
            )
