"""Layouts of small directed graphs in layers, with few crossings (Sugiyama's method).

Edges go from a layer to a later one. Where an edge passes a layer, it takes a place there, so that
it runs between the boxes; edges from one vertex share their places.
"""

import bisect
import dataclasses
from collections.abc import Iterable, Mapping, Sequence

# A place in a layer: the number of a vertex, and a layer. It is the vertex itself in its own
# layer, and in later ones the point where its edges pass.
Place = tuple[int, int]

_SWEEPS = 12
# How much a pair of places wants to stand one below the other, by how many of them are mere
# points: long straight lines are easier to follow.
_STRAIGHTNESS = (1.0, 2.0, 4.0)


@dataclasses.dataclass(frozen=True)
class Layering:
    """A graph whose vertices have layers.

    Attributes:
      layers: the layer of each vertex, from 0.
      edges: pairs of vertices, from an earlier to a later layer; an edge may occur twice.
      widths: of the boxes of the vertices.
      gap: between neighbours in a layer.
      passing_width: room for edges that pass.
    """

    layers: Sequence[int]
    edges: Sequence[tuple[int, int]]
    widths: Sequence[float]
    gap: float
    passing_width: float

    def is_passing(self, place: Place) -> bool:
        """Whether a place is a mere point on the way of edges."""
        return place[1] != self.layers[place[0]]

    def width(self, place: Place) -> float:
        """Returns the room that a place takes."""
        return self.passing_width if self.is_passing(place) else self.widths[place[0]]

    def way_colours(self, colours: Sequence[str], shared: str) -> dict[int, str]:
        """Returns for each vertex the colour of its edges that pass layers, for their whole way.

        Args:
          colours: what each edge should have.
          shared: what they have where edges of several colours share a way.
        """
        wanted: dict[int, set[str]] = {}
        for (source, target), colour in zip(self.edges, colours):
            if self.layers[target] > self.layers[source] + 1:
                wanted.setdefault(source, set()).add(colour)
        return {source: min(all_) if len(all_) == 1 else shared for source, all_ in wanted.items()}

    def steps(self) -> list[tuple[Place, Place]]:
        """Returns the edges cut into pieces from one layer to the next.

        What edges of one vertex share is there once; the last pieces are as many as the edges.
        """
        shared: dict[tuple[Place, Place], None] = {}
        last = []
        for source, target in self.edges:
            end = self.layers[target]
            for layer in range(self.layers[source], end - 1):
                shared[(source, layer), (source, layer + 1)] = None
            last.append(((source, end - 1), (target, end)))
        return [*shared, *last]


def arrange(graph: Layering) -> dict[Place, float]:
    """Returns where each place's middle lies from left to right; the leftmost edge is at 0.

    Args:
      graph: what to lay out.
    """
    steps = graph.steps()
    rows = _ordered(_rows(graph, steps), steps)
    positions = _positions(graph, rows, steps)
    left = min(x - graph.width(place) / 2 for place, x in positions.items())
    return {place: x - left for place, x in positions.items()}


def _rows(graph: Layering, steps: Iterable[tuple[Place, Place]]) -> list[list[Place]]:
    places = {(vertex, layer) for vertex, layer in enumerate(graph.layers)}
    for pair in steps:
        places.update(pair)
    return [
        sorted(place for place in places if place[1] == layer)
        for layer in range(max(graph.layers) + 1)
    ]


def _ordered(rows: list[list[Place]], steps: Sequence[tuple[Place, Place]]) -> list[list[Place]]:
    """Returns the rows in an order with few crossings of lines."""
    best, fewest = rows, _crossings(rows, steps)
    for sweep in range(_SWEEPS):
        rows = [list(row) for row in rows]
        downwards = sweep % 2 == 0
        neighbours = _neighbours(steps, downwards)
        ranks = _ranks(rows)
        for row in rows if downwards else reversed(rows):
            means = {place: _mean(ranks, neighbours.get(place, [place])) for place in row}
            row.sort(key=means.__getitem__)
            ranks.update(_ranks([row]))
        _exchange_neighbours(rows, steps)
        crossings = _crossings(rows, steps)
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _exchange_neighbours(rows: list[list[Place]], steps: Sequence[tuple[Place, Place]]) -> None:
    """Exchanges neighbours in a row as long as that takes crossings away."""
    ranks = _ranks(rows)
    both_sides = [_neighbours(steps, above) for above in (True, False)]
    improved = True
    while improved:
        improved = False
        for row in rows:
            for i in range(len(row) - 1):
                left, right = row[i], row[i + 1]
                # Only lines of these two can cross more or less often than before.
                gain = sum(
                    (ranks[one] > ranks[other]) - (ranks[one] < ranks[other])
                    for side in both_sides
                    for one in side.get(left, ())
                    for other in side.get(right, ())
                )
                if gain > 0:
                    row[i], row[i + 1] = right, left
                    ranks[left], ranks[right] = ranks[right], ranks[left]
                    improved = True


