"""The main jobs as a user does them: commands in processes of their own.

Pictures are the embedded digits, the text is a small file.
"""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from enas_tf.data.images.loading import load_images
from enas_tf.data.texts.sources_by_name import read_source
from enas_tf.settings.data import DataConfig, TextDataConfig

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
CELLS = ("--space=micro", "--num_layers=1", "--epochs=1", "--filters=4", "--deterministic")
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
    """A search that was terminated and then finished: its folder and its two ends."""
    folder = tmp_path_factory.mktemp("end_to_end") / "run"
    arguments = (*SEARCH, f"--output_dir={folder}")
    first = interrupt(start("search", *arguments), folder / "metrics.jsonl", signal.SIGTERM)
    return folder, first, end_of(start("search", *arguments))


@pytest.fixture(scope="module")
def retrained(searched):
    folder = searched[0].with_name("final")
    arguments = (f"--architecture={searched[0]}", *RETRAIN, f"--output_dir={folder}")
    return folder, end_of(start("retrain", *arguments))


def test_a_stopped_search_says_so_and_saves_its_state(searched):
    _, (code, _, errors), _ = searched
    assert code == 143, errors
    assert errors.splitlines()[-1] == "enas-search: terminated"
    assert "the state is saved in" in errors


def test_the_same_command_finishes_the_search(searched):
    folder, _, (code, output, errors) = searched
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


@pytest.mark.parametrize(
    "name", ["retrained", pytest.param("retrained_cells", marks=pytest.mark.long)]
)
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


TEXT_SEARCH = (
    "--space=rnn",
    "--preset=smoke",
    "--num_nodes=2",
    "--hidden_size=8",
    "--batch_size=8",
    "--epochs=8",
    "--controller_samples_per_update=2",
    "--controller_updates_per_epoch=1",
    "--derive_num_candidates=2",
)
TEXT_RETRAIN = ("--preset=smoke", "--hidden_size=12", "--batch_size=8", "--epochs=12")
# Loads an exported language model with TensorFlow alone and prints perplexities of a text: of its
# words as numbers, of the same after a line end, and of the text itself.
RELOAD_TEXT = """
import json, pathlib, sys
import tensorflow as tf

folder, text = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_text()
signatures = tf.saved_model.load(str(folder)).signatures
words = (folder / "assets" / "vocabulary.txt").read_text().split("\\n")
numbers = [words.index(word) for word in text.replace("\\n", " <eos> ").split()]
tokens = tf.constant([numbers])
rows = [tokens, tf.concat([[[words.index("<eos>")]], tokens], axis=1)]
answers = [signatures["serving_default"](tokens=row) for row in rows]
answers.append(signatures["serving_text"](text=tf.constant([text])))
assert "enas_tf" not in sys.modules
print(json.dumps([float(answer["perplexity"][0]) for answer in answers]))
"""


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """The path of a text in which every word is mostly followed by the same one."""
    generator = np.random.default_rng(0)
    numbers = np.cumsum(generator.choice([1, 1, 1, 2], 5000)) % 23
    words = [f"word{number}" for number in numbers]
    lines = [" ".join(words[start : start + 10]) for start in range(0, len(words), 10)]
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def searched_text(text):
    """A search on a text that was interrupted once and then finished: its folder and its ends."""
    folder = text.with_name("run")
    arguments = (*TEXT_SEARCH, f"--dataset={text}", f"--output_dir={folder}")
    first = interrupt(start("search", *arguments), folder / "metrics.jsonl", signal.SIGINT)
    return folder, first, end_of(start("search", *arguments))


@pytest.fixture(scope="module")
def retrained_text(searched_text, text):
    """The retraining of what was found, and the end of its output."""
    run = searched_text[0]
    folder = run.with_name("final")
    arguments = (f"--architecture={run}", *TEXT_RETRAIN, f"--dataset={text}")
    code, output, errors = end_of(start("retrain", *arguments, f"--output_dir={folder}"))
    assert code == 0, errors
    return folder, output


# The commands of a text have a shorter test in `tests/cli/next_steps_test.py`.
@pytest.mark.long
def test_a_search_on_text_goes_on_where_it_was_interrupted(searched_text):
    folder, (first_code, _, first_errors), (code, output, errors) = searched_text
    assert (first_code, first_errors.splitlines()[-1]) == (130, "enas-search: interrupted")
    assert code == 0, errors
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    epochs = [line["epoch"] for line in lines if line["phase"] == "derive" and "rank" not in line]
    assert epochs == list(range(1, 9))
    assert f"enas-retrain --architecture={folder} --space=rnn" in output


@pytest.mark.long
def test_an_exported_language_model_has_the_reported_perplexity(retrained_text, text, tmp_path):
    folder, output = retrained_text
    test_part = tmp_path / "test.txt"
    test_part.write_text(read_source(TextDataConfig(dataset=str(text))).parts.test)
    script = [sys.executable, "-c", RELOAD_TEXT, folder / "saved_model" / "1", test_part]
    result = subprocess.run(
        script, capture_output=True, text=True, timeout=PATIENCE, cwd=tmp_path, check=True
    )
    of_words, after_a_line_end, of_text = json.loads(result.stdout)
    reported = json.loads((folder / "results.json").read_text())["test_perplexity"]
    assert f"Test perplexity: {reported:.2f}" in output
    # All 24 words equally likely would give 24.
    assert reported < 15.0
    assert of_words == pytest.approx(reported, rel=1e-4)
    assert of_text == pytest.approx(after_a_line_end, rel=1e-5)


@pytest.mark.long
def test_a_language_model_is_evaluated_again(retrained_text, text):
    folder, _ = retrained_text
    arguments = (f"--model={folder / 'saved_model'}", f"--dataset={text}", "--json")
    code, output, errors = end_of(start("evaluate", *arguments))
    assert code == 0, errors
    reported = json.loads((folder / "results.json").read_text())["test_perplexity"]
    assert json.loads(output)["test_perplexity"] == pytest.approx(reported)


@pytest.mark.long
def test_a_language_model_speaks(retrained_text):
    folder, report = retrained_text
    assert f"enas-generate --model={folder}" in report
    arguments = (f"--model={folder}", "--text=word1 word2", "--num_words=9")
    code, output, errors = end_of(start("generate", *arguments))
    assert (code, errors) == (0, "")
    assert output.startswith("word1 word2")
    # Line ends count as words; the last one is printed anyway.
    assert len(output[:-1].replace("\n", " <eos> ").split()) == 2 + 9
