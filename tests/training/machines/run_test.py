"""Of one machine; what several of them do, `agreement_test.py` tells."""

import logging

import pytest
import tensorflow as tf

from enas_tf.errors import RunDirectoryError
from enas_tf.training.machines.agreement import Machines
from enas_tf.training.machines.run import open_run


@pytest.fixture
def alone():
    return Machines(tf.distribute.get_strategy())


def test_one_machine_has_the_run_directory(tmp_path, alone):
    with open_run(tmp_path / "run", {"seed": 1}, alone) as run:
        assert run.path == tmp_path / "run"
        assert run.configuration == {"seed": 1}
        logging.getLogger("enas_tf").warning("noted")
    assert "noted" in (tmp_path / "run" / "log.txt").read_text()


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
