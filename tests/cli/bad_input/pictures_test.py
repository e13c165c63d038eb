"""Datasets of pictures that are missing, damaged or no classification of pictures."""

import os
import pickle

import numpy as np
from PIL import Image

from tests.cli.bad_input.refusals import (
    MICRO_RETRAIN,
    MICRO_SEARCH,
    RETRAIN,
    SEARCH,
    Command,
    cases,
    write_common,
    write_npz,
)


def write_npz_files(world):
    grey = (60, 6, 6, 1)
    broken = {
        "no_y_test": {"y_test": None},
        "objects": {"x_train": np.array([[1], [2, 3]], dtype=object)},
        "command": {"x_train": np.array([Command()], dtype=object)},
        "float_labels": {"y_train": np.linspace(0, 1, 60)},
        "two_hot": {"y_train": np.ones((60, 2), int)},
        "unknown_name": {
            "y_train": np.array(["a", "b"])[np.arange(60) % 2],
            "y_test": np.full(10, "c"),
        },
        "channels_first": {"x_train": np.zeros((60, 3, 6, 6), np.uint8)},
        "half_scaled": {"x_train": np.full(grey, 0.5), "x_test": np.full((10, 6, 6, 1), 128.0)},
        "overshoot": {"x_train": np.full(grey, 1.02), "x_test": np.full((10, 6, 6, 1), 1.0)},
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
        "nan_test": {"x_train": np.zeros(grey), "x_test": np.full((10, 6, 6, 1), np.nan)},
        "line_ends": {"label_names": np.array(["a\nb", "c"])},
        "latin_1_names": {"label_names": np.array([b"a", b"\xe9"])},
        "test_size": {"x_test": np.zeros((10, 8, 8, 1), np.uint8)},
        "test_dtype": {"x_test": np.zeros((10, 6, 6, 1), np.float32)},
        "few_names": {"label_names": np.array(["a"])},
        "same_names": {"label_names": np.array(["a", "a"])},
    }
    for name, changes in broken.items():
        write_npz(world / f"{name}.npz", **changes)
    write_npz(world / "one_class.npz", classes=1)
    write_npz(world / "tiny.npz", shape=(6, 3, 1))
    content = (world / "good.npz").read_bytes()
    (world / "cut_off.npz").write_bytes(content[:600])
    (world / "damaged.npz").write_bytes(content[:300] + 40 * b"x" + content[340:])
    (world / "not_zip.npz").write_bytes(b"hello")
    (world / "empty.npz").write_bytes(b"")
    encrypted = bytearray(content)
    encrypted[6] |= 1
    encrypted[content.find(b"PK\x01\x02") + 8] |= 1
    (world / "encrypted.npz").write_bytes(encrypted)
    os.mkfifo(world / "pipe.npz")
    (world / "zeros.npz").symlink_to("/dev/zero")
    (world / "pickle.npz").write_bytes(pickle.dumps(Command()))


def write_class_folders(world):
    def picture(name, size=(6, 6)):
        path = world / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", size).save(path)

    for folder in ("text", "deep", "classes", "no_pictures", "no_train"):
        for part in ("test", "train")[: 1 if folder == "no_train" else 2]:
            for name in ("a", "b"):
                picture(f"folders/{folder}/{part}/{name}/0.png")
    (world / "folders/text/train/a/1.png").write_text("hello")
    Image.new("I;16", (6, 6)).save(world / "folders/deep/train/b/1.png")
    picture("folders/classes/test/c/1.png")
    for part in ("train", "test"):
        (world / "folders/no_pictures" / part / "c").mkdir()
        picture(f"folders/line_end/{part}/a\nb/0.png")
        picture(f"folders/latin_1/{part}/caf\udce9/0.png")
        picture(f"folders/pipe/{part}/a/0.png")
    os.mkfifo(world / "folders/pipe/train/a/1.png")


def write_tables(world):
    tables = {
        "no_label": "path,class\na.png,a\n",
        "short": "path,label\na.png,a\nb.png\n",
        "split": "path,label,split\na.png,a,dev\n",
        "missing": "path,label\nnone.png,a\n",
        "test_only": "path,label,split\na.png,a,train\nb.png,c,test\n",
    }
    for name, text in tables.items():
        (world / f"{name}.csv").write_text(text)


