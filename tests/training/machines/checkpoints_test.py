"""Of one machine; what several of them do, `agreement_test.py` tells."""

import pytest
import tensorflow as tf

from enas_tf.errors import RunDirectoryError
from enas_tf.training.checkpoints import Checkpoints
from enas_tf.training.machines.agreement import Machines
from enas_tf.training.machines.checkpoints import ChiefsCheckpoints


def build(folder, value=0.0, configuration=None):
    variable = tf.Variable(value)
    checkpoints = Checkpoints(folder, configuration, variable=variable)
    return variable, ChiefsCheckpoints(checkpoints, Machines(tf.distribute.get_strategy()))


def test_nothing_to_restore(tmp_path):
    variable, checkpoints = build(tmp_path / "none", 3.0)
    assert not checkpoints.restore()
    assert variable.numpy() == 3.0


@pytest.mark.parametrize(("which", "expected"), [("latest", 2.0), ("best", 1.0)])
def test_goes_on_from_what_was_saved(tmp_path, which, expected):
    variable, checkpoints = build(tmp_path)
    for value, score in ((1.0, 0.9), (2.0, 0.1)):
        variable.assign(value)
        checkpoints.state.values = {"value": value}
        checkpoints.save(score)
    restored, later = build(tmp_path, 7.0)
    assert later.restore(which)
    assert restored.numpy() == expected
    assert later.state.values == {"value": expected}


def test_numbers_go_on_after_a_restart(tmp_path):
    for _ in range(2):
        _, checkpoints = build(tmp_path)
        checkpoints.restore()
        checkpoints.save()
    assert sorted(path.name for path in tmp_path.glob("*.index")) == [
        "ckpt-1.index",
        "ckpt-2.index",
    ]


def test_another_configuration_is_refused(tmp_path):
    build(tmp_path, configuration={"seed": 1})[1].save()
    with pytest.raises(RunDirectoryError, match="seed: 1 there, 2 now"):
        build(tmp_path, configuration={"seed": 2})[1].restore()
