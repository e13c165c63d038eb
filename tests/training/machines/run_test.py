"""Of one machine; what several of them do, `agreement_test.py` tells."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.images.dataset import ImageData
from enas_tf.errors import RunDirectoryError
from enas_tf.runs.contents import DATA
from enas_tf.settings.data import DataConfig
from enas_tf.training.machines.agreement import Machines
from enas_tf.training.machines.run import data_of_run, open_run


@pytest.fixture
def alone():
    return Machines(tf.distribute.get_strategy())


def test_one_machine_has_the_run_directory(tmp_path, alone):
    with open_run(tmp_path / "run", {"seed": 1}, alone) as run:
        assert run.path == tmp_path / "run"
        assert run.configuration == {"seed": 1}
        logging.getLogger("enas_tf").warning("noted")
    log = (tmp_path / "run" / "log.txt").read_text()
    assert "Runs on the CPU." in log.splitlines()[0]
    assert "noted" in log


def test_the_run_is_closed_at_the_end(tmp_path, alone):
    with open_run(tmp_path / "run", {"seed": 1}, alone):
        pass
    logging.getLogger("enas_tf").warning("too late")
    assert "too late" not in (tmp_path / "run" / "log.txt").read_text()


def test_another_configuration_is_refused_unless_it_may_be_overwritten(tmp_path, alone):
    with open_run(tmp_path, {"seed": 1}, alone) as run:
        run.metrics.append({"step": 1})
    with (
        pytest.raises(RunDirectoryError, match="seed: 1 there, 2 now"),
        open_run(tmp_path, {"seed": 2}, alone),
    ):
        pass
    with open_run(tmp_path, {"seed": 2}, alone, overwrite=True) as run:
        assert run.metrics.read() == []


def test_a_run_keeps_the_normalization_that_pictures_in_files_had_when_it_began(tmp_path, alone):
    def data(of):
        np.save(tmp_path / "x.npy", np.full((10, 4, 4, 1), of, np.uint8))
        mapped, labels = np.load(tmp_path / "x.npy", mmap_mode="r"), np.arange(10) % 2
        return ImageData.from_arrays(
            mapped, labels, mapped, labels, name="a", config=DataConfig(memory_limit=0)
        )

    means = []
    for value in (7, 9):
        with open_run(tmp_path / "run", {"seed": 1}, alone) as run:
            run.metrics.append({"step": 1})
            kept = data_of_run(data(value), "train", run, alone)
            means.append(kept.normalization("train").mean.tolist())
    assert means == [[7.0], [7.0]]
    with open_run(tmp_path / "run", {"seed": 1}, alone, overwrite=True) as run:
        kept = data_of_run(data(9), "train", run, alone)
        assert kept.normalization("train").mean.tolist() == [9.0]


def test_a_run_on_pictures_in_memory_keeps_nothing_of_them(tmp_path, alone):
    pictures, labels = np.zeros((10, 4, 4, 1), np.uint8), np.arange(10) % 2
    data = ImageData.from_arrays(pictures, labels, pictures, labels)
    with open_run(tmp_path / "run", {"seed": 1}, alone) as run:
        assert data_of_run(data, "train", run, alone) is data
        assert not run.file(DATA).exists()
