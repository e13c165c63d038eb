"""What a search does when a loss, a reward or a weight is not finite."""

import signal

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.compat.proto.event_pb2 import Event

from enas_tf.data.images.streams import ImageSearchStreams
from enas_tf.errors import NumericalError
from enas_tf.searching.api import search
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.training.image_metrics import ImageMetrics
from tests.searching.made_up_data import (
    CONFIG,
    EVERY_PLACE,
    SPACE,
    STEPS_PER_EPOCH,
    lines_of,
    places_of,
)
from tests.warned import warned

RANDOM = CONFIG.replace(strategy="random")

pytestmark = pytest.mark.usefixtures("without_training")


@pytest.fixture(autouse=True)
def without_reading(monkeypatch):
    """Nobody looks at the batches."""
    empty = tf.data.Dataset.from_tensors(0).repeat()
    for stream in ("training", "rewards", "validation"):
        monkeypatch.setattr(ImageSearchStreams, stream, lambda *args, **kwargs: empty)
    monkeypatch.setattr(ImageSearchStreams, "preview", lambda self: "nothing")


@pytest.fixture
def steps(monkeypatch):
    """Records the training steps; those whose number in order is in `steps.bad` give NaN."""

    class Steps(list):
        bad = frozenset()
        interrupted = None

    recorded = Steps()

    def train(self, batch, decisions, step, rollbacks):
        recorded.append((step, np.asarray(decisions.operations).tolist(), rollbacks))
        if len(recorded) == recorded.interrupted:
            signal.raise_signal(signal.SIGINT)
        loss = np.nan if len(recorded) in recorded.bad else 8.0
        return ImageMetrics(tf.constant(loss), tf.constant(4.0), tf.constant(8.0))

    monkeypatch.setattr(SharedWeights, "train", train)
    return recorded


def places(run):
    """Returns phase, epoch and step of every event of the epochs."""
    return places_of([line for line in lines_of(run) if "rank" not in line])


def test_a_search_goes_back_and_logs_everything_once(data, tmp_path, steps, caplog):
    steps.bad = {STEPS_PER_EPOCH + 2}
    result = search(SPACE, data, RANDOM, tmp_path / "run")
    assert places(result.run) == EVERY_PLACE
    assert [step for step, _, _ in steps] == [0, 1, 2, 3, 4, *[5, 6, 7, 8, 9] * 2]
    (warning,) = warned(caplog)
    assert "not finite at step 10: nan" in warning
    assert "epoch 2 of 2, phase shared_weights, step 0" in warning
    assert "1 of at most 5 times" in warning


def test_the_first_epoch_starts_from_a_checkpoint(data, tmp_path, steps):
    steps.bad = {1}
    result = search(SPACE, data, RANDOM, tmp_path / "run")
    assert places(result.run) == EVERY_PLACE


def test_it_goes_on_with_other_architectures_and_seeds(data, tmp_path, steps):
    steps.bad = {1}
    search(SPACE, data, RANDOM, tmp_path / "run")
    first, second = steps[:STEPS_PER_EPOCH], steps[STEPS_PER_EPOCH : 2 * STEPS_PER_EPOCH]
    assert [decisions for _, decisions, _ in first] != [decisions for _, decisions, _ in second]
    assert {rollbacks for _, _, rollbacks in first} == {0}
    assert {rollbacks for _, _, rollbacks in second} == {1}


def test_in_the_middle_of_an_epoch_the_rest_gets_other_architectures(data, tmp_path, steps):
    steps.interrupted = 2
    with pytest.raises(KeyboardInterrupt):
        search(SPACE, data, RANDOM, tmp_path / "run")
    steps.bad = {3}
    result = search(SPACE, data, RANDOM, tmp_path / "run")
    assert [step for step, _, _ in steps[:8]] == [0, 1, 2, 3, 4, 2, 3, 4]
    assert [one for _, one, _ in steps[2:5]] != [one for _, one, _ in steps[5:8]]
    assert places(result.run) == EVERY_PLACE


def spoiled_rewards(monkeypatch, call):
    rewards, calls = SharedWeights.rewards, []

    def spoiled(self, batches, proposed):
        calls.append(proposed)
        values = rewards(self, batches, proposed)
        return [np.nan, *values[1:]] if len(calls) == call else values

    monkeypatch.setattr(SharedWeights, "rewards", spoiled)
    return calls


def test_a_reward_that_is_not_finite_repeats_the_phase(data, tmp_path, monkeypatch):
    calls = spoiled_rewards(monkeypatch, call=4)
    result = search(SPACE, data, RANDOM, tmp_path / "run")
    assert places(result.run) == EVERY_PLACE
    updates = [line["update"] for line in lines_of(result.run, "architectures.jsonl")]
    assert updates == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    # The third update was good, and is made again with others.
    assert calls[2] != calls[4]


def test_later_events_of_tensorboard_are_removed(data, tmp_path, monkeypatch):
    spoiled_rewards(monkeypatch, call=4)
    result = search(SPACE, data, RANDOM, tmp_path / "run")
    logged = []
    for path in (result.run.tensorboard / "controller").iterdir():
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = Event.FromString(record)
            logged += [
                event.step for value in event.summary.value if value.tag == "controller/reward"
            ]
    assert sorted(logged) == [1, 2, 3, 4]


def test_weights_that_are_not_finite_are_never_saved(data, tmp_path, monkeypatch):
    train, calls = SharedWeights.train, []

    def spoiling(self, *args):
        calls.append(None)
        # The loss is that of before the step, and still finite.
        if len(calls) == STEPS_PER_EPOCH:
            kernel = self.supernet.trainable_variables[0]
            kernel.assign(np.nan * kernel)
        return train(self, *args)

    monkeypatch.setattr(SharedWeights, "train", spoiling)
    result = search(SPACE, data, RANDOM, tmp_path / "run")
    assert len(calls) == 3 * STEPS_PER_EPOCH
    assert places(result.run) == EVERY_PLACE


@pytest.mark.parametrize("limit", [0, 2])
def test_there_is_a_limit(data, tmp_path, steps, limit):
    steps.bad = range(1000)
    with pytest.raises(
        NumericalError, match=rf"loss .* not finite .* max_rollbacks={limit} allows"
    ):
        search(SPACE, data, RANDOM.replace(max_rollbacks=limit), tmp_path / "run")
    assert len(steps) == (limit + 1) * STEPS_PER_EPOCH


def test_an_interruption_does_not_forget_how_often_it_went_back(data, tmp_path, steps):
    config = RANDOM.replace(max_rollbacks=1)
    steps.bad, steps.interrupted = {1, STEPS_PER_EPOCH + 4}, STEPS_PER_EPOCH + 2
    with pytest.raises(KeyboardInterrupt):
        search(SPACE, data, config, tmp_path / "run")
    with pytest.raises(NumericalError, match="as often as max_rollbacks=1 allows"):
        search(SPACE, data, config, tmp_path / "run")


def test_without_such_numbers_nothing_is_said(data, tmp_path, steps, caplog):
    search(SPACE, data, RANDOM, tmp_path / "run")
    assert not warned(caplog)
    assert len(steps) == 2 * STEPS_PER_EPOCH
