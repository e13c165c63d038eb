import json
import os
import signal

import numpy as np
import pytest

from enas_tf.data.texts.dataset import TextData
from enas_tf.errors import ArchitectureError, ConfigurationError, DataError, NumericalError
from enas_tf.final_training import task, texts
from enas_tf.final_training.api import retrain
from enas_tf.final_training.averaging import WeightAverage
from enas_tf.models.export import load_model
from enas_tf.models.language_model import evaluate_perplexity
from enas_tf.settings.data import TextDataConfig
from enas_tf.settings.training import TextRetrainConfig, TrainingConfig
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.training.devices import mirrored_cpus

ARCHITECTURE = RnnArchitecture.from_release_string("0 2 1 0")
NETWORK = RnnNetworkConfig(hidden_size=8)
# So large a rate that the perplexity goes up and down: averaging starts early.
CONFIG = TextRetrainConfig(
    seed=3,
    averaging_patience=0,
    training=TrainingConfig(
        epochs=5,
        batch_size=4,
        learning_rate=50.0,
        final_learning_rate=50.0,
        restart_epochs=0,
        momentum=0.0,
        weight_decay=1e-6,
        clip_norm=0.25,
    ),
)


def with_training(**changes):
    return CONFIG.replace(training=CONFIG.training.replace(**changes))


@pytest.fixture(scope="module")
def data():
    """Words that mostly follow one another in the order of the alphabet."""
    generator = np.random.default_rng(0)
    numbers = np.cumsum(generator.integers(1, 3, 300)) % 19
    words = [chr(ord("a") + number) for number in numbers]
    config = TextDataConfig(dataset="alphabet", sequence_length=6)
    return TextData.from_tokens(
        words[:200], words[200:250], words[250:], name="alphabet", config=config
    )


