import contextlib
import logging
import os
import resource

import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import RunDirectoryError
from enas_tf.runs.directory import RunDirectory
from enas_tf.training.checkpoints import Checkpoints

CONFIGURATION = {"space": {"name": "macro", "input_shape": (8, 8, 1)}, "seed": 3}
DATA = ".data-00000-of-00001"


def saved(folder, numbers, scores=None):
    """Saves `weight` of the value of each number; returns the checkpoints and the variable."""
    weight = tf.Variable(tf.zeros([5]))
    checkpoints = Checkpoints(folder, weight=weight)
    for number in numbers:
        weight.assign(tf.fill([5], float(number)))
        checkpoints.save(number, (scores or {}).get(number))
    return checkpoints, weight


def restored(folder, which="latest"):
    """Returns the number of the checkpoint that is restored, or None."""
    weight = tf.Variable(tf.fill([5], -1.0))
    found = Checkpoints(folder, weight=weight).restore(which)
    return int(weight[0]) if found else None


def numbers_in(folder):
    return sorted(int(path.stem.removeprefix("ckpt-")) for path in folder.glob("*.index"))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_restores_variables_and_plain_values(tmp_path):
    checkpoints = Checkpoints(tmp_path, weight=tf.Variable([1.0, 2.0]))
    checkpoints.state.values = {"log": {"metrics.jsonl": 7}, "seconds": 0.5}
    checkpoints.save(3)
    weight = tf.Variable([0.0, 0.0])
    later = Checkpoints(tmp_path, weight=weight)
    assert later.restore()
    assert weight.numpy().tolist() == [1.0, 2.0]
    assert later.state.values == {"log": {"metrics.jsonl": 7}, "seconds": 0.5}


def test_nothing_to_restore(tmp_path):
    assert not Checkpoints(tmp_path / "none", weight=tf.Variable(1.0)).restore()


def test_the_newest_one_counts_and_three_are_kept(tmp_path):
    saved(tmp_path, range(5))
    assert restored(tmp_path) == 4
    assert numbers_in(tmp_path) == [2, 3, 4]


def test_no_other_file_remains(tmp_path):
    saved(tmp_path, [1])
    assert sorted(os.listdir(tmp_path)) == ["checkpoint", f"ckpt-1{DATA}", "ckpt-1.index"]


def test_the_best_one_is_kept_too(tmp_path):
    saved(tmp_path, range(6), scores={0: 0.1, 1: 0.9, 2: 0.5, 5: 0.9})
    assert numbers_in(tmp_path) == [1, 3, 4, 5]
    assert restored(tmp_path, "best") == 1


def test_the_best_one_survives_a_restart(tmp_path):
    saved(tmp_path, [1, 2], scores={1: 0.9, 2: 0.5})
    checkpoints = Checkpoints(tmp_path, weight=tf.Variable(tf.zeros([5])))
    checkpoints.restore()
    for number in range(3, 7):
        checkpoints.save(number, score=0.8)
    assert checkpoints.best == {"number": 1, "score": 0.9}
    assert numbers_in(tmp_path) == [1, 4, 5, 6]


@pytest.mark.parametrize("score", [None, float("nan")])
def test_without_a_score_there_is_no_best(tmp_path, score):
    checkpoints, _ = saved(tmp_path, [1, 2], scores={1: score})
    assert checkpoints.best is None
    assert restored(tmp_path, "best") == 2


def test_a_best_one_that_was_removed_is_forgotten(tmp_path):
    checkpoints, _ = saved(tmp_path, [1, 2], scores={1: 0.9})
    (tmp_path / "ckpt-1.index").unlink()
    checkpoints.save(3, score=0.5)
    assert checkpoints.best == {"number": 3, "score": 0.5}


def test_no_checkpoint_is_written_over(tmp_path):
    checkpoints, _ = saved(tmp_path, [1, 2])
    before = contents(tmp_path)
    checkpoints.restore()
    checkpoints.save(1)
    assert numbers_in(tmp_path) == [1, 2, 3]
    assert before[f"ckpt-1{DATA}"] == contents(tmp_path)[f"ckpt-1{DATA}"]


def test_tensorflow_finds_the_newest_one(tmp_path):
    saved(tmp_path, range(5))
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "ckpt-4")


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


