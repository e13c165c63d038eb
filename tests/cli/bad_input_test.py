"""Everything that a person can get wrong: one line that helps, exit code 2, nothing lost."""

import importlib
import io
import json
import os
import pathlib
import pickle
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import numpy as np
import pytest
from PIL import Image

from enas_tf.architectures import architecture_document
from enas_tf.cli import benchmark, common, derive, evaluate, export
from enas_tf.config import DataConfig, SearchConfig, TrainingConfig
from enas_tf.runs import RunDirectory
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.space import MicroSpace

LONG = 5000 * "a"
SPACE = MacroSpace(num_layers=3, filters=4, input_shape=(6, 6, 1), num_classes=2)
DOCUMENT = architecture_document(SPACE.random_architecture(0))
MICRO_SPACE = MicroSpace(num_nodes=2, filters=4, input_shape=(6, 6, 1), num_classes=2)
MICRO_DOCUMENT = architecture_document(MICRO_SPACE.random_architecture(0))
BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


class Command:
    """A pickle that creates the file `executed` in the current directory when it is obeyed."""

    def __reduce__(self):
        return os.system, ("touch executed",)


def write_npz(path, classes=2, shape=(6, 6, 1), **changes):
    generator = np.random.default_rng(0)
    arrays = {
        "x_train": generator.integers(0, 256, (60, *shape), np.uint8),
        "y_train": np.arange(60) % classes,
        "x_test": generator.integers(0, 256, (10, *shape), np.uint8),
        "y_test": np.arange(10) % classes,
        **changes,
    }
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def write_npz_files(world):
    grey = (60, 6, 6, 1)
    broken = {
        "no_y_test": {"y_test": None},
        "objects": {"x_train": np.array([[1], [2, 3]], dtype=object)},
        "command": {"x_train": np.array([Command()], dtype=object)},
        "float_labels": {"y_train": np.linspace(0, 1, 60)},
        "one_hot": {"y_train": np.eye(2, dtype=int)[np.arange(60) % 2]},
        "negative_labels": {"y_train": np.arange(60) - 1},
        "label_gap": {"y_train": 5 * np.arange(60)},
        "new_test_label": {"y_test": np.full(10, 7)},
        "huge_label": {"y_train": np.full(60, 2**40)},
        "lengths": {"y_train": np.arange(59) % 2},
        "no_examples": {"x_train": np.zeros((0, 6, 6, 1), np.uint8), "y_train": np.zeros(0, int)},
        "flat": {"x_train": np.zeros((60, 36), np.uint8)},
        "no_height": {"x_train": np.zeros((60, 0, 6, 1), np.uint8)},
        "texts": {"x_train": np.full(grey, "a")},
        "normalised": {"x_train": np.full(grey, -1.5), "x_test": np.zeros((10, 6, 6, 1))},
        "nan": {"x_train": np.full(grey, np.nan), "x_test": np.zeros((10, 6, 6, 1))},
        "test_size": {"x_test": np.zeros((10, 8, 8, 1), np.uint8)},
        "test_dtype": {"x_test": np.zeros((10, 6, 6, 1), np.float32)},
        "few_names": {"label_names": np.array(["a"])},
        "same_names": {"label_names": np.array(["a", "a"])},
    }
    for name, changes in broken.items():
        write_npz(world / f"{name}.npz", **changes)
    write_npz(world / "good.npz")
    write_npz(world / "one_class.npz", classes=1)
    write_npz(world / "three_classes.npz", classes=3)
    write_npz(world / "rgb.npz", shape=(6, 6, 3))
    write_npz(world / "tiny.npz", shape=(6, 3, 1))
    content = (world / "good.npz").read_bytes()
    (world / "cut_off.npz").write_bytes(content[:600])
    (world / "damaged.npz").write_bytes(content[:300] + 40 * b"x" + content[340:])
    (world / "not_zip.npz").write_bytes(b"hello")
    (world / "empty.npz").write_bytes(b"")
    (world / "pickle.npz").write_bytes(pickle.dumps(Command()))


def write_class_folders(world):
    def picture(name, size=(6, 6)):
        path = world / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", size).save(path)

    for folder in ("text", "sizes", "classes", "no_pictures", "no_test"):
        for part in ("train", "test")[: 1 if folder == "no_test" else 2]:
            for name in ("a", "b"):
                picture(f"folders/{folder}/{part}/{name}/0.png")
    (world / "folders/text/train/a/1.png").write_text("hello")
    picture("folders/sizes/train/b/1.png", (7, 6))
    picture("folders/classes/test/c/1.png")
    for part in ("train", "test"):
        (world / "folders/no_pictures" / part / "c").mkdir()