@pytest.fixture(scope="module")
def whole_run(data, tmp_path_factory):
    """A run without interruption: its folder and its model."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, retrain(ARCHITECTURE, data, CONFIG, NETWORK, folder)


def metrics_of(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def results_of(folder):
    return json.loads((folder / "results.json").read_text())


def assert_same_weights(left, right):
    for expected, actual in zip(left.get_weights(), right.get_weights(), strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_run_writes_what_was_measured(whole_run, data):
    folder, model = whole_run
    results = results_of(folder)
    test = evaluate_perplexity(model, data.test)
    assert (results["test_perplexity"], results["test_loss"]) == (test.perplexity, test.loss)
    assert results["test_tokens"] == len(data.test) - 1
    assert results["vocabulary_size"] == data.vocabulary_size
    # Embedding, node 0, two nodes.
    assert results["parameters"] == 8 * data.vocabulary_size + 16 * 16 + 2 * 8 * 16
    assert results["architecture"]["release_string"] == "0 2 1 0"
    assert results["network"] == NETWORK.to_json()
    assert results["epochs"] == 5
    assert (folder / "vocabulary.txt").read_text() == data.vocabulary.to_text()


def test_every_epoch_is_an_event(whole_run):
    folder, _ = whole_run
    events = metrics_of(folder)
    assert [event["epoch"] for event in events] == [1, 2, 3, 4, 5]
    for event in events:
        assert event["perplexity"] == pytest.approx(np.exp(event["loss"]))
    assert events[-1]["validation_perplexity"] == results_of(folder)["validation_perplexity"]


def test_averaging_starts_after_the_first_epoch_that_is_worse(whole_run):
    folder, _ = whole_run
    events = metrics_of(folder)
    perplexities = [event["validation_perplexity"] for event in events]
    worse = [e for e in range(1, 5) if perplexities[e] > min(perplexities[:e])]
    started = results_of(folder)["averaging_started_epoch"]
    assert started == worse[0] + 1
    assert [event["averaging"] for event in events] == [epoch > started for epoch in range(1, 6)]


def test_result_is_the_mean_of_the_weights_after_each_step(data, monkeypatch):
    states = []

    class Recording(WeightAverage):
        def update(self):
            states.append([variable.numpy() for variable in self._variables])
            super().update()

    monkeypatch.setattr(texts, "WeightAverage", Recording)
    events = []
    model = retrain(ARCHITECTURE, data, CONFIG, NETWORK, on_event=events.append)
    assert len(states) == sum(event["averaging"] for event in events) * events[0]["step"] > 0
    for number, weight in enumerate(model.get_weights()):
        mean = np.mean([state[number] for state in states], axis=0, dtype=np.float64)
        np.testing.assert_allclose(weight, mean, rtol=1e-4, atol=1e-6)


def test_the_file_holds_the_model_that_is_returned(whole_run, data):
    folder, model = whole_run
    loaded = load_model(folder)
    assert_same_weights(model, loaded)
    assert loaded.vocabulary == model.vocabulary == data.vocabulary


def test_calling_again_changes_nothing(whole_run, data):
    folder, model = whole_run
    before = results_of(folder)
    assert_same_weights(model, retrain(ARCHITECTURE, data, CONFIG, NETWORK, folder))
    assert results_of(folder) == before
    assert len(metrics_of(folder)) == 5


def test_interrupted_run_goes_on_to_the_same_bits(whole_run, data, tmp_path, monkeypatch):
    monkeypatch.setattr(task, "_PROGRESS_STEPS", 1)
    folder, expected = whole_run
    events = metrics_of(folder)
    epoch_steps = events[0]["step"]
    # Inside of the first epoch, and of the last one, where the average has begun.
    stops = [2, 4 * epoch_steps + 3]
    assert events[-1]["averaging"]

    def interrupt(progress):
        if progress.step in stops:
            stops.remove(progress.step)
            os.kill(os.getpid(), signal.SIGINT)

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            retrain(ARCHITECTURE, data, CONFIG, NETWORK, tmp_path, on_progress=interrupt)
    model = retrain(ARCHITECTURE, data, CONFIG, NETWORK, tmp_path)
    assert_same_weights(expected, model)
    assert metrics_of(tmp_path) == metrics_of(folder)


def test_lstm_trains_without_averaging(data, tmp_path):
    config = with_training(epochs=8, learning_rate=5.0, final_learning_rate=5.0)
    config = config.replace(averaging_patience=None)
    network = RnnNetworkConfig(hidden_size=12)
    progress = []
    retrain(LstmBaseline(), data, config, network, tmp_path, on_progress=progress.append)
    assert (progress[-1].epoch, set(progress[-1].metrics)) == (8, {"loss", "perplexity"})
    results = results_of(tmp_path)
    assert results["averaging_started_epoch"] is None
    assert results["test_perplexity"] < data.vocabulary_size
    assert json.loads((tmp_path / "architecture.json").read_text())["architecture"] == {
        "baseline": "lstm"
    }


def test_two_devices_share_the_rows(data, two_devices):
    # Without dropout, whose masks differ: the same training but for rounding.
    nothing = dict.fromkeys(NETWORK.regularization.to_json(), 0.0)
    network = NETWORK.replace(regularization=NETWORK.regularization.replace(**nothing))
    config = with_training(epochs=2, learning_rate=5.0, final_learning_rate=5.0)
    one = retrain(ARCHITECTURE, data, config, network)
    two = retrain(ARCHITECTURE, data, config, network, distribution=mirrored_cpus(two_devices))
    for left, right in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(right, left, rtol=1e-3, atol=1e-5)


def test_rows_that_devices_cannot_share_are_refused(data, two_devices):
    strategy = mirrored_cpus(two_devices)
    with pytest.raises(ConfigurationError, match="`batch_size`"):
        retrain(ARCHITECTURE, data, with_training(batch_size=3), NETWORK, distribution=strategy)


def test_a_loss_that_is_not_finite_is_an_error(data):
    config = with_training(epochs=1, learning_rate=1e30, final_learning_rate=1e30)
    with pytest.raises(NumericalError, match="lower `learning_rate`"):
        retrain(ARCHITECTURE, data, config, NETWORK)


def test_a_training_goes_back_to_its_last_checkpoint(
    data, whole_run, tmp_path, monkeypatch, caplog
):
    validate = texts.TextTraining.validate
    failures = iter([False, True])

    def failing_once(training, epoch):
        if next(failures, False):
            raise NumericalError("The loss is nan.")
        return validate(training, epoch)

    monkeypatch.setattr(texts.TextTraining, "validate", failing_once)
    model = retrain(ARCHITECTURE, data, CONFIG, NETWORK, tmp_path / "run")
    assert "Going back to the last checkpoint, step" in caplog.text
    events = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").open()]
    assert [event["epoch"] for event in events] == [1, 2, 3, 4, 5]
    # With other random numbers than if nothing had happened.
    assert np.any(model.get_weights()[0] != whole_run[1].get_weights()[0])


def test_a_training_goes_back_only_so_often(data, tmp_path, monkeypatch):
    def failing(training, epoch):
        raise NumericalError("The loss is nan.")

    monkeypatch.setattr(texts.TextTraining, "validate", failing)
    with pytest.raises(NumericalError, match="as often as max_rollbacks=2 allows"):
        retrain(ARCHITECTURE, data, CONFIG.replace(max_rollbacks=2), NETWORK, tmp_path / "run")


def test_a_batch_larger_than_the_text_is_refused(data):
    with pytest.raises(DataError, match="batch_size"):
        retrain(ARCHITECTURE, data, with_training(batch_size=1000), NETWORK)


def test_what_is_no_architecture_is_refused(data):
    with pytest.raises(ArchitectureError, match="Received: str"):
        retrain("0 2", data, CONFIG)


def test_the_result_may_have_the_weights_of_the_best_epoch(data, tmp_path):
    config = CONFIG.replace(best_weights=True)
    retrain(ARCHITECTURE, data, config, NETWORK, tmp_path)
    perplexities = [event["validation_perplexity"] for event in metrics_of(tmp_path)]
    results = results_of(tmp_path)
    assert results["best_epoch"] == 1 + int(np.argmin(perplexities))
    assert results["validation_perplexity"] == min(perplexities)
