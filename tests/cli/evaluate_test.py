"""`enas-evaluate` on models whose answers are known."""

import csv
import json
import shlex
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from enas_tf.cli import evaluate
from enas_tf.models.remembered import attach_label_names
from enas_tf.runs.directory import RunDirectory
from enas_tf.settings.data import DataConfig
from enas_tf.settings.training import RetrainConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.config import MacroNetworkConfig

NAMES = ("dark", "middle", "bright")
ARCHITECTURE = MacroArchitecture.from_release_string("0")


def write_pictures(path, labels, names=NAMES):
    """Writes pictures of one grey whose brightness tells the class; the last tenth is bright."""
    pictures = np.array([0, 128, 255], np.uint8)[np.array(labels)].reshape(-1, 1, 1, 1)
    pictures = np.broadcast_to(pictures, (len(labels), 4, 4, 1))
    order = [NAMES.index(name) for name in names]
    numbers = np.argsort(order)[np.array(labels)]
    np.savez(
        path, x_train=pictures, y_train=numbers, x_test=pictures, y_test=numbers, label_names=names
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Has a classifier that knows dark and bright, and takes what is between for bright."""
    folder = tmp_path_factory.mktemp("evaluate")
    inputs = keras.Input((4, 4, 1))
    features = keras.layers.GlobalAveragePooling2D()(inputs)
    features = keras.layers.Rescaling(0.5, offset=-20.0)(features)
    dense = keras.layers.Dense(3, use_bias=False)
    model = keras.Model(inputs, dense(features))
    dense.set_weights([np.float32([[-1.0, 0.0, 1.0]])])
    attach_label_names(model, NAMES)
    (folder / "out").mkdir()
    model.save(folder / "out" / "model.keras")
    labels = [0, 1, 2, 0, 1, 2, 0, 0, 2, 2]
    write_pictures(folder / "pictures.npz", labels)
    write_pictures(folder / "reordered.npz", labels, names=("bright", "dark", "middle"))
    write_pictures(folder / "others.npz", labels, names=NAMES)
    with np.load(folder / "others.npz") as arrays:
        np.savez(folder / "others.npz", **{**arrays, "label_names": ("dark", "middle", "white")})
    return folder


@pytest.fixture
def run(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)

    def run(line, code=0):
        assert evaluate.main(["--model=out", *shlex.split(line)]) == code
        return capsys.readouterr()

    return run


def test_everything_is_told(run):
    lines = run("--dataset=pictures.npz").out.splitlines()
    assert lines[0].startswith("Test accuracy: 0.8000 (loss ")
    assert lines[1] == "Balanced accuracy: 0.6667"
    assert "middle          -  0.0000  0.0000         2" in lines
    assert lines[-1] == "bright     0       0       4"


@pytest.mark.parametrize("dataset", ["pictures", "reordered"])
def test_classes_are_matched_by_name(run, dataset):
    document = json.loads(run(f"--dataset={dataset}.npz --json").out)
    assert document["test_accuracy"] == 0.8
    assert document["confusion_matrix"] == [[4, 0, 0], [0, 0, 2], [0, 0, 4]]


def test_other_names_are_an_error(run):
    error = run("--dataset=others.npz", code=2).err
    assert "only the dataset has 'white'; only the model has 'bright'" in error
    assert error.count("\n") == 1


def test_predictions_are_written(run, folder):
    run("--dataset=reordered.npz --predictions=table.csv")
    with open(folder / "table.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows[:3]] == list(NAMES)
    assert [row["predicted"] for row in rows[:3]] == ["dark", "bright", "bright"]
    assert len(rows) == 10


def test_files_are_brought_to_what_the_model_takes(run, folder):
    for label, (name, grey) in enumerate(zip(NAMES, (0, 128, 255))):
        for part in ("train", "test"):
            (folder / "files" / part / name).mkdir(parents=True)
            # Coloured, larger, and of the class's grey in the middle alone.
            image = Image.new("RGB", (8 + label, 20), (255, 0, 255))
            image.paste((grey, grey, grey), (0, 5, 8 + label, 15))
            image.save(folder / "files" / part / name / "a b.png")
    run("--dataset=files --predictions=table.csv")
    with open(folder / "table.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [f"files/test/{n}/a b.png" for n in sorted(NAMES)]
    assert [row["predicted"] for row in rows] == ["bright", "dark", "bright"]


def test_the_validation_part_is_that_of_the_given_size(run):
    document = json.loads(run("--dataset=pictures.npz --part=validation --json").out)
    assert (document["validation_examples"], document["validation_accuracy"]) == (1, 1.0)
    line = "--dataset=pictures.npz --part=validation --validation_size=6 --json"
    assert json.loads(run(line).out)["validation_accuracy"] == pytest.approx(5 / 6)


def test_the_parts_are_those_of_the_models_training(run, folder, tmp_path):
    data = DataConfig(dataset="pictures.npz", validation_size=7)
    configuration = {
        "command": "retrain",
        "space": "macro",
        "architecture": ARCHITECTURE.to_json(),
        "network": MacroNetworkConfig().to_json(),
        "retrain": RetrainConfig().to_json(),
        "data": {"dataset": "pictures.npz"},
    }
    RunDirectory.open(tmp_path / "run", configuration, origin={"data": data.to_json()}).close()
    shutil.copy(folder / "out" / "model.keras", tmp_path / "run")
    model = f"--model={tmp_path / 'run'} --json"
    for part, examples in (("validation", 7), ("train", 3)):
        document = json.loads(run(f"{model} --dataset=pictures.npz --part={part}").out)
        assert document[f"{part}_examples"] == examples
    document = json.loads(run(f"{model} --dataset=reordered.npz --part=validation").out)
    assert document["validation_examples"] == 1


def test_a_folder_with_something_else_is_no_run(run, folder, request):
    config = folder / "out" / "config.json"
    request.addfinalizer(config.unlink)
    config.write_text("[3]")
    run("--dataset=pictures.npz --part=validation")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--part=all", "`--part` must be one of"),
        ("--part=train --max_test_examples=3", "`--max_test_examples` is for --part=test"),
        ("--predictions=none/a.csv", "must be a file in a folder that exists"),
        ("--predictions=out", "must be a file in a folder that exists"),
        ("--part=validation --validation_size=10", "`validation_size` must leave examples"),
    ],
)
def test_bad_input_is_one_line(run, line, message):
    error = run(f"--dataset=pictures.npz {line}", code=2).err
    assert message in error
    assert error.count("\n") == 1


def test_nothing_is_lost_if_the_table_cannot_be_written(run, monkeypatch):
    def fail(path, text):
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr(evaluate, "write_text", fail)
    result = run("--dataset=pictures.npz --predictions=table.csv", code=2)
    assert result.out.startswith("Test accuracy: 0.8000")
    assert "no space left on device" in result.err
