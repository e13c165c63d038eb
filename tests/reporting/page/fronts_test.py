import pytest

from enas_tf.reporting.page.fronts import cost_charts, pareto_front
from enas_tf.reporting.page.records import read_run
from enas_tf.runs.directory import RunDirectory
from enas_tf.spaces.registry import get_space
from tests.reporting.page.example_runs import EPOCHS, SAMPLES, search_configuration, write_search


@pytest.mark.parametrize(
    ("lower_is_better", "expected"),
    [(False, [(1, 5.0), (2, 7.0), (9, 8.0)]), (True, [(1, 3.0), (4, 2.0)])],
)
def test_the_front_is_better_than_all_that_costs_no_more(lower_is_better, expected):
    points = [(4, 2.0), (1, 5.0), (9, 8.0), (2, 7.0), (4, 7.0), (1, 3.0), (9, 2.0)]
    assert pareto_front(points, lower_is_better=lower_is_better) == expected


def test_nothing_has_no_front():
    assert pareto_front([]) == []


def traces_of(chart):
    return {(one["mode"]): one for one in chart.figure["data"]}


def test_sampled_architectures_are_drawn_at_the_cost_of_their_final_networks(tmp_path):
    space = write_search(tmp_path)
    record = read_run(tmp_path)
    (chart,) = cost_charts(record)
    assert chart.title == "Sampled architectures: reward and parameters"
    sampled = [
        (space.random_architecture(10 * epoch + seed), 0.1 * seed)
        for epoch in range(1, EPOCHS + 1)
        for seed in range(SAMPLES)
    ]
    network = get_space("macro").retrain_presets["smoke"].network
    expected = [(space.costs(one, network).parameters, reward) for one, reward in sampled]
    traces = traces_of(chart)
    assert list(zip(traces["markers"]["x"], traces["markers"]["y"])) == expected
    assert list(zip(traces["lines"]["x"], traces["lines"]["y"])) == pareto_front(expected)


def test_costs_that_were_logged_are_drawn_with_limit_and_target(tmp_path):
    configuration = search_configuration("macro")
    configuration["search"]["costs"] |= {
        "cost": "latency",
        "target_cost": 2.5,
        "max_latency_ms": 4.0,
    }
    space = get_space("macro").search_presets["smoke"].space
    with RunDirectory.open(tmp_path, configuration, origin={"preset": "smoke"}) as run:
        for seed, quality in ((0, 0.5), (1, 0.75), (0, 0.25)):
            line = {"reward": 0.0, "quality": quality, "cost": 1.0 + seed, "epoch": 1}
            string = space.random_architecture(seed).to_release_string()
            run.architectures.append({**line, "release_string": string})
    (chart,) = cost_charts(read_run(tmp_path))
    assert chart.title == "Sampled architectures: quality and latency in milliseconds"
    marks = traces_of(chart)["markers"]
    # The mean of what an architecture was rewarded with.
    assert list(zip(marks["x"], marks["y"])) == [(1.0, 0.375), (2.0, 0.75)]
    shapes = chart.figure["layout"]["shapes"]
    assert [(one["x0"], one["label"]["text"]) for one in shapes] == [
        (4.0, "limit 4"),
        (2.5, "target 2.5"),
    ]


def test_where_all_cost_the_same_nothing_is_drawn(tmp_path):
    write_search(tmp_path, "rnn")
    assert cost_charts(read_run(tmp_path)) == []
