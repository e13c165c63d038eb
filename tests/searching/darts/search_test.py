"""Whole searches by gradient, tiny."""

import dataclasses
import datetime
import json

import numpy as np
import pytest

import enas_tf
from enas_tf.data.images.dataset import ImageData
from enas_tf.data.texts.dataset import TextData
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.reporting.page.mixtures import read_mixtures
from enas_tf.reporting.page.page import report_page
from enas_tf.reporting.page.records import read_run
from enas_tf.searching.darts.relaxed_weights import RelaxedWeights
from enas_tf.settings.data import DataConfig, TextDataConfig
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.strategies import DartsConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.config import RnnRegularization
from enas_tf.spaces.rnn.space import RnnSpace
from enas_tf.training.several_steps import steps_per_call
from tests.reporting.page.pages import Page
from tests.run_contents import first_difference, run_contents
from tests.searching.interruptions import interrupting

# Of the data below.
STEPS_PER_EPOCH = 19
CONFIG = SearchConfig(
    strategy="darts",
    shared_weights=TrainingConfig(
        epochs=3, batch_size=4, learning_rate=1.0, momentum=0.0, restart_epochs=0, clip_norm=0.5
    ),
    darts=DartsConfig(learning_rate=0.1, warm_up_epochs=1),
)


@pytest.fixture(scope="module")
def data():
    words = " ".join(np.random.default_rng(0).choice(list("abcdef"), 900))
    config = TextDataConfig(dataset="letters", sequence_length=6)
    return TextData.from_text(words, config=config)


@pytest.fixture(scope="module")
def space(data):
    small = RnnSpace(num_nodes=2, hidden_size=4, regularization=RnnRegularization())
    return small.for_data(data)


def events(path):
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(space, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    return enas_tf.search(space, data, CONFIG, folder), folder


def test_a_search_finds_the_cell_that_is_read_off(whole, space):
    result, folder = whole
    space.check(result.architecture)
    assert (folder / "best_architecture.json").is_file()
    assert [one["rank"] for one in events(folder) if "rank" in one] == [1]


@pytest.mark.long
def test_several_steps_a_call_change_nothing(whole, space, data, tmp_path):
    with steps_per_call(7):
        enas_tf.search(space, data, CONFIG, tmp_path / "run")
    assert first_difference(*map(run_contents, (whole[1], tmp_path / "run"))) is None


def test_every_epoch_has_so_many_steps(whole):
    steps = [one["step"] for one in events(whole[1]) if one["phase"] == "shared_weights"]
    assert max(steps) == CONFIG.shared_weights.epochs * STEPS_PER_EPOCH


def test_the_architecture_is_frozen_in_the_first_epochs(whole):
    epochs = [one["epoch"] for one in events(whole[1]) if one["phase"] == "architecture"]
    assert epochs
    assert min(epochs) == 2


def test_entropy_falls(whole):
    entropies = [one["entropy"] for one in events(whole[1]) if one["phase"] == "architecture"]
    assert entropies[-1] < entropies[0]


def test_the_mixture_is_kept_after_every_epoch(whole, space):
    mixtures, complaints = read_mixtures(whole[1] / "mixtures.jsonl", space)
    assert [one.epoch for one in mixtures] == [1, 2, 3]
    assert complaints == []
    (found,) = space.discretise(space.mixture_type(mixtures[-1].mixture.weights[None]), "edges")
    assert found == whole[0].architecture


def test_the_report_shows_the_mixture_in_the_place_of_samples(whole):
    html = report_page(read_run(whole[1]), [], (), datetime.datetime.now(datetime.timezone.utc))
    page = Page(html)
    assert "The mixture" in page.headings
    assert "Sampled architectures" not in page.headings
    assert "Entropy of the mixture" in page.figures
    assert page.names("Validation perplexity with shared weights") == [
        "shared weights validation perplexity",
        "mixture validation perplexity",
    ]


def test_a_search_that_is_interrupted_within_epochs_ends_like_one_that_is_not(
    whole, space, data, tmp_path, monkeypatch
):
    # In the epoch in which the architecture is frozen, and in one in which it learns.
    for after in (2, STEPS_PER_EPOCH + 2):
        with monkeypatch.context() as patch:
            patch.setattr(RelaxedWeights, "step", interrupting(RelaxedWeights.step, after))
            with pytest.raises(KeyboardInterrupt):
                enas_tf.search(space, data, CONFIG, tmp_path / "run")
    enas_tf.search(space, data, CONFIG, tmp_path / "run")
    assert first_difference(run_contents(whole[1]), run_contents(tmp_path / "run")) is None


@pytest.mark.long
@pytest.mark.parametrize("changes", [{"order": 2}, {"sampling": "gumbel"}, {"stop": "stable:1"}])
def test_other_forms_of_the_step_search_too(space, data, tmp_path, changes):
    config = CONFIG.replace(darts=CONFIG.darts.replace(warm_up_epochs=0, **changes))
    space.check(enas_tf.search(space, data, config, tmp_path / "run").architecture)


@pytest.mark.long
@pytest.mark.parametrize("changes", [{}, {"order": 2}, {"sampling": "partial"}], ids=str)
def test_cells_for_pictures_are_searched_in_every_form(tmp_path, changes):
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), np.uint8)
    labels = np.arange(40) % 2
    data = ImageData.from_arrays(
        images, labels, images, labels, config=DataConfig(validation_size=8)
    )
    space = MicroSpace(num_layers=1, filters=4, num_nodes=1).for_data(data)
    config = CONFIG.replace(darts=CONFIG.darts.replace(**changes))
    result = enas_tf.search(space, data, config, tmp_path / "run")
    space.check(result.architecture)
    last = events(tmp_path / "run")[-2]
    assert 0.0 <= last["mixture_validation_accuracy"] <= 1.0


def test_partial_channels_are_refused_for_recurrent_cells(space, data, tmp_path):
    config = CONFIG.replace(darts=DartsConfig(sampling="partial"))
    with pytest.raises(ConfigurationError, match="`darts_sampling` must be one of full, gumbel"):
        enas_tf.search(space, data, config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_space_that_cannot_be_relaxed_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="micro or rnn"):
        enas_tf.search(MacroSpace(), None, CONFIG, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_training_of_each_alone_does_not_fit(space, data, tmp_path):
    config = dataclasses.replace(CONFIG, evaluation="trained")
    with pytest.raises(ConfigurationError, match="evaluation"):
        enas_tf.search(space, data, config, tmp_path / "run")


def test_an_architecture_that_would_never_learn_is_refused(space, data, tmp_path):
    config = CONFIG.replace(darts=DartsConfig(warm_up_epochs=3))
    with pytest.raises(ConfigurationError, match="`darts_warm_up_epochs` must be less than `epo"):
        enas_tf.search(space, data, config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("stop", ["skips", "skips:0", "loud:3", "stable:x"])
def test_a_stop_rule_must_have_a_name_and_a_number(stop):
    with pytest.raises(ConfigurationError, match="stop"):
        DartsConfig(stop=stop)


def test_a_part_that_is_too_small_for_a_batch_is_told(space, data, tmp_path):
    config = CONFIG.replace(darts=DartsConfig(validation_share=0.999))
    with pytest.raises(DataError, match=r"`darts_validation_share=0\.999` leaves too little"):
        enas_tf.search(space, data, config, tmp_path / "run")
