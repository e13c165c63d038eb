import pytest

from enas_tf.benchmark.sweep import (
    FACTORS,
    axes_of,
    chosen_axes,
    measure_in_process,
    picture_of,
    sweep,
)
from enas_tf.drawing.picture import to_svg
from enas_tf.errors import ConfigurationError
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.registry import get_space

CONFIG = SearchConfig(shared_weights=TrainingConfig(batch_size=32))


def values(axes):
    return {name: [point.value for point in points] for name, points in axes.items()}


@pytest.mark.parametrize(
    ("space", "sizes"),
    [
        ("macro", {"layers": [12, 24, 48], "filters": [36, 72, 144]}),
        ("micro", {"layers": [6, 12, 24], "filters": [20, 40, 80], "nodes": [5, 10, 20]}),
        (
            "rnn",
            {"hidden": [200, 400, 800], "nodes": [8, 16, 32], "vocabulary": [10000, 20000, 40000]},
        ),
    ],
)
def test_each_space_has_its_own_axes(space, sizes):
    of_all = {"batch": [32, 64, 128], "samples": [1, 2, 4], "devices": [1, 2, 4]}
    assert values(axes_of(get_space(space).space(), CONFIG)) == {**sizes, **of_all}


def test_points_are_arguments_beside_those_given():
    axes = axes_of(get_space("macro").space(), CONFIG)
    assert [point.arguments for point in axes["layers"]] == [
        (),
        ("--num_layers=24",),
        ("--num_layers=48",),
    ]
    assert axes["samples"][1].arguments == ("--devices=cpu:4", "--samples_per_step=2")
    assert axes["devices"][1].arguments == ("--devices=cpu:2", "--samples_per_step=1")


def test_some_axes_are_chosen_in_their_order():
    space = get_space("macro").space()
    assert list(chosen_axes(["batch", "layers"], space, CONFIG)) == ["layers", "batch"]
    assert chosen_axes(["all"], space, CONFIG) == axes_of(space, CONFIG)


@pytest.mark.parametrize(
    ("names", "settings", "message"),
    [
        (["hidden"], {}, "`--sweep` must name some of layers, filters, batch, .*sweep=hidden"),
        ([], {}, "`--sweep` must name some of"),
        (["layers"], {"num_layers": 40}, "`num_layers` must be at most 128.*num_layers=160"),
    ],
)
def test_what_is_no_axis_is_refused(names, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        chosen_axes(names, get_space("macro").space(**settings), CONFIG)


def measure(arguments):
    """Work grows as the layers do, time as their square; four times the batch has no room."""
    factor = {"": 1, "--num_layers=24": 2, "--num_layers=48": 4}.get(" ".join(arguments))
    if factor is None:
        return {"error": "Out of memory"}
    return {
        "step_seconds": 0.5 * factor**2,
        "peak_memory_bytes": 2**30 * (1 + factor),
        "multiply_adds": 1e6 * factor,
        "first_step_seconds": 10.0,
    }


@pytest.fixture
def swept():
    asked, lines = [], []
    axes = chosen_axes(["layers", "batch"], get_space("macro").space(), CONFIG)

    def counted(arguments):
        asked.append(tuple(arguments))
        return measure(arguments)

    return sweep(axes, counted, lines.append), asked, lines


def test_every_point_is_measured_once(swept):
    _, asked, lines = swept
    # The first points of both axes are the same.
    assert len(asked) == len(set(asked)) == 5
    assert lines[0] == "point 1 of 5: as given"
    assert lines[2].startswith("point 2 of 5: --num_layers=24; about ")


def test_growth_is_beside_that_of_the_work(swept):
    rows = {(row["axis"], row["factor"]): row for row in swept[0]}
    last = rows["layers", 4]
    assert (last["time_growth"], last["work_growth"], last["memory_growth"]) == (16.0, 4.0, 2.5)
    assert last["time_growth_by_work_growth"] == 4.0
    assert [rows["layers", factor]["faster_than_work"] for factor in FACTORS] == [False, True, True]


def test_a_point_that_fails_leaves_the_others(swept):
    rows = {(row["axis"], row["factor"]): row for row in swept[0]}
    assert rows["batch", 4]["error"] == "Out of memory"
    assert "time_growth" not in rows["batch", 4]
    assert rows["batch", 1]["step_seconds"] == 0.5


def test_without_a_first_point_nothing_is_compared():
    axes = {"layers": axes_of(get_space("macro").space(), CONFIG)["layers"]}
    rows = sweep(axes, lambda arguments: measure(arguments) if arguments else {"error": "lost"})
    assert rows[0]["error"] == "lost"
    assert rows[1]["step_seconds"] == 2.0
    assert "time_growth" not in rows[1]


def test_the_picture_shows_each_axis(swept):
    text = to_svg(picture_of(swept[0], "a step"))
    assert ">layers<" in text
    assert "<title>x16</title>" in text
    # Its first point alone was measured.
    assert ">batch<" in text


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("print('loading'); print('{\"step_seconds\": 2.0}')", {"step_seconds": 2.0}),
        (
            "import sys; sys.exit('a line\\nenas-benchmark: error: `filters` must be even.')",
            {"error": "`filters` must be even."},
        ),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            {"error": "ended by SIGKILL, perhaps out of memory"},
        ),
    ],
)
def test_a_process_tells_what_it_measured_or_why_not(script, expected, tmp_path, monkeypatch):
    (tmp_path / "made_up_command.py").write_text(script)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert measure_in_process("made_up_command", []) == expected


@pytest.mark.long
@pytest.mark.end_to_end
def test_a_real_point():
    arguments = ["--space=macro", "--num_layers=1", "--filters=2", "--num_operations=1"]
    arguments += ["--batch_size=4", "--input_shape=4,4,1", "--num_classes=2", "--repeats=1"]
    arguments += ["--sweep", "--devices=cpu:2", "--step", "--json"]
    result = measure_in_process("enas_tf.cli.benchmark", arguments)
    assert result["device"]["replicas"] == 2
    assert result["step_seconds"] > 0.0
    space = get_space("macro").space(
        num_layers=1, filters=2, num_operations=1, input_shape=(4, 4, 1), num_classes=2
    )
    (architecture,) = space.benchmark_architectures()
    of_picture = space.costs(architecture, space.network_config()).multiply_adds
    assert result["multiply_adds"] == 4 * of_picture
