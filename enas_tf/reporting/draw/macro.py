"""Drawings of macro architectures: a column of layers, skip connections as arcs beside it."""

import dataclasses
import math
from collections.abc import Sequence

from enas_tf.reporting.draw.picture import Path, Picture, Rectangle, Shape, Text
from enas_tf.spaces.macro.architecture import (
    MacroArchitecture,
    MacroChannelArchitecture,
    MacroChannelLayer,
    MacroLayer,
    MacroOperation,
)
from enas_tf.spaces.macro.space import reduction_layers

# Fill of the box, and a darker colour for outlines and arcs. Families (plain convolution,
# separable convolution, pooling) have a hue each, larger windows the deeper shade.
_COLOURS = {
    MacroOperation.CONVOLUTION_3X3: ("#cfe3f7", "#3b7cc4"),
    MacroOperation.SEPARABLE_CONVOLUTION_3X3: ("#d6efd0", "#4b9b45"),
    MacroOperation.CONVOLUTION_5X5: ("#93bdea", "#1f4f93"),
    MacroOperation.SEPARABLE_CONVOLUTION_5X5: ("#97d18c", "#22662a"),
    MacroOperation.AVERAGE_POOLING_3X3: ("#fbe3bd", "#c98a1b"),
    MacroOperation.MAX_POOLING_3X3: ("#f7c0a6", "#c1522a"),
}
_NAMES = {
    MacroOperation.CONVOLUTION_3X3: "convolution 3x3",
    MacroOperation.SEPARABLE_CONVOLUTION_3X3: "separable convolution 3x3",
    MacroOperation.CONVOLUTION_5X5: "convolution 5x5",
    MacroOperation.SEPARABLE_CONVOLUTION_5X5: "separable convolution 5x5",
    MacroOperation.AVERAGE_POOLING_3X3: "average pooling 3x3",
    MacroOperation.MAX_POOLING_3X3: "max pooling 3x3",
}
_GREY = ("#eceff3", "#6b7785")
_INK = "#1f2933"
_FAINT = "#6b7785"

_BOX_WIDTH = 230.0
_BOX_HEIGHT = 28.0
_TRACK_HEIGHT = 7.0
_GAP = 34.0
_REDUCTION_GAP = 34.0
_MERGE_RADIUS = 6.0
_MARGIN = 24.0
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
    architecture: MacroArchitecture | MacroChannelArchitecture,
    input_shape: Sequence[int] = (32, 32, 3),
) -> Picture:
    """Lays out a macro architecture of either form.

    Args:
      architecture: what to draw.
      input_shape: height, width and channels of the pictures; decides the reductions.
    """
    return _Drawing(architecture, input_shape).picture()


