"""Drawings of graphs whose vertices stand in rows, with lines that fall from row to row."""

from collections.abc import Sequence

from enas_tf.drawing.layered import Layering, Place, arrange
from enas_tf.drawing.picture import Point, Shape, Text
from enas_tf.drawing.style import FAINT, LINE_WIDTH, TRUNK, falling_line


class RowDrawing:
    """The places and lines of a layered graph; a subclass draws the boxes.

    Args:
      graph: what is drawn.
      line_colours: of each edge, before edges of several colours share a way.
      padding: left and right of the boxes.
      least_width: a narrower drawing stands in the middle of it.

    Attributes:
      graph: as given.
      width: of the drawing.
      x: where the middle of each place lies.
      shapes: what is drawn so far.
      rows: top and bottom of the boxes of each row; for the subclass to say before it draws lines.
    """

    def __init__(
        self, graph: Layering, line_colours: Sequence[str], padding: float, least_width: float
    ) -> None:
        self.graph = graph
        self.x = arrange(graph)
        self._way_colours = graph.way_colours(line_colours, TRUNK)
        right = max(x + graph.width(place) / 2 for place, x in self.x.items())
        self.width = max(right + 2 * padding, least_width)
        self.move((self.width - right) / 2)
        self.shapes: list[Shape] = []
        self.rows: list[tuple[float, float]] = []

    def move(self, distance: float) -> None:
        """Moves all places to the right."""
        self.x = {place: x + distance for place, x in self.x.items()}

    def line(
        self,
        start: Place,
        end: Point,
        colour: str,
        arrow: float,
        title: str = "",
        strength: float | None = None,
    ) -> None:
        """Draws a line from the bottom of a place to a point of the next row.

        Args:
          start: where edges come from, or where they pass a row.
          end: of the line.
          colour: for a line that comes from its vertex; others go on in the colour of their way.
          arrow: as in `Path`.
          title: as in `Path`.
          strength: weight of the edge, from 0 to 1: the heavier, the wider is the line, and a
            number stands at its end; None: it has none.
        """
        if self.graph.is_passing(start):
            colour = self._way_colours[start[0]]
        bottom = (self.x[start], self.rows[start[1]][1])
        width = LINE_WIDTH if strength is None else 0.5 + 5.0 * strength
        self.shapes.append(falling_line(bottom, end, colour, arrow=arrow, title=title, width=width))
        if strength is not None:
            # On the side that the line does not come from.
            (x, y), side = end, -1.0 if bottom[0] > end[0] else 1.0
            text, anchor = f"{100 * strength:.0f} %", "start" if side > 0 else "end"
            self.shapes.append(Text(x + 6.0 * side, y - 12.0, text, 10.0, FAINT, anchor))

    def passing_lines(self) -> None:
        """Draws what leads to and past the boxes of rows in between."""
        for (vertex, layer), x in self.x.items():
            if self.graph.is_passing((vertex, layer)):
                (top, bottom), colour = self.rows[layer], self._way_colours[vertex]
                self.line((vertex, layer - 1), (x, top), colour, arrow=0.0)
                self.shapes.append(falling_line((x, top), (x, bottom), colour))