def write_cifar10(world):
    def batch(**changes):
        return {"data": np.zeros((20, 3072), np.uint8), "labels": 20 * [1], **changes}

    good = pickle.dumps(batch())
    broken = {
        "lacking": None,
        "cut_off": good[:500],
        "empty": b"",
        "text": b"hello world",
        "command": pickle.dumps(Command()),
        "command_inside": pickle.dumps(batch(data=Command())),
        "old_command": b"cposix\nsystem\n(S'touch executed'\ntR.",
        "evaluated": b'cbuiltins\neval\n(S\'open("executed", "w")\'\ntR.',
        "list": pickle.dumps([1, 2]),
        "labels": pickle.dumps(batch(labels=20 * [10])),
        "shape": pickle.dumps(batch(data=np.zeros((20, 5), np.uint8))),
        "length": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
    }
    for name, content in broken.items():
        folder = world / "cifar10" / name
        folder.mkdir(parents=True)
        for batch_name in BATCHES:
            (folder / batch_name).write_bytes(good)
        (folder / "data_batch_3").unlink()
        if content is not None:
            (folder / "data_batch_3").write_bytes(content)

    def archive(folder, content):
        path = world / "cifar10" / folder / "cifar-10-python.tar.gz"
        path.parent.mkdir()
        with tarfile.open(path, "w:gz") as file:
            for name in BATCHES:
                member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))
        return path

    archive("archive_command", pickle.dumps(Command()))
    path = archive("archive_cut_off", good)
    path.write_bytes(path.read_bytes()[:300])
    archive("archive_text", good).write_text("hello")


def write_architectures(world):
    def layers(**changes):
        layer = {"operation": "convolution_3x3", "skip_connections": [], **changes}
        return {**DOCUMENT, "architecture": {"layers": [layer]}}

    def channels(branches, number=4):
        layer = {"branches": branches, "skip_connections": []}
        return {**DOCUMENT, "architecture": {"channels": number, "layers": [layer]}}

    def cells(*operands, **changes):
        node = [{"input": tensor, "operation": name} for tensor, name in operands]
        cells = {"normal": {"nodes": [node]}, "reduction": {"nodes": [node]}, **changes}
        return {**MICRO_DOCUMENT, "architecture": cells}

    identity = (0, "identity")
    documents = {
        "micro_good": MICRO_DOCUMENT,
        "micro_no_reduction": {**MICRO_DOCUMENT, "architecture": {"normal": {"nodes": []}}},
        "micro_cell": cells(identity, identity, reduction=3),
        "micro_no_nodes": cells(identity, identity, normal={"nodes": []}),
        "micro_nodes": cells(identity, identity, normal=MICRO_DOCUMENT["architecture"]["normal"]),
        "micro_node": cells(identity, identity, reduction={"nodes": ["identity"]}),
        "micro_operand": cells(identity),
        "micro_operation": cells(identity, (0, "convolution_3x3")),
        "micro_operation_type": cells(identity, (0, {})),
        "micro_itself": cells(identity, (2, "identity")),
        "micro_negative": cells(identity, (-1, "identity")),
        "micro_fraction": cells(identity, (0.5, "identity")),
        "micro_text": cells(identity, ("0", "identity")),
        "list": [1],
        "other_space": {**DOCUMENT, "space": "cube"},
        "newer": {**DOCUMENT, "format_version": 9},
        "version_text": {**DOCUMENT, "format_version": "1"},
        "no_architecture": {"space": "macro", "format_version": 1},
        "no_layers": {**DOCUMENT, "architecture": {"layers": []}},
        "operation": layers(operation="convolution_9x9"),
        "operation_type": layers(operation=[1]),
        "skip": layers(skip_connections=[0]),
        "skip_type": layers(skip_connections="none"),
        "count": channels([{"start": 0, "count": 9}]),
        "fraction": channels([{"start": 0, "count": 1.5}]),
        "infinity": channels([{"start": 0, "count": float("inf")}]),
        "branches": channels(3),
        "channels": channels([{"start": 0, "count": 1}], "x"),
        "channels_good": channels([{"start": 0, "count": 1}]),
    }
    folder = world / "architectures"
    folder.mkdir()
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    (folder / "broken.json").write_text("{")
    (folder / "deep.json").write_text(100_000 * "[")
    (folder / "binary.json").write_bytes(b"\xff\xfe\x00")


