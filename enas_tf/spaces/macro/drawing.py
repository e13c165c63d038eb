"""Drawings of macro architectures: a column of layers, skip connections as arcs beside it."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from enas_tf.drawing.picture import Group, Path, Picture, Rectangle, Shape, Text
from enas_tf.drawing.style import (
    BOX_HEIGHT,
    FAINT,
    GREY,
    INK,
    MARGIN,
    grey_box,
    head,
    operation_colours,
    operation_name,
    plus_sign,
)
from enas_tf.spaces.macro.architecture import (
    RELEASE_OPERATIONS,
    AnyMacroArchitecture,
    MacroChannelArchitecture,
    MacroChannelLayer,
    MacroLayer,
)
from enas_tf.spaces.macro.decisions import reduction_layers

_BOX_WIDTH = 230.0
_TRACK_HEIGHT = 7.0
_GAP = 34.0
_REDUCTION_GAP = 34.0
_MERGE_RADIUS = 6.0
_SMALLEST_BULGE = 22.0
_BULGE_PER_LAYER = 13.0

Layer = MacroLayer | MacroChannelLayer


@dataclasses.dataclass(frozen=True)
class _Row:
    """Where one layer stands: its box, the sum after it, and the wire into it."""

    input_y: float
    top: float
    bottom: float
    merge_y: float


def picture_of_macro(
    architecture: AnyMacroArchitecture, input_shape: Sequence[int] = (32, 32, 3)
) -> Picture:
    """Lays out a macro architecture of either form.

    Args:
      architecture: what to draw.
      input_shape: height, width and channels of the pictures; decides the reductions.
    """
    return _Drawing(architecture, input_shape).picture()


class _Drawing:
    """The layout of one architecture."""

    def __init__(self, architecture: AnyMacroArchitecture, input_shape: Sequence[int]):
        self._architecture = architecture
        self._layers: tuple[Layer, ...] = architecture.layers
        self._reductions = reduction_layers(architecture.num_layers, input_shape)
        most = max(len(sources) for sources in _sources(self._layers))
        self._left = MARGIN + max(64.0, 24.0 * most + 14.0) + 26.0
        self._right = self._left + _BOX_WIDTH
        self._centre = self._left + _BOX_WIDTH / 2
        self._width = max(
            self._right
            + 0.75 * (_SMALLEST_BULGE + _BULGE_PER_LAYER * _longest_skip(self._layers))
            + MARGIN,
            self._right + 150.0,
            560.0,
        )
        self._shapes: list[Shape] = []

    def picture(self) -> Picture:
        """Returns the finished picture."""
        layers = self._layers
        legend_bottom = self._legend()
        stem_top = legend_bottom + 18.0
        rows, head_top = self._rows(stem_top + BOX_HEIGHT)
        self._wires(stem_top, rows, head_top)
        for index in self._reductions:
            self._reduction(rows[index])
        self._shapes += grey_box(self._left, stem_top, _BOX_WIDTH, "stem: convolution 3x3")
        for index, (layer, row) in enumerate(zip(layers, rows)):
            # With the layer's skips, so that a pointer tells them from those of the others.
            outside, self._shapes = self._shapes, []
            for source in layer.skip_connections:
                self._arc(rows[source], row, source, index, _layer_colour(layer))
            self._layer(index, layer, row)
            self._shapes = [*outside, Group(self._shapes)]
        self._shapes += grey_box(self._left, head_top, _BOX_WIDTH, "global pooling, classifier")
        bottom = head_top + BOX_HEIGHT
        count = self._architecture.num_skip_connections
        return Picture(
            width=round(self._width),
            height=round(bottom + MARGIN),
            shapes=self._shapes,
            title=f"Macro architecture: {len(layers)} layers, {count} skip connections",
        )

    def _legend(self) -> float:
        """Draws the heading and the meaning of the colours; returns where they end."""
        architecture = self._architecture
        heading = (
            f"{architecture.num_layers} layers, "
            f"{architecture.num_skip_connections} skip connections"
        )
        notes = ["xN: input of layer N (x0: output of the stem). +: what a layer's skips add."]
        if isinstance(architecture, MacroChannelArchitecture):
            used: list[Any] = list(RELEASE_OPERATIONS)[: len(architecture.layers[0].branches)]
            notes.append(
                f"Bars: which of the {architecture.channels} channels each operation computes."
            )
        else:
            used = sorted({layer.operation for layer in architecture.layers})
        shapes, y = head(heading, notes, used, self._width)
        self._shapes += shapes
        return y

    def _rows(self, stem_bottom: float) -> tuple[list[_Row], float]:
        rows = []
        y = stem_bottom
        for index, layer in enumerate(self._layers):
            top = y + (_GAP if index else 0.6 * _GAP)
            bottom = top + _box_height(layer)
            merge_y = bottom + 11.0
            rows.append(_Row(top - 10.0, top, bottom, merge_y))
            y = bottom + (_REDUCTION_GAP if index in self._reductions else 0.0)
        return rows, y + _GAP

    def _wires(self, stem_top: float, rows: list[_Row], head_top: float) -> None:
        """Draws the main line from the stem to the classifier, behind the boxes."""
        tops = [*(row.top for row in rows), head_top]
        starts = [stem_top + BOX_HEIGHT, *(row.bottom for row in rows)]
        for start, end in zip(starts, tops):
            points = ((self._centre, start), (self._centre, end))
            self._shapes.append(Path(points, FAINT, width=1.6, arrow=6.0))

    def _reduction(self, row: _Row) -> None:
        y = row.bottom + 17.0 + _REDUCTION_GAP / 2
        line = ((MARGIN, y), (self._width - MARGIN, y))
        self._shapes.append(Path(line, "#9aa5b1", width=1.2, dashed=True))
        self._shapes.append(
            Rectangle(self._centre - 58.0, y - 9.0, 116.0, 18.0, "#ffffff", "#9aa5b1", radius=9.0)
        )
        text = "height, width / 2"
        self._shapes.append(Text(self._centre, y, text, size=11.0, fill=FAINT, anchor="middle"))

    def _arc(self, source: _Row, target: _Row, number: int, index: int, colour: str) -> None:
        start = (self._right + 4.0, source.input_y)
        end = (self._right + 12.0, target.merge_y)
        # A cubic curve reaches three quarters of the distance of its controls.
        bulge = self._right + _SMALLEST_BULGE + _BULGE_PER_LAYER * (index - number)
        controls = ((bulge, start[1]), (bulge, end[1]))
        title = f"input of layer {number} to layer {index}"
        self._shapes.append(
            Path((start, *controls, end), colour, width=1.3, curve=True, title=title)
        )
        self._shapes.append(Path(((self._centre, start[1]), start), FAINT, width=1.0))
        entry = (self._centre + _MERGE_RADIUS, end[1])
        self._shapes.append(Path((end, entry), colour, width=1.3, arrow=6.0))

    def _layer(self, index: int, layer: Layer, row: _Row) -> None:
        colour = _layer_colour(layer)
        if layer.skip_connections:
            self._shapes += plus_sign(self._centre, row.merge_y, _MERGE_RADIUS, colour)
            sources = " ".join(f"x{source}" for source in layer.skip_connections)
            self._shapes.append(
                Text(self._left - 34.0, row.merge_y, f"+ {sources}", 11.0, colour, anchor="end")
            )
        self._shapes.append(
            Rectangle(self._centre - 2.0, row.input_y - 2.0, 4.0, 4.0, FAINT, FAINT, radius=2.0)
        )
        label = f"x{index}"
        self._shapes.append(Text(self._centre - 7.0, row.input_y, label, 10.0, FAINT, anchor="end"))
        middle = (row.top + row.bottom) / 2
        self._shapes.append(
            Text(self._left - 10.0, middle, str(index), 13.0, INK, anchor="end", bold=True)
        )
        if isinstance(layer, MacroChannelLayer):
            self._tracks(layer, row)
            return
        fill, stroke = operation_colours(layer.operation)
        height = row.bottom - row.top
        title = f"layer {index}: {layer.operation.label}"
        self._shapes.append(
            Rectangle(self._left, row.top, _BOX_WIDTH, height, fill, stroke, title=title)
        )
        self._shapes.append(
            Text(self._centre, middle, operation_name(layer.operation), anchor="middle")
        )

    def _tracks(self, layer: MacroChannelLayer, row: _Row) -> None:
        """Draws a layer of the per-channel form: one bar for every operation."""
        architecture = self._architecture
        if not isinstance(architecture, MacroChannelArchitecture):
            return
        fill, stroke = "#f8f9fb", GREY[1]
        height = row.bottom - row.top
        self._shapes.append(Rectangle(self._left, row.top, _BOX_WIDTH, height, fill, stroke))
        scale = (_BOX_WIDTH - 12.0) / architecture.channels
        for number, (operation, branch) in enumerate(zip(RELEASE_OPERATIONS, layer.branches)):
            colour, outline = operation_colours(operation)
            last = branch.start + branch.count - 1
            self._shapes.append(
                Rectangle(
                    self._left + 6.0 + scale * branch.start,
                    row.top + 5.0 + _TRACK_HEIGHT * number,
                    scale * branch.count,
                    _TRACK_HEIGHT - 1.5,
                    colour,
                    outline,
                    radius=2.0,
                    title=f"{operation.label}: channels {branch.start} to {last}",
                )
            )


def _sources(layers: Sequence[Layer]) -> list[tuple[int, ...]]:
    return [layer.skip_connections for layer in layers]


def _longest_skip(layers: Sequence[Layer]) -> int:
    """Returns the number of layers that the longest skip connection spans."""
    return max((i - sources[0] for i, sources in enumerate(_sources(layers)) if sources), default=0)


def _layer_colour(layer: Layer) -> str:
    return operation_colours(layer.operation)[1] if isinstance(layer, MacroLayer) else GREY[1]


def _box_height(layer: Layer) -> float:
    if isinstance(layer, MacroLayer):
        return BOX_HEIGHT
    return 10.0 + _TRACK_HEIGHT * len(layer.branches)
