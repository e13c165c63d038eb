"""The main job as a user does it: commands in processes of their own, on the embedded digits."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from enas_tf.config import DataConfig
from enas_tf.data.images import load_images

pytestmark = pytest.mark.end_to_end

PATIENCE = 300
SEARCH = (
    "--space=macro",
    "--dataset=digits",
    "--preset=smoke",
    "--max_train_examples=400",
    "--num_layers=3",
    "--filters=4",
    "--num_operations=3",
    "--epochs=6",
    "--controller_updates_per_epoch=1",
    "--derive_num_candidates=2",
)
RETRAIN = ("--dataset=digits", "--preset=smoke", "--filters=8", "--epochs=3")
CELLS = ("--space=micro", "--num_layers=1", "--epochs=1", "--filters=4")
SEARCH_OF_CELLS = (
    *SEARCH,
    *CELLS,
    "--num_nodes=2",
    "--num_operations=5",
)
# Loads an exported model with TensorFlow alone and prints its accuracy.
RELOAD = """
import sys
import numpy as np
import tensorflow as tf

arrays = np.load(sys.argv[2])
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
answers = serve(images=tf.constant(arrays["images"]))
assert "enas_tf" not in sys.modules
assert answers["probabilities"].shape == (len(arrays["labels"]), 10)
print(np.mean(answers["classes"].numpy() == arrays["labels"]))
"""


def start(command, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", f"enas_tf.cli.{command}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_of(process):
    """Returns the exit code, standard output and standard error of a process."""
    try:
        output, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, output, errors


def size_of(path):
    return path.stat().st_size if path.exists() else 0


def interrupt(process, log, number):
    """Sends a signal as soon as the log has grown, and returns what `end_of` does."""
    size, deadline = size_of(log), time.monotonic() + PATIENCE
    while size_of(log) <= size and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    return end_of(process)


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A search that was terminated, interrupted, and then finished: its folder and its ends."""
    folder = tmp_path_factory.mktemp("end_to_end") / "run"
    arguments = (*SEARCH, f"--output_dir={folder}")
    ends = [
        interrupt(start("search", *arguments), folder / "metrics.jsonl", number)
        for number in (signal.SIGTERM, signal.SIGINT)
    ]
    return folder, [*ends, end_of(start("search", *arguments))]


@pytest.fixture(scope="module")
def retrained(searched):
    folder = searched[0].with_name("final")
    arguments = (f"--architecture={searched[0]}", *RETRAIN, f"--output_dir={folder}")
    return folder, end_of(start("retrain", *arguments))


@pytest.mark.parametrize(
    ("number", "code", "word"), [(0, 143, "terminated"), (1, 130, "interrupted")]
)
def test_a_stopped_search_says_so_and_saves_its_state(searched, number, code, word):
    returned, _, errors = searched[1][number]
    assert returned == code, errors
    assert errors.splitlines()[-1] == f"enas-search: {word}"
    assert "the state is saved in" in errors


def test_the_same_command_finishes_the_search(searched):
    folder, ends = searched
    code, output, errors = ends[2]
    assert code == 0, errors
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    derived = [line for line in lines if line["phase"] == "derive"]
    epochs = [line["epoch"] for line in derived if "rank" not in line]
    assert epochs == list(range(1, 7))
    assert "enas-retrain" in output


def test_retraining_reports_what_it_wrote(retrained):
    folder, (code, output, errors) = retrained
    assert code == 0, errors
    results = json.loads((folder / "results.json").read_text())
    assert f"Test accuracy: {results['test_accuracy']:.4f}" in output
    assert (folder / "model.keras").is_file()


@pytest.fixture(scope="module")
def retrained_cells(tmp_path_factory):
    """A search of cells and the retraining of what it found, not interrupted."""
    folder = tmp_path_factory.mktemp("cells")
    run, final = folder / "run", folder / "final"
    code, _, errors = end_of(start("search", *SEARCH_OF_CELLS, f"--output_dir={run}"))
    assert code == 0, errors
    arguments = (f"--architecture={run}", *RETRAIN, *CELLS, f"--output_dir={final}")
    return final, end_of(start("retrain", *arguments))


@pytest.mark.parametrize("name", ["retrained", "retrained_cells"])
def test_the_exported_model_has_the_reported_accuracy(request, name, tmp_path):
    folder, (code, _, errors) = request.getfixturevalue(name)
    assert code == 0, errors
    images, labels = load_images(DataConfig(dataset="digits")).part("test")
    np.savez(tmp_path / "test.npz", images=images, labels=labels)
    script = [sys.executable, "-c", RELOAD, folder / "saved_model" / "1", tmp_path / "test.npz"]
    result = subprocess.run(
        script, capture_output=True, text=True, timeout=PATIENCE, cwd=tmp_path, check=True
    )
    results = json.loads((folder / "results.json").read_text())
    assert float(result.stdout) == pytest.approx(results["test_accuracy"], abs=1e-6)