def write_world(world):
    write_common(world)
    write_npz_files(world)
    write_class_folders(world)
    write_tables(world)


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
    "two_hot.npz": "one integer label per picture",
    "unknown_name.npz": "`y_test` must hold names of classes that `y_train` has, too",
    "channels_first.npz": "use numpy.moveaxis(x_train, 1, -1)",
    "half_scaled.npz": "`x_train` from 0.5 to 0.5, `x_test` from 128 to 128",
    "overshoot.npz": "numpy.clip(x, 0, 1)",
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
    "nan.npz": "`x_train` must hold finite numbers. Received: nan",
    "nan_test.npz": "`x_test` must hold finite numbers. Received: nan",
    "line_ends.npz": "`label_names[0]` must be one line of text",
    "latin_1_names.npz": "`label_names[1]` must be one line of text in UTF-8",
    "encrypted.npz": "is encrypted",
    "pipe.npz": "it is a pipe, not a regular file",
    "zeros.npz": "it is a device, not a regular file",
    "test_size.npz": "(6, 6, 1) and (8, 8, 1)",
    "test_dtype.npz": "uint8 and float32",
    "few_names.npz": "`label_names` must name every label",
    "same_names.npz": "`label_names` must differ",
    "./empty_folder": "which is none of them",
    "text.txt": "which is none of them",
    "mnits": "There is no dataset, .npz file or folder 'mnits'. Close names: mnist",
    "empty_folder": "There is no dataset, .npz file or folder 'empty_folder'",
    "cifar10/none": "cannot be made",
    "folders/no_train": "has no folder 'train', but test",
    "folders/text": "1.png is not a readable picture",
    "folders/deep": "has more than 8 bits a channel",
    "no_label.csv": "must have the columns path and label",
    "short.csv": "line 3 must have 2 values",
    "split.csv": "train, validation or test as its split. Received: 'dev'",
    "missing.csv": "none.png does not exist",
    "test_only.csv": "needs training examples. Only the test part has: c",
    "none.csv": "none.csv cannot be read",
    "folders/classes": "Only one of them has: c",
    "folders/no_pictures": "holds no pictures",
    "folders/line_end": "The name of a class folder in folders/line_end/train must be one line",
    "folders/latin_1": "The name of a class folder in folders/latin_1/train must be one line",
    "folders/pipe": "1.png is not a readable picture (it is a pipe, not a regular file)",
    "a\nb.npz": "`dataset` must be one line of text in UTF-8",
    "\udcff.npz": "`dataset` must be one line of text in UTF-8",
    "pydoc": "`dataset` must be pictures here. Received: dataset='pydoc', which is a text",
    "ptb": "`dataset` must be pictures here. Received: dataset='ptb', which is a text",
    "good.txt": "which is none of them",
}

BESIDE_SETTINGS = [
    (RETRAIN, ("--architecture=0 3 1", "--filters=7"), "`filters` must be even"),
    (RETRAIN, ("--architecture=0 3 1", "--batch_size=61"), "number of training examples, 60"),
    (
        RETRAIN,
        ("--architecture=0 3 1", "--batch_size=55", "--use_validation"),
        "number of training examples, 54",
    ),
    (RETRAIN, ("--architecture=0 3 1", "--dataset=none.npz"), "none.npz does not exist"),
    (MICRO_SEARCH, ("--dataset=tiny.npz",), "Received pictures of 6 x 3"),
    (
        MICRO_RETRAIN,
        ("--architecture=enas_micro_release", "--dataset=tiny.npz"),
        "at least 4 x 4 pixels",
    ),
]


@cases(((*SEARCH, f"--dataset={name}"), message) for name, message in DATASETS.items())
def test_wrong_pictures(argv, message, refused_early):
    refused_early(argv, message)


@cases(((*command, *flags), message) for command, flags, message in BESIDE_SETTINGS)
def test_pictures_that_do_not_fit_the_settings(argv, message, refused_early):
    refused_early(argv, message)
