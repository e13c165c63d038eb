import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import RunDirectoryError
from enas_tf.training.checkpoints import Checkpoints


def test_restores_variables_and_plain_values(tmp_path):
    checkpoints = Checkpoints(tmp_path, weight=tf.Variable([1.0, 2.0]))
    checkpoints.state.values = {"log": {"metrics.jsonl": 7}, "seconds": 0.5}
    checkpoints.save(3)
    weight = tf.Variable([0.0, 0.0])
    restored = Checkpoints(tmp_path, weight=weight)
    assert restored.restore()
    assert weight.numpy().tolist() == [1.0, 2.0]
    assert restored.state.values == {"log": {"metrics.jsonl": 7}, "seconds": 0.5}


def test_nothing_to_restore(tmp_path):
    assert not Checkpoints(tmp_path / "none", weight=tf.Variable(1.0)).restore()


def test_the_newest_one_counts_and_two_are_kept(tmp_path):
    weight = tf.Variable(0.0)
    checkpoints = Checkpoints(tmp_path, weight=weight)
    for number in range(3):
        weight.assign(number)
        checkpoints.save(number)
    weight.assign(-1.0)
    assert Checkpoints(tmp_path, weight=weight).restore()
    assert float(weight) == 2.0
    assert len(list(tmp_path.glob("*.index"))) == 2


def test_a_damaged_checkpoint_is_named(tmp_path):
    checkpoints = Checkpoints(tmp_path, weight=tf.Variable(0.0))
    checkpoints.save(1)
    next(tmp_path.glob("*.index")).write_bytes(b"damaged")
    with pytest.raises(RunDirectoryError, match=r"ckpt-1 is damaged.*--overwrite"):
        Checkpoints(tmp_path, weight=tf.Variable(0.0)).restore()


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    Checkpoints(tmp_path, weight=tf.Variable([0.0])).save(1)
    with pytest.raises(RunDirectoryError, match="--overwrite"):
        Checkpoints(tmp_path, weight=tf.Variable([0.0, 0.0])).restore()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError, match="Cannot save a checkpoint in"):
        Checkpoints(tmp_path / "file" / "folder", weight=tf.Variable(0.0)).save(1)


class _Nested(keras.Model):
    """Layers where `tf.train.Checkpoint` would not look for them."""

    def __init__(self):
        super().__init__()
        self.in_list = [keras.layers.Dense(2)]
        self.in_dictionary = {"a": keras.layers.Dense(2)}
        for layer in (self.in_list[0], self.in_dictionary["a"]):
            layer.build((None, 1))
        self.built = True


def test_layers_in_lists_and_dictionaries_are_saved(tmp_path):
    saved, restored = _Nested(), _Nested()
    Checkpoints(tmp_path, model=saved).save(1)
    Checkpoints(tmp_path, model=restored).restore()
    assert len(restored.weights) == 4
    for expected, actual in zip(saved.get_weights(), restored.get_weights()):
        np.testing.assert_array_equal(actual, expected)