class _Drawing:
    """The layout of one architecture."""

    def __init__(
        self,
        architecture: MacroArchitecture | MacroChannelArchitecture,
        input_shape: Sequence[int],
    ):
        self._architecture = architecture
        self._layers: tuple[Layer, ...] = architecture.layers
        self._reductions = reduction_layers(architecture.num_layers, input_shape)
        most = max(len(sources) for sources in _sources(self._layers))
        self._left = _MARGIN + max(64.0, 24.0 * most + 14.0) + 26.0
        self._right = self._left + _BOX_WIDTH
        self._centre = self._left + _BOX_WIDTH / 2
        self._width = max(
            self._right
            + 0.75 * (_SMALLEST_BULGE + _BULGE_PER_LAYER * _longest_skip(self._layers))
            + _MARGIN,
            self._right + 150.0,
            560.0,
        )
        self._shapes: list[Shape] = []

    def picture(self) -> Picture:
        """Returns the finished picture."""
        layers = self._layers
        legend_bottom = self._legend()
        stem_top = legend_bottom + 18.0
        rows, head_top = self._rows(stem_top + _BOX_HEIGHT)
        self._wires(stem_top, rows, head_top)
        for index in self._reductions:
            self._reduction(rows[index])
        for index, layer in enumerate(layers):
            for source in layer.skip_connections:
                self._arc(rows[source], rows[index], source, index, _layer_colour(layer))
        self._grey_box(stem_top, "stem: convolution 3x3")
        for index, (layer, row) in enumerate(zip(layers, rows)):
            self._layer(index, layer, row)
        self._grey_box(head_top, "global pooling, classifier")
        bottom = head_top + _BOX_HEIGHT
        count = self._architecture.num_skip_connections
        return Picture(
            width=round(self._width),
            height=round(bottom + _MARGIN),
            shapes=self._shapes,
            title=f"Macro architecture: {len(layers)} layers, {count} skip connections",
        )

    def _legend(self) -> float:
        """Draws the heading and the meaning of the colours; returns where they end."""
        architecture = self._architecture
        y = _MARGIN + 8.0
        heading = (
            f"{architecture.num_layers} layers, "
            f"{architecture.num_skip_connections} skip connections"
        )
        self._shapes.append(Text(_MARGIN, y, heading, size=17.0, bold=True))
        y += 26.0
        if isinstance(architecture, MacroChannelArchitecture):
            used = list(MacroOperation)[: len(architecture.layers[0].branches)]
        else:
            present = {layer.operation for layer in architecture.layers}
            used = [operation for operation in MacroOperation if operation in present]
        most = max(1, int((self._width - 2 * _MARGIN) // 200))
        num_lines = math.ceil(len(used) / most)
        columns = math.ceil(len(used) / num_lines)
        for number, operation in enumerate(used):
            x = _MARGIN + 200.0 * (number % columns)
            line = y + 22.0 * (number // columns)
            fill, stroke = _COLOURS[operation]
            self._shapes.append(Rectangle(x, line - 7.0, 18.0, 14.0, fill, stroke, radius=3.0))
            self._shapes.append(Text(x + 25.0, line, _NAMES[operation], size=12.0))
        y += 22.0 * num_lines + 4.0
        notes = ["xN: input of layer N (x0: output of the stem). +: what a layer's skips add."]
        if isinstance(architecture, MacroChannelArchitecture):
            notes.append(
                f"Bars: which of the {architecture.channels} channels each operation computes."
            )
        for note in notes:
            self._shapes.append(Text(_MARGIN, y, note, size=11.5, fill=_FAINT))
            y += 18.0
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
        starts = [stem_top + _BOX_HEIGHT, *(row.bottom for row in rows)]
        for start, end in zip(starts, tops):
            points = ((self._centre, start), (self._centre, end))
            self._shapes.append(Path(points, _FAINT, width=1.6, arrow=6.0))

    def _reduction(self, row: _Row) -> None:
        y = row.bottom + 17.0 + _REDUCTION_GAP / 2
        line = ((_MARGIN, y), (self._width - _MARGIN, y))
        self._shapes.append(Path(line, "#9aa5b1", width=1.2, dashed=True))
        self._shapes.append(
            Rectangle(self._centre - 58.0, y - 9.0, 116.0, 18.0, "#ffffff", "#9aa5b1", radius=9.0)
        )
        text = "height, width / 2"
        self._shapes.append(Text(self._centre, y, text, size=11.0, fill=_FAINT, anchor="middle"))

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
        self._shapes.append(Path(((self._centre, start[1]), start), _FAINT, width=1.0))
        entry = (self._centre + _MERGE_RADIUS, end[1])
        self._shapes.append(Path((end, entry), colour, width=1.3, arrow=6.0))

    def _layer(self, index: int, layer: Layer, row: _Row) -> None:
        colour = _layer_colour(layer)
        if layer.skip_connections:
            self._shapes.append(
                Rectangle(
                    self._centre - _MERGE_RADIUS,
                    row.merge_y - _MERGE_RADIUS,
                    2 * _MERGE_RADIUS,
                    2 * _MERGE_RADIUS,
                    "#ffffff",
                    colour,
                    radius=_MERGE_RADIUS,
                )
            )
            for dx, dy in ((3.0, 0.0), (0.0, 3.0)):
                x, y = self._centre, row.merge_y
                points = ((x - dx, y - dy), (x + dx, y + dy))
                self._shapes.append(Path(points, colour, width=1.4))
            sources = " ".join(f"x{source}" for source in layer.skip_connections)
            self._shapes.append(
                Text(self._left - 34.0, row.merge_y, f"+ {sources}", 11.0, colour, anchor="end")
            )
        self._shapes.append(
            Rectangle(self._centre - 2.0, row.input_y - 2.0, 4.0, 4.0, _FAINT, _FAINT, radius=2.0)
        )
        label = f"x{index}"
        self._shapes.append(
            Text(self._centre - 7.0, row.input_y, label, 10.0, _FAINT, anchor="end")
        )
        middle = (row.top + row.bottom) / 2
        self._shapes.append(
            Text(self._left - 10.0, middle, str(index), 13.0, _INK, anchor="end", bold=True)
        )
        if isinstance(layer, MacroChannelLayer):
            self._tracks(layer, row)
            return
        fill, stroke = _COLOURS[layer.operation]
        height = row.bottom - row.top
        title = f"layer {index}: {layer.operation.label}"
        self._shapes.append(
            Rectangle(self._left, row.top, _BOX_WIDTH, height, fill, stroke, title=title)
        )
        self._shapes.append(Text(self._centre, middle, _NAMES[layer.operation], anchor="middle"))

    def _tracks(self, layer: MacroChannelLayer, row: _Row) -> None:
        """Draws a layer of the per-channel form: one bar for every operation."""
        architecture = self._architecture
        if not isinstance(architecture, MacroChannelArchitecture):
            return
        fill, stroke = "#f8f9fb", _GREY[1]
        height = row.bottom - row.top
        self._shapes.append(Rectangle(self._left, row.top, _BOX_WIDTH, height, fill, stroke))
        scale = (_BOX_WIDTH - 12.0) / architecture.channels
        for number, (operation, branch) in enumerate(zip(MacroOperation, layer.branches)):
            colour, outline = _COLOURS[operation]
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

    def _grey_box(self, top: float, text: str) -> None:
        fill, stroke = _GREY
        self._shapes.append(Rectangle(self._left, top, _BOX_WIDTH, _BOX_HEIGHT, fill, stroke))
        self._shapes.append(Text(self._centre, top + _BOX_HEIGHT / 2, text, anchor="middle"))


def _sources(layers: Sequence[Layer]) -> list[tuple[int, ...]]:
    return [layer.skip_connections for layer in layers]


def _longest_skip(layers: Sequence[Layer]) -> int:
    """Returns the number of layers that the longest skip connection spans."""
    return max((i - sources[0] for i, sources in enumerate(_sources(layers)) if sources), default=0)


def _layer_colour(layer: Layer) -> str:
    return _COLOURS[layer.operation][1] if isinstance(layer, MacroLayer) else _GREY[1]


def _box_height(layer: Layer) -> float:
    if isinstance(layer, MacroLayer):
        return _BOX_HEIGHT
    return 10.0 + _TRACK_HEIGHT * len(layer.branches)
