"""Pipes and devices in place of data files, in every way in: refused, not waited for."""

import os
import pickle

import numpy as np
import pytest
from PIL import Image

from enas_tf.data.foreign import read_file, reading
from enas_tf.data.images.loading import load_images
from enas_tf.data.texts.dataset import load_texts
from enas_tf.errors import DataError
from enas_tf.settings.data import DataConfig, TextDataConfig

BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


def _pictures(folder):
    for part in ("train", "test"):
        for name in ("a", "b"):
            (folder / part / name).mkdir(parents=True)
            Image.new("L", (6, 6)).save(folder / part / name / "0.png")
    return lambda: load_images(str(folder))


def _npz(folder):
    return lambda: load_images(str(folder / "data.npz"))


def _cifar10(folder):
    batch = {"data": np.zeros((2, 3072), np.uint8), "labels": [0, 1]}
    for name in BATCHES:
        (folder / name).write_bytes(pickle.dumps(batch))
    return lambda: load_images(DataConfig(dataset="cifar10", data_dir=str(folder)))


def _archive(folder):
    return lambda: load_images(DataConfig(dataset="cifar10", data_dir=str(folder)))


def _prepared(folder):
    (folder / "mnist/3.0.1").mkdir(parents=True)
    return lambda: load_images(DataConfig(dataset="mnist", data_dir=str(folder)))


def _prepared_itself(folder):
    (folder / "dataset_info.json").write_text("{}")
    return lambda: load_images(DataConfig(dataset="mnist", data_dir=str(folder)))


def _text(folder):
    return lambda: load_texts(str(folder / "text.txt"))


def _texts(folder):
    for part in ("train", "valid", "test"):
        (folder / f"ptb.{part}.txt").write_text("a b\n")
    return lambda: load_texts(str(folder))


def _other_texts(folder):
    for part in ("train", "valid", "test"):
        (folder / f"{part}.txt").write_text("a b\n")
    return lambda: load_texts(str(folder))


def _text_pickle(folder):
    return lambda: load_texts(TextDataConfig(dataset="ptb", data_dir=str(folder)))


# What lies in a folder and how it is read; which of the files becomes something else.
WAYS_IN = [
    (_pictures, "train/a/0.png"),
    (_pictures, "test/b/1.jpg"),
    (_npz, "data.npz"),
    (_cifar10, "data_batch_1"),
    (_cifar10, "test_batch"),
    (_archive, "cifar-10-python.tar.gz"),
    (_prepared, "mnist/3.0.1/dataset_info.json"),
    (_prepared, "mnist/3.0.1/mnist-test.tfrecord-00000-of-00001"),
    (_prepared_itself, "dataset_info.json"),
    (_text, "text.txt"),
    (_texts, "ptb.train.txt"),
    (_texts, "ptb.test.txt"),
    (_other_texts, "valid.txt"),
    (_text_pickle, "ptb.pkl"),
]
OTHERS = {"a pipe": os.mkfifo, "a device": lambda path: path.symlink_to("/dev/zero")}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize(("write", "name"), WAYS_IN)
def test_what_has_no_end_is_refused_at_once(tmp_path, write, name, kind):
    load = write(tmp_path)
    path = tmp_path / name
    path.unlink(missing_ok=True)
    OTHERS[kind](path)
    with pytest.raises(DataError, match=f"it is {kind}, not a regular file") as caught:
        load()
    assert str(path) in str(caught.value)


def test_a_file_larger_than_the_memory_is_refused(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        file.truncate(2**42)
    with pytest.raises(DataError, match="file cannot be read"):
        read_file(tmp_path / "file")


@pytest.mark.parametrize("error", [ValueError("a\n b"), KeyError(3), MemoryError(), EOFError()])
def test_what_a_reader_raises_becomes_one_line(error):
    message = r"^data is not a readable file \(.+\); mend it\.$"
    with pytest.raises(DataError, match=message), reading("data", "file", "mend it"):
        raise error


@pytest.mark.parametrize("error", [DataError("told already"), KeyboardInterrupt()])
def test_what_is_no_error_of_a_reader_goes_through(error):
    with pytest.raises(type(error)) as caught, reading("data", "file", "mend it"):
        raise error
    assert caught.value is error
