import json

import pytest

from enas_tf.cli import benchmark as command

SMALL = (
    "--space=macro",
    "--num_layers=1",
    "--filters=2",
    "--num_operations=1",
    "--batch_size=4",
    "--input_shape=4,4,1",
    "--num_classes=2",
    "--repeats=1",
)


@pytest.fixture
def measured(monkeypatch):
    """Replaces the measurement; returns what it was asked to measure."""
    asked = {}

    def benchmark(space, config, **options):
        asked.update(space=space, config=config, **options)
        options["report"]("a stage")
        return {
            "supernet_step_seconds": 0.5,
            "static_step_seconds": 0.25,
            "ratio": 2.0,
            "examples_per_second": 8.0,
            "peak_memory_bytes": 2**30,
        }

    monkeypatch.setattr("enas_tf.benchmark.benchmark", benchmark)
    return asked


def test_json_is_the_only_thing_on_standard_output(measured, capsys):
    assert command.main([*SMALL, "--json"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["ratio"] == 2.0
    assert "a stage" in output.err


def test_without_json_there_is_a_table(measured, capsys):
    assert command.main(SMALL) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["supernet_step", "0.5000", "s"]
    assert lines[-1].split() == ["peak", "memory", "1.00", "GiB"]


def test_flags_change_what_is_measured(measured):
    command.main(SMALL)
    space = measured["space"]
    assert (space.num_layers, space.filters, space.num_operations) == (1, 2, 1)
    assert (space.input_shape, space.num_classes) == ((4, 4, 1), 2)
    assert measured["config"].shared_weights.batch_size == 4
    assert measured["repeats"] == 1
    assert measured["architectures"] is None


@pytest.mark.parametrize(
    ("space", "num_layers", "filters", "batch_size"),
    [("macro", 12, 36, 128), ("micro", 6, 20, 160)],
)
def test_defaults_are_the_release_s_settings(measured, space, num_layers, filters, batch_size):
    command.main([f"--space={space}"])
    assert (measured["space"].num_layers, measured["space"].filters) == (num_layers, filters)
    assert measured["config"].shared_weights.batch_size == batch_size


def test_one_architecture_can_be_measured(measured):
    command.main([*SMALL, "--num_layers=2", "--architecture=0 0 1"])
    (architecture,) = measured["architectures"]
    assert architecture.to_release_string() == "0 0 1"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--repeats=0", "`--repeats` must be at least 1"),
        ("--num_classes=1", "`--num_classes` must be at least 2"),
        ("--input_shape=4,4", "`input_shape` must be three positive integers"),
        ("--filters=3", "`filters` must be even"),
        ("--architecture=0 0 1", "has 2 layers, the space 1"),
    ],
)
def test_bad_flags_of_a_benchmark(measured, argument, message, capsys):
    assert command.main([*SMALL, argument]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("two_devices")
def test_devices_are_those_that_are_named(measured):
    for flag, count in (("--devices=cpu:2", 2), ("--devices=auto", 1)):
        command.main([*SMALL, flag])
        assert measured["distribution"].num_replicas_in_sync == count


@pytest.fixture
def swept(monkeypatch):
    """Replaces the processes of a sweep; returns the arguments of each."""
    asked = []

    def measure(module, arguments):
        asked.append((module, arguments))
        return {
            "step_seconds": float(len(asked)),
            "peak_memory_bytes": 2**30,
            "multiply_adds": 1e6,
            "first_step_seconds": 9.0,
        }

    monkeypatch.setattr("enas_tf.benchmark.sweep.measure_in_process", measure)
    return asked


def test_a_sweep_asks_for_steps_in_processes_of_their_own(swept, capsys):
    arguments = [*SMALL, "--sweep=filters,batch", "--json"]
    assert command.main(arguments) == 0
    results = json.loads(capsys.readouterr().out)
    assert [row["value"] for row in results["points"]] == [2, 4, 8, 4, 8, 16]
    assert results["settings"]["space"]["filters"] == 2
    last = "--step", "--json"
    assert [asked for _, asked in swept][:2] == [
        [*arguments, *last],
        [*arguments, "--filters=4", *last],
    ]
    assert {module for module, _ in swept} == {"enas_tf.cli.benchmark"}


def test_a_sweep_of_all_axes_is_a_table_and_a_picture(swept, tmp_path, capsys):
    picture = tmp_path / "growth.svg"
    assert command.main([*SMALL, "--sweep", f"--picture={picture}"]) == 0
    output = capsys.readouterr()
    # Five axes of three points each.
    assert len(output.out.splitlines()) == 1 + 5 * 3
    assert "grows faster than the work" in output.out
    # Axes have their first points in common, and one architecture on four devices.
    assert "point 12 of 12" in output.err
    assert ">devices<" in picture.read_text(encoding="utf-8")


def test_a_point_is_measured_whatever_else_is_asked_for(monkeypatch, capsys):
    results = {"step_seconds": 0.5, "multiply_adds": 1e6, "peak_memory_bytes": 2**30}
    monkeypatch.setattr("enas_tf.benchmark.steps.measure_step", lambda *_, **__: results)
    assert command.main([*SMALL, "--sweep", "--step", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == results


def test_a_whole_search_is_measured(monkeypatch, capsys):
    asked = {}

    def measure_search(space, config, whole, **options):
        asked.update(config=config, whole=whole, **options)
        return {}

    monkeypatch.setattr("enas_tf.benchmark.whole.measure_search", measure_search)
    arguments = ["--whole", "--whole_steps=7", "--whole_epochs=3", "--epochs=9", "--json"]
    assert command.main([*SMALL, *arguments]) == 0
    assert capsys.readouterr().out == "{}\n"
    assert (asked["whole"].steps, asked["whole"].epochs, asked["preset"]) == (7, 3, "release")
    assert asked["config"].shared_weights.epochs == 9


PROFILE = {
    "operations": [{"kind": "Conv2D", "seconds": 0.5, "share": 1.0, "calls": 3}],
    "operation_seconds": 0.5,
    "recorded_step_seconds": 0.6,
    "recorded_core_seconds": 0.7,
    "step_seconds": 0.4,
    "core_seconds": 0.5,
}


@pytest.fixture
def profiled(monkeypatch):
    monkeypatch.setattr("enas_tf.benchmark.profile.measure_operations", lambda *_, **__: PROFILE)


def test_a_profile_is_printed(profiled, capsys):
    assert command.main([*SMALL, "--profile=-"]) == 0
    _, line, *_ = capsys.readouterr().out.splitlines()
    assert line.split() == ["Conv2D", "500.00", "100.0", "%", "3"]


def test_a_profile_is_written(profiled, tmp_path, capsys):
    path = tmp_path / "step.json"
    assert command.main([*SMALL, f"--profile={path}", "--json"]) == 0
    assert json.loads(path.read_text(encoding="utf-8")) == PROFILE
    output = capsys.readouterr()
    assert output.out == ""
    assert f"Wrote {path}" in output.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sweep=layers", "--whole"], "Give one of `--whole`, `--sweep` at a time"),
        (
            ["--sweep=hidden"],
            "must name some of layers, filters, batch, samples, devices, or",
        ),
        (["--sweep="], "`--sweep` must name some of layers"),
        (["--sweep", "--picture=growth.gif"], "must end in .svg or .png"),
        (["--sweep", "--picture=nowhere/growth.svg"], "in a folder that exists"),
        (["--picture=growth.svg"], "`--picture` draws what `--sweep` measures"),
        (["--sweep", "--architecture=0"], "`--architecture` cannot be given with `--sweep`"),
        (["--whole", "--architecture=0"], "with `--whole`, which proposes its own"),
        (["--whole", "--time_budget=10m"], "`time_budget` decides how many epochs"),
        (["--whole", "--whole_epochs=1"], "`--whole_epochs` must be at least 2"),
        (["--profile=nowhere/step.txt"], "`--profile` must be a file in a folder that exists"),
        (["--profile"], "profile"),
    ],
)
def test_bad_flags_of_what_is_measured(swept, arguments, message, capsys):
    assert command.main([*SMALL, *arguments]) == 2
    assert message in capsys.readouterr().err
    assert swept == []