def _crossings(rows: list[list[Place]], steps: Sequence[tuple[Place, Place]]) -> int:
    ranks = _ranks(rows)
    lines: dict[int, list[tuple[float, float]]] = {}
    for start, end in steps:
        lines.setdefault(start[1], []).append((ranks[start], ranks[end]))
    return sum(_inversions(end for _, end in sorted(between)) for between in lines.values())


def _inversions(values: Iterable[float]) -> int:
    """Returns how many pairs of values are not in ascending order."""
    number, seen = 0, list[float]()
    for value in values:
        place = bisect.bisect_right(seen, value)
        number += len(seen) - place
        seen.insert(place, value)
    return number


def _neighbours(steps: Iterable[tuple[Place, Place]], above: bool) -> dict[Place, list[Place]]:
    found: dict[Place, list[Place]] = {}
    for start, end in steps:
        place, neighbour = (end, start) if above else (start, end)
        found.setdefault(place, []).append(neighbour)
    return found


def _ranks(rows: Iterable[Sequence[Place]]) -> dict[Place, float]:
    return {place: rank - (len(row) - 1) / 2 for row in rows for rank, place in enumerate(row)}


def _mean(values: Mapping[Place, float], places: Sequence[Place]) -> float:
    return sum(values[place] for place in places) / len(places)


def _positions(
    graph: Layering, rows: list[list[Place]], steps: Sequence[tuple[Place, Place]]
) -> dict[Place, float]:
    """Returns positions near those of neighbours in other rows, without overlaps in a row."""
    positions: dict[Place, float] = {}
    for row in rows:
        positions.update(_separated(graph, row, dict.fromkeys(row, 0.0), dict.fromkeys(row, 1.0)))
    above, below = _neighbours(steps, True), _neighbours(steps, False)
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wishes, weights = {}, {}
            for place in row:
                pulls = [
                    (_STRAIGHTNESS[graph.is_passing(place) + graph.is_passing(other)], other)
                    for other in (*above.get(place, ()), *below.get(place, ()))
                ] or [(1.0, place)]
                weights[place] = sum(weight for weight, _ in pulls)
                wished = sum(weight * positions[other] for weight, other in pulls)
                wishes[place] = wished / weights[place]
            positions.update(_separated(graph, row, wishes, weights))
    return positions


def _separated(
    graph: Layering,
    row: Sequence[Place],
    wishes: Mapping[Place, float],
    weights: Mapping[Place, float],
) -> dict[Place, float]:
    """Returns the positions nearest to the wishes in which a row keeps its order and its gaps.

    After subtracting what must lie between a place and the first one, positions only have to
    ascend: isotonic regression, by pooling neighbours that do not.
    """
    offsets, offset = [], 0.0
    for number, place in enumerate(row):
        if number:
            offset += graph.gap + (graph.width(row[number - 1]) + graph.width(place)) / 2
        offsets.append(offset)
    # Of each pool: mean wish, weight, number of members.
    pools: list[tuple[float, float, int]] = []
    for place, offset in zip(row, offsets):
        pool = (wishes[place] - offset, weights[place], 1)
        while pools and pools[-1][0] >= pool[0]:
            mean, weight, size = pools.pop()
            total = weight + pool[1]
            pool = ((mean * weight + pool[0] * pool[1]) / total, total, size + pool[2])
        pools.append(pool)
    means = [mean for mean, _, size in pools for _ in range(size)]
    return {place: mean + offset for place, mean, offset in zip(row, means, offsets)}
