"""The function that a search calls after every epoch."""

import itertools

import pytest

from enas_tf.errors import ConfigurationError, DataError
from enas_tf.searching.api import search
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.settings.training import RetrainConfig
from tests.searching.made_up_data import CONFIG, EVERY_PLACE, SPACE, lines_of, places_of

CONFIG = CONFIG.replace(strategy="random")
SCORE = "shared_weights_validation_accuracy"
pytestmark = pytest.mark.usefixtures("without_training")


@pytest.fixture(autouse=True)
def without_batches(monkeypatch):
    """Replaces the input pipelines, since nothing is trained."""
    for name in ("batches", "training_batches"):
        monkeypatch.setattr(SharedWeights, name, lambda self, stream: itertools.repeat(None))


def places_without_ranks(run):
    return places_of([line for line in lines_of(run) if "rank" not in line])


def test_it_gets_epoch_architecture_and_score(data, tmp_path):
    epochs = []
    search(SPACE, data, CONFIG, tmp_path, on_epoch_end=epochs.append)
    assert [metrics["epoch"] for metrics in epochs] == [1, 2]
    for metrics in epochs:
        SPACE.check(metrics["architecture"])
        assert set(metrics) == {"epoch", "architecture", SCORE}


def test_true_ends_the_search_for_good(data, tmp_path):
    result = search(SPACE, data, CONFIG, tmp_path, on_epoch_end=lambda metrics: True)
    again = search(SPACE, data, CONFIG, tmp_path)
    for ended in (result, again):
        assert places_without_ranks(ended.run) == EVERY_PLACE[:4]
    assert result.candidates == again.candidates
    assert (tmp_path / "best_architecture.json").is_file()


def test_an_error_of_the_caller_loses_nothing(data, tmp_path):
    def fail(metrics):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        search(SPACE, data, CONFIG, tmp_path, on_epoch_end=fail)
    epochs = []
    result = search(SPACE, data, CONFIG, tmp_path, on_epoch_end=epochs.append)
    assert [metrics["epoch"] for metrics in epochs] == [2]
    assert places_without_ranks(result.run) == EVERY_PLACE


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"space": "macro"}, ConfigurationError, "`space` must be a SearchSpace. Received: str"),
        ({"config": RetrainConfig()}, ConfigurationError, "be a SearchConfig. Received: RetrainC"),
        ({"data": ([0], [0])}, DataError, r"ImageData\.from_arrays. Received: tuple"),
        (
            {"space": SPACE.replace(num_classes=3)},
            ConfigurationError,
            r"num_classes: 3 in the space, 2 in the data\); use space\.for_data\(data\)",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(data, tmp_path, arguments, error, message):
    arguments = {"space": SPACE, "data": data, "config": CONFIG, **arguments}
    with pytest.raises(error, match=message) as caught:
        search(**arguments, output_dir=tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("verbose", "shown"), [(True, True), (False, False)])
def test_progress_is_shown_if_wanted(data, tmp_path, capsys, verbose, shown):
    search(SPACE, data, CONFIG, tmp_path, verbose=verbose)
    assert ("shared weights  epoch" in capsys.readouterr().err) == shown
