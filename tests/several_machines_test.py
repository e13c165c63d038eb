"""The commands on two machines, which are processes on the loopback interface."""

import json
import re
import signal
import time

import pytest

from tests.loopback import Machines, run_machines
from tests.run_contents import first_difference, run_contents
from tests.searching.made_up_data import FILES

pytestmark = pytest.mark.end_to_end

PATIENCE = 300
DATA = ("--dataset=digits", "--preset=smoke", "--max_train_examples=400")
EPOCHS = 4
SEARCH = (
    "--space=macro",
    *DATA,
    "--num_layers=2",
    "--filters=4",
    "--num_operations=2",
    "--controller_lstm_size=8",
    f"--epochs={EPOCHS}",
    "--controller_updates_per_epoch=2",
    "--controller_samples_per_update=3",
    "--derive_num_candidates=2",
)
RETRAIN = (
    "--space=macro",
    "--architecture=0 3 1",
    *DATA,
    "--filters=4",
    "--epochs=2",
    "--max_test_examples=100",
    "--use_validation",
    "--validation_size=100",
)


def command(name, arguments, folder):
    """Returns what the Python interpreter gets."""
    return ("-m", f"enas_tf.cli.{name}", *arguments, f"--output_dir={folder}")


def two(name, arguments, folder):
    """Returns two commands; the second machine would have a folder of its own."""
    folders = (folder, folder.with_name("of_machine"))
    return [command(name, (*arguments, "--devices=cpu:1"), where) for where in folders]


def run(name, arguments, folder):
    """Runs a command on two machines and returns how it ended on each of them."""
    return run_machines(folder.parent, *two(name, arguments, folder), timeout=PATIENCE)


def end_early(folder, lines, number):
    """Sends a signal to the second machine as soon as the chief's log has so many lines.

    Returns:
      How both ended, and after how many seconds.
    """
    with Machines(folder.parent, *two("search", SEARCH, folder)) as machines:
        machines.wait_for_lines(folder / "metrics.jsonl", lines, PATIENCE)
        start = time.monotonic()
        machines.processes[1].send_signal(number)
        ends = machines.ends(PATIENCE)
    return ends, time.monotonic() - start


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A search on two machines that was not disturbed: its folder, and how it ended on both."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, run("search", SEARCH, folder)


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory):
    """A search of which one machine was terminated, then one was killed, and which then ended."""
    folder = tmp_path_factory.mktemp("disturbed") / "run"
    terminated = end_early(folder, 1, signal.SIGTERM)
    saved = sorted(path.name for path in folder.glob("checkpoints/*.index"))
    killed = end_early(folder, 8, signal.SIGKILL)
    return folder, terminated, saved, killed, run("search", SEARCH, folder)


def shown(errors):
    """Returns the lines on standard error but those of the progress and of the devices."""
    progress = re.compile(
        r"enas-\w+: runs on |(shared weights|controller|derive|retrain)  (epoch|step) \d|$"
    )
    return [line for line in errors.splitlines() if not progress.match(line)]


def test_both_end(whole):
    _, (chief, other) = whole
    assert chief.code == 0, chief.errors
    assert other.code == 0, other.errors
    assert "Best architecture: " in chief.output
    assert other.output == "Machine 1 of 2 is done; the chief has the results.\n"
    assert shown(other.errors) == []
    assert shown(chief.errors) == []


def test_only_the_chief_writes(whole):
    folder, _ = whole
    assert {path.name for path in folder.parent.iterdir() if path.is_dir()} == {"run"}
    assert {path.name for path in folder.iterdir()} == FILES