def write_runs(world):
    config = SearchConfig(shared_weights=TrainingConfig(batch_size=8))
    search = {
        "command": "search",
        "space": {"name": "macro", **SPACE.to_json()},
        "data": DataConfig(dataset="good.npz").to_json(),
        "search": config.to_json(),
    }
    configurations = {
        "search": search,
        "retraining": {"command": "retrain", "space": "macro"},
        "micro_search": {**search, "space": {"name": "micro", **MICRO_SPACE.to_json()}},
        "micro_shape": {**search, "space": {"name": "micro", "input_shape": [3, 3, 1]}},
        "no_space": {"command": "search"},
        "other_space": {**search, "space": {"name": "cube"}},
        "setting": {**search, "search": {"shared_weights": {"epochs": 0}}},
        "data": {**search, "data": {"dataset": 3}},
        "shape": {**search, "space": {"name": "macro", "input_shape": ["a", None]}},
        "damaged_checkpoint": search,
        "data_gone": {**search, "data": DataConfig(dataset="gone.npz").to_json()},
        "data_changed": {**search, "data": DataConfig(dataset="rgb.npz").to_json()},
    }
    for name, configuration in configurations.items():
        run = RunDirectory.open(world / "runs" / name, configuration)
        if name in ("damaged_checkpoint", "data_gone", "data_changed"):
            run.checkpoints.mkdir()
            (run.checkpoints / "checkpoint").write_text('model_checkpoint_path: "ckpt-1"\n')
            (run.checkpoints / "ckpt-1.index").write_text("x")
    found = {"search": DOCUMENT, "shape": DOCUMENT, "micro_search": MICRO_DOCUMENT}
    for name, document in found.items():
        (world / "runs" / name / "best_architecture.json").write_text(json.dumps(document))
    for name, text in {"broken": "{", "list": "[]", "foreign": "{}"}.items():
        (world / "runs" / name).mkdir()
        (world / "runs" / name / "config.json").write_text(text)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder full of things that are wrong."""
    world = tmp_path_factory.mktemp("world")
    for write in (
        write_npz_files,
        write_class_folders,
        write_cifar10,
        write_architectures,
        write_runs,
    ):
        write(world)
    (world / "empty_folder").mkdir()
    (world / "thesis").mkdir()
    (world / "thesis" / "thesis.tex").write_text("years of work")
    (world / "text.txt").write_text("hello")
    (world / "bad.keras").write_text("hello")
    (world / "flags").write_bytes(b"\xff\xfe--epochs=3\n")
    (world / "endless_flags").write_text("--flagfile=endless_flags\n")
    (world / "nul_flags").write_text("--dataset=a\0b\n")
    return world


def contents(folder):
    """Returns what would show that something in a folder was changed; a log may grow."""
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None
        for path in folder.rglob("*")
        if path.name != "log.txt"
    }


@pytest.fixture
def without_tensorflow(monkeypatch):
    """Makes loading TensorFlow a failure of the test."""

    def load_tensorflow():
        pytest.fail("TensorFlow is not needed to see what is wrong here")

    for module in (common, derive, evaluate, export, benchmark):
        monkeypatch.setattr(module, "load_tensorflow", load_tensorflow)


def assert_refused(argv, message, capsys):
    name, *flags = argv
    before = contents(pathlib.Path.cwd())
    assert importlib.import_module(f"enas_tf.cli.{name}").main(flags) == 2
    out, errors = capsys.readouterr()
    assert errors.startswith(f"enas-{name}: error: ")
    assert errors.count("\n") == 1
    assert message in errors
    assert out == ""
    assert contents(pathlib.Path.cwd()) == before


SMOKE = ("--space=macro", "--preset=smoke", "--output_dir=out")
SEARCH = ("search", *SMOKE, "--dataset=good.npz", "--batch_size=8")
RETRAIN = ("retrain", *SMOKE, "--dataset=good.npz", "--batch_size=8")
MICRO_SMOKE = ("--space=micro", *SMOKE[1:])
MICRO_SEARCH = ("search", *MICRO_SMOKE, "--dataset=good.npz", "--batch_size=8")
MICRO_RETRAIN = ("retrain", *MICRO_SMOKE, "--dataset=good.npz", "--batch_size=8")

FLAGS = [
    ("search", "", "`--space` is required"),
    ("search", "--space=", "`--space` is required"),
    ("search", "--space=Macro", "`--space` must be one of"),
    ("search", "--space", "Missing value for flag --space"),
    ("search", "--space=macro --preset=fast", "`--preset` must be one of"),
    ("search", "--space=macro --epoch=1", "Unknown command line flag 'epoch'. Did you mean"),
    ("search", "--space=macro -x", "Unknown command line flag 'x'"),
    ("search", "--space=macro macro", "Unexpected argument 'macro'"),
    ("search", "--space=macro --noepochs", "Unknown command line flag 'noepochs'"),
    ("search", "--space=macro --input_shape=8,8,1", "Unknown command line flag 'input_shape'"),
    ("search", "--space=macro --flagfile=none", "Unable to open flagfile"),
    ("search", "--space=macro --flagfile=empty_folder", "Unable to open flagfile"),
    ("search", "--space=macro --flagfile=flags", "is no text"),
    ("search", "--space=macro --flagfile=endless_flags", "circular flagfile"),
    ("search", "--space=macro --flagfile=nul_flags", "`--dataset` must be a text"),
    ("search", "--space=macro --overwrite=perhaps", "`--overwrite` must be yes or no"),
    ("search", "--space=macro --output_dir=", "`--output_dir` must be a text"),
    ("retrain", "--space=macro", "`--architecture` is required"),
    ("retrain", "--architecture=0", "`--space` is required"),
    ("retrain", "--space=macro --architecture=0 --num_layers=3", "Unknown command line flag"),
    ("retrain", "--space=macro --architecture=0 --merge=x", "`--merge` must be one of"),
    ("evaluate", "", "`--model` is required"),
    ("evaluate", "--model=bad.keras", "`--dataset` is required"),
    ("evaluate", "--model=x --dataset=good.npz --batch_size=0", "`--batch_size` must be at least"),
    ("evaluate", "--model=none --dataset=good.npz", "none does not exist"),
    ("evaluate", f"--model={LONG} --dataset=good.npz", "does not exist"),
    ("evaluate", "--model=bad.keras --dataset=good.npz", "is not a Keras model file"),
    ("evaluate", "--model=empty_folder --dataset=good.npz", "holds neither model.keras nor a"),
    ("export", "", "`--run` is required"),
    ("export", "--run=bad.keras --format=torch", "`--format` must be one of"),
    ("export", "--run=none", "none does not exist"),
    ("export", "--run=text.txt", "is not a Keras model file"),
    ("export", "--run=thesis", "holds neither model.keras nor a SavedModel"),
    ("draw", "", "`--space` is required"),
    ("draw", "--space=macro --architecture=0", "`--output` is required"),
    ("draw", "--space=macro --architecture=0 --output=a.pdf", "must end in .svg or .png"),
    ("draw", "--space=macro --architecture=0 --output=.svg", "must end in .svg or .png"),
    ("draw", "--space=macro --architecture=0 --output=none/a.svg", "Cannot write none/a.svg"),
    ("draw", "--space=macro --architecture=0 --output=text.txt/a.svg", "not a directory"),
    ("draw", f"--space=macro --architecture=0 --output={LONG}.svg", "file name too long"),
    ("draw", "--space=macro --architecture=9 --output=a.svg", "from 0 to 5. Received: 9"),
    ("draw", "--architecture=runs/shape --output=a.svg", "`input_shape` must be a list"),
    ("draw", "--architecture=runs/retraining --space=macro --output=a.svg", "has no best_arch"),
    *(
        ("draw", f"--space=macro --architecture=0 --output=a.svg --input_shape={shape}", "input_sh")
        for shape in ("8,8", "0,8,8", "-1,2,3", "1,2,3,4", "1.5,2,3", "x", "")
    ),
    ("benchmark", "--space=macro --input_shape=8,8", "`input_shape` must be three positive"),
    ("benchmark", "--space=macro --input_shape=0,8,3", "`input_shape` must be three positive"),
    ("benchmark", "--space=macro --num_classes=1", "`--num_classes` must be at least 2"),
    ("benchmark", "--space=macro --repeats=0", "`--repeats` must be at least 1"),
    ("benchmark", "--space=macro --architecture=0", "has 1 layers, the space 12"),
    ("benchmark", "--space=macro --filters=3", "`filters` must be even"),
    ("benchmark", "--space=macro --strategy=x", "`strategy` must be one of"),
    ("search", "--space=micro --merge=add", "`--merge` belongs to --space=macro, not to"),
    ("search", "--space=macro --num_nodes=5", "`--num_nodes` belongs to --space=micro, not to"),
    ("search", "--space=micro --form=final", "Unknown command line flag 'form'"),
    ("retrain", "--space=micro --architecture=0 --widen", "`--widen` belongs to --space=macro"),
    ("retrain", "--space=micro --architecture=0 --num_nodes=5", "Unknown command line flag"),
    ("retrain", "--space=micro --architecture=0 --form=x", "`--form` must be one of"),
    ("draw", "--space=micro --architecture=0 --output=a.svg", "Received: 1 integers"),
    ("draw", "--architecture=runs/search --space=micro --output=a.svg", "give --space=macro"),
    ("draw", "--architecture=runs/micro_search --output=a.svg --input_shape=8,8,1", "Unknown"),
    ("benchmark", "--space=micro --input_shape=3,8,3", "at least 4 x 4 pixels"),
    ("benchmark", "--space=micro --num_nodes=0", "`--num_nodes` must be at least 1"),
    ("benchmark", "--space=micro --architecture=architectures/micro_good.json", "have 2 nodes"),
    ("derive", "--run=runs/micro_search", "has no checkpoint yet"),
    ("derive", "--run=runs/micro_shape", "config.json is damaged: The micro space halves"),
    ("derive", "", "`--run` is required"),
    ("derive", "--run=none", "none is not a folder"),
    ("derive", f"--run={LONG}", "is not a folder"),
    ("derive", "--run=text.txt", "text.txt is not a folder"),
    ("derive", "--run=thesis", "has no config.json"),
    ("derive", "--run=runs/retraining", "is not the run of a search"),
    ("derive", "--run=runs/search", "has no checkpoint yet"),
    ("derive", "--run=runs/search --num_candidates=0", "`--num_candidates` must be at least 1"),
    ("derive", "--run=runs/data_gone --finalists=1000", "`finalists` must be at most"),
    ("derive", "--run=runs/data_gone", "gone.npz does not exist"),
    ("derive", "--run=runs/data_changed", "has changed since the search"),
    ("derive", "--run=runs/no_space", "config.json is damaged: it has no object 'space'"),
    ("derive", "--run=runs/other_space", "config.json is damaged: `space` must be one of"),
    ("derive", "--run=runs/setting", "config.json is damaged: `epochs` must be at least 1"),
    ("derive", "--run=runs/data", "config.json is damaged: `dataset` must be str"),
    ("derive", "--run=runs/broken", "is not valid JSON"),
    ("derive", "--run=runs/list", "holds no JSON object"),
    ("derive", "--run=runs/foreign", "was not written by enas_tf"),
]

SEARCH_VALUES = {
    "epochs": ("0", "-1", "x", "1.5", "nan", "", "1e3", "99999999999999999999"),
    "batch_size": ("0", "55", "1000000", "99999999999999999999"),
    "learning_rate": ("0", "-1", "nan", "inf", "x", "", "1e400"),
    "final_learning_rate": ("-1", "0.06"),
    "restart_multiplier": ("0",),
    "momentum": ("1", "-0.1"),
    "weight_decay": ("-1", "inf"),
    "clip_norm": ("-1",),
    "num_layers": ("0", "-1"),
    "filters": ("0", "7"),
    "num_operations": ("0", "7"),
    "dropout_rate": ("1", "nan"),
    "search_whole_channels": ("perhaps",),
    "seed": ("-1", "4294967296"),
    "strategy": ("reinforced", ""),
    "reward_statistics": ("x",),
    "reward_batch_size": ("0", "7"),
    "policy_start_epoch": ("-1",),
    "controller_samples_per_update": ("0",),
    "controller_temperature": ("0",),
    "controller_skip_target": ("1",),
    "evolution_population_size": ("0",),
    "derive_num_candidates": ("0",),
    "derive_finalists": ("-1", "21"),
    "validation_size": ("0", "60", "53"),
    "max_train_examples": ("0", "1", "2"),
    "crop_padding": ("-1", "6"),
    "cutout": ("7",),
    "flip": ("perhaps",),
    "data_dir": ("nowhere", "text.txt", "", LONG),
    "dataset": ("", " ", LONG, f"{LONG}.npz", f"/{LONG}"),
    "output_dir": ("text.txt", "text.txt/x", "thesis"),
}
MICRO_SEARCH_VALUES = {
    "num_layers": ("0",),
    "num_nodes": ("0", "-1", "x", "1.5"),
    "num_operations": ("0", "6"),
    "filters": ("0", "7"),
    "auxiliary_weight": ("-1", "nan"),
    "bank_initialization": ("he",),
    "controller_tanh_constant": ("0",),
    "controller_operation_tanh_reduction": ("0",),
    "controller_separable_start_bias": ("-1",),
}
MICRO_RETRAIN_VALUES = {
    "num_layers": ("0",),
    "filters": ("0", "7"),
    "drop_path_rate": ("-0.1", "1"),
    "auxiliary_weight": ("-1",),
    "cutout": ("7", "1.5", "-1", "x"),
}
# Where the message has another word than the flag.
OTHER_WORDS = {
    "derive_finalists": "finalists",
    "max_train_examples": "",
    "dataset": "",
    "strategy": "strategy",
    "validation_size": "_size",
    "output_dir": "output_dir",
}

DATASETS = {
    "none.npz": "none.npz does not exist",
    "not_zip.npz": "no zip archive, or cut off",
    "empty.npz": "no zip archive, or cut off",
    "cut_off.npz": "no zip archive, or cut off",
    "pickle.npz": "no zip archive, or cut off",
    "damaged.npz": "Bad CRC-32",
    "no_y_test.npz": "Missing: y_test",
    "objects.npz": "Object arrays cannot be loaded",
    "command.npz": "Object arrays cannot be loaded",
    "float_labels.npz": "integer label",
    "one_hot.npz": "one integer label per picture",
    "negative_labels.npz": "from 0 to classes - 1. Received: -1",
    "label_gap.npz": "no example of label 1",
    "new_test_label.npz": "no example of label 2",
    "huge_label.npz": "from 0 to classes - 1",
    "one_class.npz": "at least two classes",
    "lengths.npz": "60 pictures and 59 labels",
    "no_examples.npz": "`y_train` is empty",
    "flat.npz": "shape (60, 36)",
    "no_height.npz": "shape (60, 0, 6, 1)",
    "texts.npz": "must hold pictures of numbers",
    "normalised.npz": "not normalised",
    "nan.npz": "values from nan",
    "test_size.npz": "(6, 6, 1) and (8, 8, 1)",
    "test_dtype.npz": "uint8 and float32",
    "few_names.npz": "`label_names` must name every label",
    "same_names.npz": "`label_names` must differ",
    "./empty_folder": "which is none of them",
    "text.txt": "which is none of them",
    "mnits": "There is no dataset, .npz file or folder 'mnits'. Close names: mnist",
    "empty_folder": "There is no dataset, .npz file or folder 'empty_folder'",
    "cifar10/none": "cannot be made",
    "folders/no_test": "has no folder 'test'",
    "folders/text": "1.png is not a readable picture",
    "folders/sizes": "must have the same size",
    "folders/classes": "Only one of them has: c",
    "folders/no_pictures": "holds no pictures",
}

PICKLES = {
    "lacking": "lacks data_batch_3",
    "cut_off": "pickle data was truncated",
    "empty": "Ran out of input",
    "text": "is not a readable pickle",
    "command": "system', which is refused",
    "command_inside": "system', which is refused",
    "old_command": "posix.system', which is refused",
    "evaluated": "builtins.eval', which is refused",
    "list": "is not a batch of CIFAR-10",
    "labels": "is not a batch of CIFAR-10",
    "shape": "is not a batch of CIFAR-10",
    "length": "is not a readable pickle",
    "archive_command": "system', which is refused",
    "archive_cut_off": "ended before the end-of-stream marker",
    "archive_text": "is not a readable archive",
}

# A leading @ stands for the folder and the ending of a file in `architectures`.
ARCHITECTURES = {
    "0 1": "2 integers fit no number of layers",
    "6": "from 0 to 5. Received: 6",
    "-1": "from 0 to 5. Received: -1",
    "0 3 2": "skip bits must be 0 or 1",
    "": "must be a text that is not empty",
    "|": "is empty",
    "0.5": "No architecture is known as '0.5'",
    "1-2": "must be integers",
    "99999999999999999999": "from 0 to 5",
    "enas_macro_relase": "or one of enas_macro_release",
    "none.json": "none.json does not exist",
    "text.txt": "is not valid JSON",
    "thesis": "has no best_architecture.json",
    "runs/retraining": "has no best_architecture.json",
    LONG: "No architecture is known as",
    f"{LONG}.json": "Cannot read",
    "@broken": "is not valid JSON",
    "@deep": "is not valid JSON",
    "@binary": "is not valid JSON",
    "@list": "holds no JSON object",
    "@other_space": "space 'cube', not of 'macro'",
    "@newer": "install a newer enas_tf",
    "@version_text": "must be a positive integer",
    "@no_architecture": "has no entry 'architecture'",
    "@no_layers": "at least one layer",
    "@operation": "Unknown operation 'convolution_9x9'",
    "@operation_type": "Unknown operation [1]",
    "@skip": "Layer 0 has no skip connections",
    "@skip_type": "must be a list of integers",
    "@count": "must have 1 to 3 channels",
    "@fraction": "with integers `start` and `count`",
    "@infinity": "with integers `start` and `count`",
    "@branches": "must be a list of objects",
    "@channels": "`channels` must be an integer",
    "@micro_good": "space 'micro', not of 'macro'; give --space=micro",
    "enas_micro_release": "or one of enas_macro_release",
}
MICRO_ARCHITECTURES = {
    "0 1": "has 8 n integers",
    "0 0 0 0 " * 11: "Received: 44 integers",
    "2 0 0 0 0 0 0 0": "Normal cell: Node 0: `input` must be the index of an earlier tensor",
    "0 0 0 0 0 0 -1 0": "Reduction cell: Node 0: `input` must be the index of an earlier tensor",
    # Each node reads the other: nothing would be left for the output.
    "3 0 0 0 2 0 0 0 " * 2: "Normal cell: Node 0: `input` must be",
    "0 0 0 0 2 0 3 0 " * 2: "Normal cell: Node 1: `input` must be the index of an earlier tensor",
    "0 5 0 0 0 0 0 0": "Normal cell: Node 0: An operation must be an integer from 0 to 4",
    "0 0 0 0 0 0 0 -1": "Reduction cell: Node 0: An operation",
    "0 99999999999999999999 0 0 0 0 0 0": "from 0 to 4",
    "99999999999999999999 0 0 0 0 0 0 0": "from 0 to 1",
    "|": "is empty",
    "enas_macro_release": "or one of enas_micro_release",
    "runs/search": "space 'macro', not of 'micro'; give --space=macro",
    "@channels_good": "space 'macro', not of 'micro'; give --space=macro",
    "@broken": "is not valid JSON",
    "@micro_no_reduction": "with the keys normal and reduction",
    "@micro_cell": "Reduction cell: A cell must be an object with a list `nodes`",
    "@micro_no_nodes": "Normal cell: A cell must have at least one node",
    "@micro_nodes": "must have the same number of nodes. Received: 2 and 1",
    "@micro_node": "Reduction cell: Node 0: expected a list of two objects",
    "@micro_operand": "Node 0: expected 2 operands. Received: 1",
    "@micro_operation": "Unknown operation 'convolution_3x3'",
    "@micro_operation_type": "Unknown operation {}",
    "@micro_itself": "Normal cell: Node 0: `input` must be the index of an earlier tensor",
    "@micro_negative": "an integer from 0 to 1",
    "@micro_fraction": "Received: 0.5",
    "@micro_text": "Received: '0'",
}

OTHERS = [
    (RETRAIN, ("--architecture=0 3 1", "--filters=7"), "`filters` must be even"),
    (RETRAIN, ("--architecture=0 3 1", "--batch_size=61"), "number of training examples, 60"),
    (
        RETRAIN,
        ("--architecture=0 3 1", "--batch_size=55", "--use_validation"),
        "number of training examples, 54",
    ),
    (RETRAIN, ("--architecture=0 3 1", "--output_dir=thesis", "--overwrite"), "no run of enas_tf"),
    (RETRAIN, ("--architecture=0 3 1", "--output_dir=text.txt"), "text.txt is a file"),
    (RETRAIN, ("--architecture=0 3 1", "--dataset=none.npz"), "none.npz does not exist"),
    (
        RETRAIN,
        ("--architecture=architectures/channels_good.json", "--filters=6"),
        "`filters` must be a multiple of 4",
    ),
    (MICRO_SEARCH, ("--dataset=tiny.npz",), "Received pictures of 6 x 3"),
    (
        MICRO_RETRAIN,
        ("--architecture=enas_micro_release", "--dataset=tiny.npz"),
        "at least 4 x 4 pixels",
    ),
]
VALUES = [
    (SEARCH, SEARCH_VALUES),
    (MICRO_SEARCH, MICRO_SEARCH_VALUES),
    ((*MICRO_RETRAIN, "--architecture=enas_micro_release"), MICRO_RETRAIN_VALUES),
]

WITHOUT_TENSORFLOW = [
    *(((command, *flags.split()), message) for command, flags, message in FLAGS),
    *(
        ((*command, f"--{name}={value}"), OTHER_WORDS.get(name, name))
        for command, table in VALUES
        for name, values in table.items()
        for value in values
    ),
    *((("search", *SMOKE, f"--dataset={name}"), message) for name, message in DATASETS.items()),
    *(
        (("search", *SMOKE, "--dataset=cifar10", f"--data_dir=cifar10/{name}"), message)
        for name, message in PICKLES.items()
    ),
    *(
        ((*command, "--architecture=" + re.sub("^@(.*)", r"architectures/\1.json", name)), message)
        for command, table in ((RETRAIN, ARCHITECTURES), (MICRO_RETRAIN, MICRO_ARCHITECTURES))
        for name, message in table.items()
    ),
    *(((*command, *flags), message) for command, flags, message in OTHERS),
]


@pytest.mark.parametrize(
    ("argv", "message"),
    [pytest.param(argv, message, id=" ".join(argv)[-80:]) for argv, message in WITHOUT_TENSORFLOW],
)
@pytest.mark.usefixtures("without_tensorflow")
def test_it_is_refused_before_tensorflow_is_loaded(argv, message, world, capsys, monkeypatch):
    monkeypatch.chdir(world)
    assert_refused(argv, message, capsys)


@pytest.fixture(scope="module")
def models(world):
    """The same folder with models in it, good and broken ones."""
    import keras

    from enas_tf.export import export as export_model

    def save(path, shape, *layers):
        inputs = keras.Input(shape)
        outputs = inputs
        for layer in (*layers, keras.layers.Flatten(), keras.layers.Dense(2)):
            outputs = layer(outputs)
        model = keras.Model(inputs, outputs)
        path.parent.mkdir(exist_ok=True)
        model.save(path)
        return model

    model = save(world / "model" / "model.keras", (6, 6, 1))
    save(world / "vector.keras", (3,))
    save(world / "function.keras", (6, 6, 1), keras.layers.Lambda(lambda x: x))
    content = (world / "model" / "model.keras").read_bytes()
    (world / "cut_off.keras").write_bytes(content[: len(content) // 2])
    half = len(content) // 2
    (world / "damaged.keras").write_bytes(content[:half] + 50 * b"x" + content[half + 50 :])
    export_model(model, world / "served")
    shutil.copytree(world / "served", world / "served_damaged")
    (world / "served_damaged" / "1" / "saved_model.pb").write_bytes(b"hello")
    return world


WITH_TENSORFLOW = [
    ((*SEARCH, "--output_dir=runs/search"), "another configuration (space.num_layers: 3 there, 6"),
    ((*SEARCH, "--output_dir=runs/retraining"), "holds a run of enas-retrain, which enas-search"),
    ((*SEARCH, "--output_dir=runs/broken", "--overwrite"), "config.json is not valid JSON"),
    ((*SEARCH, "--output_dir=runs/foreign", "--overwrite"), "was not written by enas_tf"),
    ((*SEARCH, f"--output_dir={LONG}"), "file name too long"),
    ((*SEARCH, "--devices=x"), "`devices` must be"),
    ((*SEARCH, "--devices=99"), "TensorFlow sees"),
    (("derive", "--run=runs/damaged_checkpoint"), "ckpt-1 is damaged"),
    (
        (*RETRAIN, "--architecture=0", "--filters=2", "--output_dir=runs/search", "--overwrite"),
        "holds a run of enas-search, which enas-retrain neither resumes nor overwrites",
    ),
    *(
        (("evaluate", f"--model={model}", f"--dataset={dataset}.npz"), message)
        for model, dataset, message in (
            ("model", "rgb", "takes pictures of 6 x 6 x 1, the dataset rgb.npz has"),
            ("model", "three_classes", "knows 2 classes, the dataset three_classes.npz has 3"),
            ("vector.keras", "good", "from (None, 3) to (None, 2)"),
            ("function.keras", "good", "is not a Keras model file"),
            ("cut_off.keras", "good", "is not a Keras model file"),
            ("damaged.keras", "good", "Bad CRC-32"),
            ("served_damaged", "good", "is not a SavedModel"),
            ("good.npz", "good", "is not a Keras model file"),
        )
    ),
    *(
        (("export", "--run=model", *flags), message)
        for flags, message in (
            (("--format=keras",), "model.keras exists already"),
            (("--format=keras", "--output=x.h5"), "must end in .keras"),
            (("--output=served",), "served/1 exists already"),
            (("--format=tflite", "--output=text.txt"), "text.txt exists already"),
            (("--format=tflite", "--output=thesis", "--overwrite"), "thesis is something else"),
            (("--output=text.txt", "--overwrite"), "Cannot write text.txt/1"),
        )
    ),
]


@pytest.mark.parametrize(
    ("argv", "message"),
    [pytest.param(argv, message, id=" ".join(argv)[-80:]) for argv, message in WITH_TENSORFLOW],
)
def test_it_is_refused(argv, message, models, capsys, monkeypatch):
    monkeypatch.chdir(models)
    assert_refused(argv, message, capsys)


def test_onnx_without_its_package_is_refused(models, capsys, monkeypatch):
    monkeypatch.chdir(models)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert_refused(("export", "--run=model", "--format=onnx"), "pip install 'enas-tf", capsys)


def test_sizes_that_do_not_fit_into_memory_are_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    argv = ("benchmark", "--space=macro", "--input_shape=1000000,1000000,3")
    assert_refused(argv, "Out of memory; make the batch size", capsys)


def test_a_folder_without_write_permission_is_refused(world, capsys, monkeypatch):
    monkeypatch.chdir(world)
    # Not by permissions, which do not count for a superuser.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert_refused(SEARCH, "permission denied", capsys)


@pytest.mark.end_to_end
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_while_tensorflow_is_loaded_says_so(number, code, tmp_path):
    script = (
        "import sys\n"
        "from enas_tf.cli import search\n"
        "print('ready', flush=True)\n"
        "sys.exit(search.main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, *SMOKE, f"--output_dir={tmp_path / 'out'}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    time.sleep(1.0)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    assert (process.returncode, errors.count("\n")) == (code, 1)
    assert not (tmp_path / "out").exists()
