import json

import pytest

from enas_tf.benchmark.whole import PARTS, PASSES, REST, measure_search
from enas_tf.errors import ConfigurationError
from enas_tf.settings.benchmark import WholeConfig
from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.settings.strategies import DartsConfig, PolicyConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.rnn.space import RnnSpace
from enas_tf.training.pace import measured as measured_work
from tests.clocks import goes
from tests.smallest_search import SPACE

# In which the first two epochs would have no updates.
CONFIG = SearchConfig(
    warm_up=0.5,
    policy_start_epoch=5,
    shared_weights=TrainingConfig(epochs=10, batch_size=6, restart_epochs=0),
    policy=PolicyConfig(samples_per_update=2, updates_per_epoch=3),
    derive=DeriveConfig(num_candidates=1),
)


@pytest.fixture(scope="module")
def measured():
    return measure_search(SPACE, CONFIG, WholeConfig(steps=4))


def test_the_parts_add_up_to_the_epoch(measured):
    parts = measured["parts"]
    assert set(parts) == {*PARTS, REST}
    assert sum(part["share"] for part in parts.values()) == pytest.approx(1.0)
    seconds = sum(part["seconds"] for part in parts.values())
    assert seconds == pytest.approx(measured["epoch_seconds"])


def test_every_part_takes_some_time(measured):
    assert all(part["seconds"] > 0.0 for part in measured["parts"].values())
    assert all(measured["parts"][part]["first_piece_seconds"] > 0.0 for part in PARTS)


def test_the_pieces_of_an_epoch_are_counted(measured):
    pieces = {part: measured["parts"][part]["pieces"] for part in PASSES}
    # The validation part is at least a batch.
    assert pieces == {"training_steps": 4, "rewards": 3, "validation": 1}
    assert (measured["updates_per_epoch"], measured["samples_per_update"]) == (3, 2)
    # A checkpoint at the end of each phase; a batch for each step, each reward and the validation.
    assert measured["parts"]["checkpoints"]["pieces"] == 2
    assert measured["parts"]["data"]["pieces"] == 4 + 3 * 2 + 2


def test_what_is_neither_a_training_nor_a_scoring_pass(measured):
    others = {*measured["parts"]} - {*PASSES}
    expected = sum(measured["parts"][part]["share"] for part in others)
    assert measured["neither_training_nor_scoring"] == pytest.approx(expected)


def test_results_are_json(measured):
    assert json.loads(json.dumps(measured)) == measured


def test_times_are_divided_exactly(monkeypatch):
    """Of a made-up search on a clock that only its work moves."""

    def search(space, data, config, folder, *, on_epoch_end, **others):
        del space, data, folder, others
        clock.seconds += 50.0
        for epoch in range(config.shared_weights.epochs):
            for _ in range(2):
                with measured_work("step"):
                    with measured_work("data"):
                        clock.seconds += 1.0
                    with measured_work("train"):
                        clock.seconds += 100.0 if epoch == 0 else 10.0
                    clock.seconds += 3.0
            with measured_work("save"):
                clock.seconds += 12.0
            on_epoch_end({"epoch": epoch + 1})

    monkeypatch.setattr("enas_tf.benchmark.whole.search", search)
    with goes(monkeypatch) as clock:
        results = measure_search(SPACE, CONFIG, WholeConfig(epochs=3, steps=2))
    assert (results["first_epoch_seconds"], results["epoch_seconds"]) == (270.0, 40.0)
    parts = {name: part for name, part in results["parts"].items() if part["seconds"]}
    assert parts == {
        "training_steps": {
            "seconds": 20.0,
            "share": 0.5,
            "pieces": 2.0,
            "first_piece_seconds": 100.0,
        },
        "checkpoints": {"seconds": 12.0, "share": 0.3, "pieces": 1.0, "first_piece_seconds": 12.0},
        "data": {"seconds": 2.0, "share": 0.05, "pieces": 2.0, "first_piece_seconds": 1.0},
        "rest": {"seconds": 6.0, "share": pytest.approx(0.15)},
    }
    assert results["neither_training_nor_scoring"] == pytest.approx(0.5)
    assert results["epochs"] == 2


def test_every_epoch_is_one_after_the_warm_up():
    darts = DartsConfig(warm_up_epochs=7, stop="stable:1")
    config = WholeConfig(epochs=3).of_search(CONFIG.replace(darts=darts))
    assert config.shared_weights.epochs == 3
    assert (config.first_updating_epoch, config.darts.warm_up_epochs) == (0, 0)
    # Nor does it end before.
    assert config.darts.stop is None


def test_a_time_budget_is_refused():
    with pytest.raises(ConfigurationError, match=r"`time_budget` decides .*time_budget=10m"):
        WholeConfig().of_search(CONFIG.replace(time_budget="10m"))


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "passes"),
    [
        # The streams are divided into two parts of the steps each.
        ({"strategy": "darts"}, {"training_steps": 4, "rewards": 0}),
        # Of the proposals of 3 updates, those that were trained before cost nothing.
        ({"evaluation": "trained"}, {"rewards": 0}),
    ],
)
def test_other_searches_are_measured_too(settings, passes):
    space = RnnSpace(num_nodes=2, hidden_size=4, vocabulary_size=9)
    trained = CONFIG.trained.replace(epochs=1, best_of_epochs=1)
    config = CONFIG.replace(**settings, trained=trained)
    results = measure_search(space, config, WholeConfig(steps=8))
    for part, pieces in passes.items():
        assert results["parts"][part]["pieces"] == pieces
    assert results["parts"]["training_steps"]["seconds"] > 0.0