def test_the_chiefs_log_has_no_gap(whole):
    lines = [json.loads(line) for line in (whole[0] / "metrics.jsonl").read_text().splitlines()]
    epochs = range(1, EPOCHS + 1)
    expected = {
        "shared_weights": list(epochs),
        # The preset trains the shared weights alone in the first of four epochs.
        "controller": [epoch for epoch in epochs[1:] for _ in range(2)],
        "derive": [*epochs, *[EPOCHS] * 2],
    }
    for phase, wanted in expected.items():
        assert [line["epoch"] for line in lines if line["phase"] == phase] == wanted
    updates = [line["step"] for line in lines if line["phase"] == "controller"]
    assert updates == list(range(1, 2 * (EPOCHS - 1) + 1))


@pytest.mark.long
def test_two_machines_give_what_two_devices_give(whole):
    folder = whole[0].parent / "devices"
    alone = command("search", (*SEARCH, "--devices=cpu:2"), folder)
    with Machines(folder.with_name("outputs"), alone) as machines:
        (end,) = machines.ends(PATIENCE)
    assert end.code == 0, end.errors
    assert first_difference(run_contents(whole[0]), run_contents(folder)) is None


@pytest.mark.long
def test_a_signal_to_one_machine_saves_and_ends_both(disturbed):
    _, (ends, _), saved, _, _ = disturbed
    chief, other = ends
    assert (chief.code, other.code) == (143, 143), chief.errors + other.errors
    assert shown(chief.errors)[-1] == shown(other.errors)[-1] == "enas-search: terminated"
    assert "the state is saved in" in chief.errors
    assert len(saved) > 1


@pytest.mark.long
def test_a_killed_machine_ends_the_other_one_soon(disturbed):
    _, _, _, (ends, seconds), _ = disturbed
    survivor, killed = ends
    assert (survivor.code, killed.code) == (2, -signal.SIGKILL), survivor.errors
    (line,) = shown(survivor.errors)
    assert line.startswith("enas-search: error: Machine 0 of 2 lost touch with another one")
    assert seconds < 30


@pytest.mark.long
def test_both_go_on_and_end_like_machines_that_were_not_disturbed(whole, disturbed):
    folder, *_, (chief, other) = disturbed
    assert (chief.code, other.code) == (0, 0), chief.errors + other.errors
    assert first_difference(run_contents(whole[0]), run_contents(folder)) is None


@pytest.mark.long
def test_a_folder_of_another_run_ends_both(whole):
    before = run_contents(whole[0])
    for end in run("search", (*SEARCH, "--seed=5"), whole[0]):
        assert (end.code, end.output) == (2, ""), end.errors
        (line,) = shown(end.errors)
        assert line.startswith(f"enas-search: error: {whole[0]} holds a run with another")
        assert "search.seed: 0 there, 5 now" in line
    assert first_difference(before, run_contents(whole[0])) is None


@pytest.mark.long
def test_other_flags_on_one_machine_end_both(tmp_path):
    chief, other = two("search", SEARCH, tmp_path / "run")
    chief, other = run_machines(tmp_path, chief, (*other, "--filters=6"), timeout=PATIENCE)
    for end in (chief, other):
        assert (end.code, end.output) == (2, ""), end.errors
        (line,) = shown(end.errors)
        assert line.startswith("enas-search: error: The chief was started with other settings")
    assert "space.filters: 4 there, 6 now" in other.errors
    assert not (tmp_path / "run").exists()


@pytest.mark.long
def test_retraining(tmp_path):
    folder = tmp_path / "run"
    chief, other = run("retrain", RETRAIN, folder)
    assert chief.code == 0, chief.errors
    assert other.code == 0, other.errors
    assert other.output == "Machine 1 of 2 is done; the chief has the results.\n"
    assert not (tmp_path / "of_machine").exists()
    results = json.loads((folder / "results.json").read_text())
    assert f"Test accuracy: {results['test_accuracy']:.4f}" in chief.output
    assert (results["epochs"], results["test_examples"]) == (2, 100)
    assert 0.0 <= results["validation_accuracy"] <= 1.0
    assert (folder / "model.keras").is_file()
    assert (folder / "saved_model" / "1" / "saved_model.pb").is_file()
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