DAMAGE = {
    "truncated data": (DATA, cut),
    "changed data": (DATA, flip),
    "no data": (DATA, os.unlink),
    "empty data": (DATA, lambda path: path.write_bytes(b"")),
    "truncated index": (".index", cut),
    "changed index": (".index", flip),
    "empty index": (".index", lambda path: path.write_bytes(b"")),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, caplog, name):
    saved(tmp_path, [1, 2, 3])
    suffix, harm = DAMAGE[name]
    harm(tmp_path / f"ckpt-3{suffix}")
    assert restored(tmp_path) == 2
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("enas_tf.training.checkpoints", logging.WARNING)
    assert f"{tmp_path}/ckpt-3 is damaged (" in record.message
    assert record.message.endswith("); ckpt-2 is restored instead.")


@pytest.mark.parametrize("name", DAMAGE)
def test_if_all_are_damaged_the_newest_is_named(tmp_path, name):
    saved(tmp_path, [1, 2])
    suffix, harm = DAMAGE[name]
    for number in (1, 2):
        harm(tmp_path / f"ckpt-{number}{suffix}")
    with pytest.raises(RunDirectoryError, match=r"ckpt-2 is damaged \(.*--overwrite"):
        restored(tmp_path)


def test_a_damaged_best_one_falls_back_to_the_newest(tmp_path, caplog):
    saved(tmp_path, [1, 2, 3], scores={2: 0.9})
    cut(tmp_path / f"ckpt-2{DATA}")
    assert restored(tmp_path, "best") == 3
    assert "ckpt-3 is restored instead" in caplog.text


def test_a_damaged_checkpoint_goes_with_the_next_save(tmp_path):
    checkpoints, weight = saved(tmp_path, [1, 2, 3])
    cut(tmp_path / f"ckpt-3{DATA}")
    checkpoints.restore()
    weight.assign(tf.fill([5], 4.0))
    checkpoints.save(3)
    assert numbers_in(tmp_path) == [1, 2, 4]
    assert restored(tmp_path) == 4


LEFTOVERS = (
    f"ckpt-9{DATA}",
    ".unfinished-9/ckpt-9.index",
)


