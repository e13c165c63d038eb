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
