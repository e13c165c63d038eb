"""What is known of a run, and what a retraining takes from it."""

import dataclasses
import json

import pytest

from enas_tf.cli import retrain
from enas_tf.errors import RunDirectoryError
from enas_tf.records import next_steps
from enas_tf.records.run import run_named
from enas_tf.runs.directory import RunDirectory
from enas_tf.spaces.architectures import load_architecture
from enas_tf.spaces.macro.architecture import MacroChannelArchitecture
from enas_tf.spaces.registry import get_space, space_names
from tests.reporting.page.example_runs import write_retraining, write_search


def write(folder, space_name, preset="smoke", origin=None, data=None, **space):
    """Writes a search that has found an architecture; `space` and `data` are flags of it."""
    values = get_space(space_name).search_presets[preset]
    found = values.space.replace(**space)
    configuration = {
        "command": "search",
        "space": {"name": space_name, **found.to_json()},
        "data": values.data.replace(**(data or {})).to_json(),
        "search": values.search.to_json(),
    }
    with RunDirectory.open(folder, configuration, origin=origin) as run:
        architecture = found.random_architecture(0)
        run.write_json("best_architecture.json", architecture.to_json())
    return architecture


@pytest.mark.parametrize("preset", ["default", "release", "paper", "smoke"])
@pytest.mark.parametrize("space", space_names())
def test_the_preset_of_a_run_that_does_not_name_it_is_the_nearest(space, preset, tmp_path):
    write(tmp_path, space, preset, data={"dataset": "mine"})
    assert run_named(tmp_path).preset == preset


def test_the_preset_that_a_run_names_counts(tmp_path):
    write(tmp_path, "macro", "smoke", {"preset": "paper"})
    run = run_named(tmp_path)
    assert (run.preset, bool(run.origin)) == ("paper", True)


def test_a_preset_that_there_is_no_more_is_not_taken(tmp_path):
    write(tmp_path, "macro", "smoke", {"preset": "fast"})
    assert run_named(tmp_path).preset == "smoke"


def test_a_retraining_says_all_of_its_data(tmp_path):
    entry = get_space("macro")
    data = entry.retrain_presets["smoke"].data.replace(data_dir="here", max_test_examples=7)
    architecture = write_retraining(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["origin"] = {"preset": "smoke", "data": data.to_json()}
    (tmp_path / "config.json").write_text(json.dumps(config))
    run = run_named(tmp_path)
    assert (run.command, run.data) == ("retrain", data)
    assert run.retraining("smoke", architecture).data == data


def test_a_retraining_of_0_1_0_says_its_dataset(tmp_path):
    write_retraining(tmp_path)
    run = run_named(tmp_path)
    assert (run.data.dataset, run.preset, bool(run.origin)) == ("<digits & co>", "smoke", False)


@pytest.mark.parametrize("name", ["", "best_architecture.json"])
def test_a_run_is_known_by_its_folder_and_its_file(name, tmp_path):
    write(tmp_path, "micro")
    assert run_named(tmp_path / name).entry.name == "micro"


@pytest.mark.parametrize("text", ["0 3 1", "enas_macro_release", "no/such/folder", "0 1 " * 5000])
def test_what_is_no_run(text):
    assert run_named(text) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["configuration"].pop("data"),
        lambda config: config["configuration"]["data"].update(dataset=3),
        lambda config: config["configuration"]["space"].update(name=[]),
        lambda config: config["configuration"]["space"].update(filters="many"),
    ],
)
def test_a_damaged_run_is_named(change, tmp_path):
    write(tmp_path, "macro")
    config = json.loads((tmp_path / "config.json").read_text())
    change(config)
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunDirectoryError, match=r"config\.json is damaged"):
        run_named(tmp_path)


def retraining(folder, preset=None):
    run = run_named(folder)
    return run.retraining(preset or run.preset, load_architecture(folder, run.entry.name))


@pytest.mark.parametrize("space", space_names())
def test_a_retraining_has_the_data_of_the_search(space, tmp_path):
    limit = "max_train_tokens" if space == "rnn" else "max_train_examples"
    write(tmp_path, space, data={"dataset": "mine", "data_dir": "there", limit: 300})
    expected = get_space(space).retrain_presets["smoke"].data
    assert retraining(tmp_path).data == expected.replace(
        **{"dataset": "mine", "data_dir": "there", limit: 300}
    )


def test_a_retraining_reads_words_as_the_search_did(tmp_path):
    write(tmp_path, "rnn", data={"tokenization": "words"})
    assert retraining(tmp_path).data.tokenization == "words"


@pytest.mark.parametrize("preset", ["default", "release"])
def test_what_only_final_trainings_have_stays(preset, tmp_path):
    write(tmp_path, "micro", preset)
    data = get_space("micro").retrain_presets[preset].data
    assert retraining(tmp_path).data == data