def test_what_a_killed_save_left_is_no_checkpoint_and_goes_with_the_next_save(tmp_path):
    for name in (*LEFTOVERS, "mine.index", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert restored(tmp_path) is None
    saved(tmp_path, [1])
    assert restored(tmp_path) is not None
    ours = ["checkpoint", f"ckpt-10{DATA}", "ckpt-10.index"]
    assert sorted(os.listdir(tmp_path)) == [*ours, "mine.index", "notes.txt"]


def test_an_index_without_data_goes_with_the_next_save(tmp_path):
    checkpoints, _ = saved(tmp_path, [1, 2])
    (tmp_path / f"ckpt-1{DATA}").unlink()
    checkpoints.save(3)
    assert numbers_in(tmp_path) == [2, 3]


def test_another_configuration_is_refused_before_anything_is_restored(tmp_path):
    Checkpoints(tmp_path, CONFIGURATION, weight=tf.Variable(1.0)).save(1)
    weight = tf.Variable(0.0)
    now = {"space": {"name": "micro", "input_shape": [8, 8, 1]}, "seed": 3, "new": True}
    message = r"ckpt-1 .*\(space\.name: macro there, micro now; new: unset there, true now\)"
    with pytest.raises(RunDirectoryError, match=message):
        Checkpoints(tmp_path, now, weight=weight).restore()
    assert float(weight) == 0.0


def test_the_same_configuration_is_restored(tmp_path):
    Checkpoints(tmp_path, CONFIGURATION, weight=tf.Variable(1.0)).save(1)
    assert Checkpoints(tmp_path, CONFIGURATION, weight=tf.Variable(0.0)).restore()


@pytest.mark.parametrize(
    ("now", "message"),
    [
        ({"a": [0.0, 0.0], "b": [0.0, 0.0, 0.0]}, r"b is float32\(2,\) there and float32\(3,\)"),
        ({"a": [0.0, 0.0], "b": [0, 0]}, "b is float32.* and int32"),
        ({"a": [0.0, 0.0]}, r"b is float32\(2,\) there and absent now"),
        ({"a": [0.0, 0.0], "b": [0.0, 0.0], "c": 1.0}, "c is absent there and float32"),
    ],
)
def test_other_variables_are_refused_before_anything_is_restored(tmp_path, caplog, now, message):
    checkpoints = Checkpoints(tmp_path, a=tf.Variable([1.0, 1.0]), b=tf.Variable([1.0, 1.0]))
    for number in (1, 2):
        checkpoints.save(number)
    variables = {name: tf.Variable(value) for name, value in now.items()}
    with pytest.raises(RunDirectoryError, match=f"ckpt-2 was saved by something else: {message}"):
        Checkpoints(tmp_path, **variables).restore()
    assert variables["a"].numpy().tolist() == [0.0, 0.0]
    assert caplog.text == ""


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    message = r"Cannot save a checkpoint in .*folder: not a directory; none has been saved before"
    with pytest.raises(RunDirectoryError, match=message):
        Checkpoints(tmp_path / "file" / "folder", weight=tf.Variable(0.0)).save(1)


@contextlib.contextmanager
def files_of_at_most(size):
    """Stands for a full disk; Python ignores the signal that would come with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_save_that_does_not_fit_leaves_the_older_checkpoint_and_nothing_else(tmp_path):
    weight = tf.Variable(tf.zeros([10_000]))
    checkpoints = Checkpoints(tmp_path, weight=weight)
    checkpoints.save(1, score=0.5)
    before = contents(tmp_path)
    weight.assign_add(tf.ones([10_000]))
    with files_of_at_most(20_000), pytest.raises(RunDirectoryError) as raised:
        checkpoints.save(2, score=0.9)
    assert str(raised.value) == (
        f"Cannot save a checkpoint in {tmp_path}: file too large; the last saved one, ckpt-1, "
        "stays good, and the same command goes on from it."
    )
    assert contents(tmp_path) == before
    assert checkpoints.best == {"number": 1, "score": 0.5}
    assert checkpoints.restore()
    assert float(weight[0]) == 0.0


@pytest.mark.parametrize("succeeding", range(3))
def test_a_file_that_cannot_be_moved_leaves_the_older_checkpoint(tmp_path, monkeypatch, succeeding):
    checkpoints, weight = saved(tmp_path, [1])
    replace, calls = os.replace, []

    def full(source, target):
        calls.append(target)
        if len(calls) > succeeding:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    weight.assign(tf.fill([5], 2.0))
    # The third one is of a file that nothing depends on.
    newest = 1 if succeeding < 2 else 2
    with pytest.raises(RunDirectoryError, match=f"no space left on device; .*ckpt-{newest}, stays"):
        checkpoints.save(2)
    assert numbers_in(tmp_path)[-1] == newest
    assert restored(tmp_path) == newest


def test_a_save_that_is_interrupted_leaves_nothing(tmp_path, monkeypatch):
    checkpoints, _ = saved(tmp_path, [1])
    before = contents(tmp_path)

    def interrupted(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(2)
    assert contents(tmp_path) == before


def test_short_memory_is_not_taken_for_damage(tmp_path, monkeypatch):
    checkpoints, _ = saved(tmp_path, [1, 2])

    def read(self, path):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(tf.train.Checkpoint, "read", read)
    with pytest.raises(tf.errors.ResourceExhaustedError):
        checkpoints.restore()


def test_all_variables_in_the_order_of_their_names(tmp_path):
    b, a = tf.Variable(1.0), tf.Variable([2.0])
    layer = keras.layers.Dense(1)
    layer.build((None, 1))
    variables = Checkpoints(tmp_path, b=b, a=[a, b], layer=layer).variables
    expected = [a, b, layer.kernel.value, layer.bias.value]
    assert [id(variable) for variable in variables] == [id(variable) for variable in expected]


def test_variables_of_two_devices_are_restored(tmp_path, two_devices):
    strategy = tf.distribute.MirroredStrategy(two_devices)

    def objects(value):
        with strategy.scope():
            kwargs = {"synchronization": "on_read", "aggregation": "mean", "trainable": False}
            statistic = tf.Module()
            statistic.mean = keras.Variable([value], **kwargs)
            return {"weight": tf.Variable([value]), "statistic": statistic}

    Checkpoints(tmp_path, **objects(1.0)).save(1)
    later = objects(0.0)
    assert Checkpoints(tmp_path, **later).restore()
    assert later["weight"].numpy().tolist() == [1.0]
    assert later["statistic"].mean.numpy().tolist() == [1.0]


def tensors_of(folder, number):
    reader = tf.train.load_checkpoint(str(folder / f"ckpt-{number}"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def test_later_saves_hold_what_the_first_would(tmp_path):
    network = _Nested()
    optimizer = keras.optimizers.Adam()
    optimizer.build(network.trainable_variables)
    objects = {"network": network, "optimizer": optimizer, "count": tf.Variable(3, dtype=tf.int64)}
    checkpoints = Checkpoints(tmp_path / "same", **objects)
    checkpoints.save(1)
    for variable in network.trainable_variables:
        variable.assign(variable + 1.0)
    optimizer.iterations.assign(7)
    checkpoints.state.values = {"seconds": 2.0}
    checkpoints.save(2)
    anew = Checkpoints(tmp_path / "anew", **objects)
    anew.state.values = {"seconds": 2.0}
    anew.save(2)
    found, expected = tensors_of(tmp_path / "same", 2), tensors_of(tmp_path / "anew", 2)
    assert found.keys() == expected.keys()
    for name, value in found.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)
        assert np.asarray(value).dtype == np.asarray(expected[name]).dtype


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
    before, after = _Nested(), _Nested()
    Checkpoints(tmp_path, model=before).save(1)
    Checkpoints(tmp_path, model=after).restore()
    assert len(after.weights) == 4
    for expected, actual in zip(before.get_weights(), after.get_weights()):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("name", ["lr=[0.05]", "a*b?", "back\\slash", "two words", "ü", "\udcff"])
def test_a_run_of_any_name_has_checkpoints(tmp_path, name):
    run = RunDirectory.open(tmp_path / name, {})
    saved(run.checkpoints, [1, 2], {1: 0.9, 2: 0.1})
    assert restored(run.checkpoints) == 2
    assert restored(run.checkpoints, "best") == 1


def test_messages_name_the_folder_as_the_user_did(tmp_path):
    run = RunDirectory.open(tmp_path / "run", {})
    saved(run.checkpoints, [1])
    (tmp_path / "run" / "checkpoints" / f"ckpt-1{DATA}").write_bytes(b"")
    with pytest.raises(RunDirectoryError) as error:
        restored(run.checkpoints)
    assert f"{tmp_path}/run/checkpoints/ckpt-1 is damaged" in str(error.value)


def test_a_pipe_among_the_files_is_damage_and_not_waited_for(tmp_path):
    saved(tmp_path, [1, 2])
    (tmp_path / f"ckpt-2{DATA}").unlink()
    os.mkfifo(tmp_path / f"ckpt-2{DATA}")
    assert restored(tmp_path) == 1


def test_a_run_that_was_renamed_saves_nothing(tmp_path):
    run = RunDirectory.open(tmp_path / "run", {})
    checkpoints, _ = saved(run.checkpoints, [1])
    (tmp_path / "run").rename(tmp_path / "moved")
    with pytest.raises(RunDirectoryError, match="was renamed, deleted or replaced"):
        checkpoints.save(2)
    assert os.listdir(tmp_path) == ["moved"]
    assert numbers_in(tmp_path / "moved" / "checkpoints") == [1]


def test_a_run_that_is_replaced_while_it_saves_leaves_its_successor_alone(tmp_path, monkeypatch):
    run = RunDirectory.open(tmp_path / "run", {})
    checkpoints, _ = saved(run.checkpoints, [1])
    write = Checkpoints._write

    def replacing(self, prefix):
        (tmp_path / "run").rename(tmp_path / "moved")
        unfinished = tmp_path / "run" / "checkpoints" / ".unfinished-2"
        unfinished.mkdir(parents=True)
        (unfinished / "file").touch()
        (tmp_path / "run" / "checkpoints" / "ckpt-1.index").touch()
        return write(self, prefix)

    monkeypatch.setattr(Checkpoints, "_write", replacing)
    checkpoints.save(2)
    assert sorted(os.listdir(tmp_path / "run" / "checkpoints")) == [".unfinished-2", "ckpt-1.index"]
    assert os.listdir(tmp_path / "run" / "checkpoints" / ".unfinished-2") == ["file"]
    assert numbers_in(tmp_path / "moved" / "checkpoints") == [1, 2]
