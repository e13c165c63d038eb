import itertools
import random
import time

import pytest

from enas_tf.drawing.layered import Layering, _crossings, arrange


def graph(layers, edges, widths=None):
    return Layering(layers, edges, widths or [40.0] * len(layers), gap=10.0, passing_width=6.0)


def test_what_reads_from_left_and_right_stands_left_and_right():
    # Vertex 2 reads 1 and vertex 3 reads 0: one pair must be exchanged.
    x = arrange(graph([0, 0, 1, 1], [(0, 3), (1, 2)]))
    assert (x[0, 0] < x[1, 0]) == (x[3, 1] < x[2, 1])


def test_a_vertex_stands_below_the_middle_of_its_sources():
    x = arrange(graph([0, 0, 1], [(0, 2), (1, 2)]))
    assert x[2, 1] == pytest.approx((x[0, 0] + x[1, 0]) / 2)


def test_neighbours_keep_their_distance():
    x = arrange(graph([0, 1, 1, 1], [(0, 1), (0, 2), (0, 3)], [40.0, 20.0, 60.0, 40.0]))
    places = sorted((x[vertex, 1], width) for vertex, width in ((1, 20.0), (2, 60.0), (3, 40.0)))
    for (left, left_width), (right, right_width) in itertools.pairwise(places):
        assert right - left >= 10.0 + (left_width + right_width) / 2 - 1e-9


def test_the_leftmost_edge_is_at_0():
    x = arrange(graph([0, 1, 1], [(0, 1), (0, 2)]))
    assert min(x.values()) - 20.0 == pytest.approx(0.0)


def test_an_edge_takes_a_place_in_the_layers_that_it_passes():
    x = arrange(graph([0, 1, 2, 3], [(0, 1), (1, 2), (2, 3), (0, 3)]))
    assert set(x) == {(0, 0), (0, 1), (0, 2), (1, 1), (2, 2), (3, 3)}
    assert abs(x[0, 1] - x[1, 1]) >= 10.0 + 20.0 + 3.0 - 1e-9


def test_edges_of_a_vertex_share_their_way():
    layering = graph([0, 1, 2, 2], [(0, 1), (0, 2), (0, 3)])
    assert layering.steps() == [
        ((0, 0), (0, 1)),
        ((0, 0), (1, 1)),
        ((0, 1), (2, 2)),
        ((0, 1), (3, 2)),
    ]


def test_vertices_without_edges_have_a_place():
    assert set(arrange(graph([0, 0], []))) == {(0, 0), (1, 0)}


def test_crossings_are_those_of_all_pairs_of_lines():
    generator = random.Random(0)
    rows = [[(vertex, row) for vertex in range(7)] for row in range(3)]
    steps = [
        ((generator.randrange(7), row), (generator.randrange(7), row + 1))
        for row in (0, 1)
        for _ in range(20)
    ]
    pairs = itertools.combinations(steps, 2)
    crossing = [
        one[0][1] == other[0][1] and (one[0][0] - other[0][0]) * (one[1][0] - other[1][0]) < 0
        for one, other in pairs
    ]
    assert _crossings(rows, steps) == sum(crossing)


def test_a_long_chain_that_a_mean_reads_takes_no_minutes():
    last = 64
    edges = [*((i, i + 1) for i in range(last - 1)), *((i, last) for i in range(last))]
    begin = time.monotonic()
    arrange(graph(list(range(last + 1)), edges))
    # A second; where every exchange counts all crossings anew, minutes.
    assert time.monotonic() - begin < 20


def test_a_way_has_one_colour():
    # Vertex 0 has two long edges, vertex 1 one long and one short one, vertex 2 only a short one.
    edges = [(0, 3), (0, 4), (1, 2), (1, 3), (2, 3)]
    layering = graph([0, 0, 1, 2, 2], edges)
    assert layering.way_colours(["red", "blue", "red", "blue", "red"], "grey") == {
        0: "grey",
        1: "blue",
    }