def test_cutout_that_the_search_was_given_is_taken(tmp_path):
    write(tmp_path, "micro", "default", data={"cutout": 4.0})
    assert retraining(tmp_path).data.cutout == 4.0


def test_another_preset_trains_on_the_data_of_the_run(tmp_path):
    write(tmp_path, "micro", "smoke")
    final = retraining(tmp_path, "default")
    default = get_space("micro").retrain_presets["default"]
    assert final == dataclasses.replace(default, data=default.data.replace(dataset="digits"))


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_a_cell_returns_what_it_did_in_the_search(preset, tmp_path):
    write(tmp_path, "rnn", preset, cell_output="loose_ends")
    assert retraining(tmp_path).network.cell_output == "loose_ends"


@pytest.mark.parametrize(
    ("channels", "filters"), [(36, 108), (96, 96), (16, 96), (10, 100), (200, 200)]
)
def test_filters_are_the_nearest_that_ranges_of_channels_divide(channels, filters, tmp_path):
    write(tmp_path, "macro", "default", search_whole_channels=False, filters=channels)
    assert isinstance(load_architecture(tmp_path, "macro"), MacroChannelArchitecture)
    assert retraining(tmp_path).network.filters == filters


def test_the_command_after_a_search_says_what_the_retraining_would_take_anyway(tmp_path):
    data = {"dataset": "my digits.npz", "flip": False}
    write(tmp_path / "run", "macro", data=data, search_whole_channels=False, filters=36)
    assert next_steps.retrain(run_named(tmp_path / "run")).line == (
        f"enas-retrain --architecture={tmp_path}/run --space=macro --preset=smoke "
        f"'--dataset=my digits.npz' --flip=no --filters=36 --output_dir={tmp_path}/run_final"
    )


def test_the_command_after_a_retraining_tests_on_the_same_part(tmp_path):
    write_retraining(tmp_path, "rnn")
    config = json.loads((tmp_path / "config.json").read_text())
    data = {"dataset": "book.txt", "data_dir": "my texts", "max_test_tokens": 500}
    config["origin"] = {"preset": "smoke", "data": data}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert next_steps.evaluate(run_named(tmp_path)).line == (
        f"enas-evaluate --model={tmp_path}/saved_model/1 --dataset=book.txt "
        "'--data_dir=my texts' --max_test_tokens=500"
    )


def test_a_run_in_the_working_folder_has_a_name(tmp_path, monkeypatch):
    write_search(tmp_path)
    monkeypatch.chdir(tmp_path)
    line = next_steps.retrain(run_named(".")).line
    assert line.endswith(f"--output_dir={tmp_path}_final")


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ("--dataset=none.npz", "data.dataset: digits there, none.npz here"),
        ("--preset=paper --dataset=none.npz", "preset: smoke there, paper here; data.dataset"),
        ("--data_dir=nowhere --flip", "data.data_dir: unset there, nowhere here; data.flip: unset"),
    ],
)
def test_what_differs_from_the_run_is_said_in_one_line(flags, line, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("run", "macro")
    argv = ["--space=macro", "--architecture=run", "--output_dir=out", *flags.split()]
    assert retrain.main(argv) == 2
    first, error = capsys.readouterr().err.splitlines()
    assert first.startswith(f"enas-retrain: other than in run: {line}")
    assert error.startswith("enas-retrain: error: ")


def test_settings_of_data_do_not_go_over_to_others(tmp_path):
    write(tmp_path, "macro", data={"max_train_examples": 300})
    entry, architecture = get_space("macro"), load_architecture(tmp_path, "macro")
    presets = [
        retrain._preset(entry, "smoke", run_named(tmp_path), architecture, dataset)
        for dataset in ("digits", "cifar10")
    ]
    assert [preset.data.max_train_examples for preset in presets] == [300, None]


@pytest.mark.parametrize("origin", [None, {"preset": "smoke"}])
def test_a_retraining_that_0_1_0_began_goes_on_with_its_defaults(origin, tmp_path):
    architecture = write(tmp_path / "run", "macro")
    configuration = {"command": "retrain", "space": "macro", "data": {"dataset": "digits"}}
    configuration["architecture"] = architecture.to_json()
    default = get_space("macro").retrain_presets["default"]
    for name in ("network", "retrain"):
        configuration[name] = getattr(default, name).to_json()
    RunDirectory.open(tmp_path / "final", configuration, origin=origin)
    named = {"architecture": str(tmp_path / "run"), "output_dir": str(tmp_path / "final")}
    run = retrain._run_of(named, get_space("macro"))
    assert (run is None) == (origin is None)
