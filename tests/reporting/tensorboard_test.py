import os

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from enas_tf.errors import RunDirectoryError
from enas_tf.reporting.drawing import draw_png
from enas_tf.reporting.tensorboard import TensorBoardWriter
from enas_tf.runs.directory import RunDirectory
from enas_tf.spaces.macro.architecture import MacroArchitecture


def read(folder):
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return events


def steps_of(folder, tag):
    return [event.step for event in read(folder).Tensors(tag)]


def test_scalars_have_the_name_of_their_group(tmp_path):
    with TensorBoardWriter(tmp_path) as board:
        board.scalars("controller", {"reward": 0.5, "entropy": 3.0}, step=7)
    assert set(read(tmp_path).Tags()["tensors"]) == {"controller/reward", "controller/entropy"}
    assert steps_of(tmp_path, "controller/reward") == [7]


def test_a_resumed_run_leaves_no_gap_and_no_duplicate(tmp_path):
    with TensorBoardWriter(tmp_path) as board:
        for step in range(5):
            board.scalars("shared_weights", {"loss": float(step)}, step)
    with TensorBoardWriter(tmp_path, first_step=3) as board:
        for step in range(3, 7):
            board.scalars("shared_weights", {"loss": float(step)}, step)
    assert steps_of(tmp_path, "shared_weights/loss") == list(range(7))


def test_a_record_that_was_cut_off_is_dropped(tmp_path):
    with TensorBoardWriter(tmp_path) as board:
        board.scalars("controller", {"reward": 0.5}, step=1)
        board.scalars("controller", {"reward": 0.5}, step=2)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    with TensorBoardWriter(tmp_path, first_step=9) as board:
        board.scalars("controller", {"reward": 0.5}, step=9)
    assert steps_of(tmp_path, "controller/reward") == [1, 9]


def test_pictures_are_written(tmp_path):
    with TensorBoardWriter(tmp_path) as board:
        board.pictures("inputs", np.zeros([2, 4, 5, 1], np.uint8), step=1)
        board.png("drawing", draw_png(MacroArchitecture.from_release_string("0 1 0")), step=1)
    assert set(read(tmp_path).Tags()["tensors"]) == {"inputs", "drawing"}


def test_a_picture_is_written_as_it_is_with_its_size(tmp_path):
    png = draw_png(MacroArchitecture.from_release_string("0 1 0"))
    with TensorBoardWriter(tmp_path) as board:
        board.png("drawing", png, step=1)
    width, height, written = read(tmp_path).Tensors("drawing")[0].tensor_proto.string_val
    assert written == png
    pixels = tf.io.decode_png(png)
    assert (int(height), int(width)) == tuple(pixels.shape[:2])


def test_settings_are_there_for_the_hparams_dashboard(tmp_path):
    with TensorBoardWriter(tmp_path) as board:
        board.hyperparameters({"seed": 3, "space": "macro", "shape": [8, 8]}, {"loss": "retrain"})
    content = read(tmp_path).PluginTagToContent("hparams")
    start = plugin_data_pb2.HParamsPluginData.FromString(
        content["_hparams_/session_start_info"]
    ).session_start_info
    assert set(start.hparams) == {"seed", "space"}
    assert start.hparams["seed"].number_value == 3


def test_histograms_and_texts_are_written(tmp_path):
    with TensorBoardWriter(tmp_path) as board:
        board.histogram("rewards", [0.1, 0.2], step=1)
        board.text("note", "hello", step=1)
    assert set(read(tmp_path).Tags()["tensors"]) == {"rewards", "note"}


def fail(*args, **kwargs):
    raise tf.errors.ResourceExhaustedError(None, None, "events; No space left on device")


def test_a_full_disk_is_one_clear_line(tmp_path, monkeypatch):
    with TensorBoardWriter(tmp_path) as board:
        monkeypatch.setattr(tf.summary.experimental, "write_raw_pb", fail)
        with pytest.raises(RunDirectoryError, match=r"Cannot write .*: no space left on device"):
            board.scalars("controller", {"reward": 0.5}, step=1)


@pytest.mark.parametrize("method", ["flush", "close"])
def test_a_full_disk_that_shows_late_is_one_clear_line(tmp_path, monkeypatch, method):
    board = TensorBoardWriter(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(board._writer, method, fail)
        with pytest.raises(RunDirectoryError, match=r"Cannot write .*: no space left on device"):
            getattr(board, method)()
    board.close()


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError, match=r"Cannot write .*: not a directory"):
        TensorBoardWriter(tmp_path / "file" / "folder")


def test_a_run_that_was_renamed_gets_no_events_and_makes_no_files(tmp_path):
    run = RunDirectory.open(tmp_path / "run", {})
    board = TensorBoardWriter(run.tensorboard)
    board.scalars("controller", {"reward": 0.5}, step=1)
    (tmp_path / "run").rename(tmp_path / "moved")
    (tmp_path / "run" / "tensorboard").mkdir(parents=True)
    for write in (lambda: board.scalars("controller", {"reward": 0.5}, step=2), board.close):
        with pytest.raises(RunDirectoryError, match="was renamed, deleted or replaced"):
            write()
    assert os.listdir(tmp_path / "run" / "tensorboard") == []
    assert steps_of(tmp_path / "moved" / "tensorboard", "controller/reward") in ([], [1])


def test_a_pipe_among_event_files_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "events.out.tfevents.1")
    with pytest.raises(RunDirectoryError, match="it is a pipe, not a regular file"):
        TensorBoardWriter(tmp_path)
