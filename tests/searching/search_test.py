import dataclasses
import json
import math
import shutil

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import RunDirectoryError
from enas_tf.reporting.search_report import SearchReport
from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.api import search
from enas_tf.searching.comparison import NUM_RANDOM, Comparison, MeanScore
from enas_tf.searching.fair_sampling import fair_sample
from enas_tf.searching.ranking_again import derive_run
from enas_tf.searching.search import Search
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.training.image_metrics import ImageMetrics
from enas_tf.training.several_steps import steps_per_call
from tests.searching.interruptions import interrupting
from tests.searching.made_up_data import (
    CONFIG,
    EVERY_PLACE,
    FILES,
    SPACE,
    STEPS_PER_EPOCH,
    lines_of,
    places_of,
)


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A search without interruption: its result and the metrics of each epoch."""
    epochs = []
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return search(SPACE, data, CONFIG, folder, on_epoch_end=epochs.append), epochs


def without_seconds(values):
    return [{name: value for name, value in line.items() if name != "seconds"} for line in values]


def test_the_run_directory_has_the_files_of_the_contract(whole):
    names = {path.name for path in whole[0].run.path.iterdir()}
    assert names == FILES


def epoch_ends(run):
    return [line for line in lines_of(run) if line["phase"] == "derive" and "rank" not in line]


def test_every_phase_is_logged(whole):
    lines = [line for line in lines_of(whole[0].run) if "rank" not in line]
    assert places_of(lines) == EVERY_PLACE
    seconds = [line["seconds"] for line in lines]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0


@pytest.mark.parametrize(
    ("phase", "names"),
    [
        ("shared_weights", {"loss", "accuracy", "learning_rate", "gradient_norm"}),
        ("controller", {"reward", "baseline", "entropy", "loss"}),
        ("derive", {"shared_weights_validation_accuracy"}),
    ],
)
def test_what_is_logged_is_finite(whole, phase, names):
    for line in lines_of(whole[0].run):
        if line["phase"] == phase:
            assert names <= set(line)
            assert all(math.isfinite(line[name]) for name in names)


def test_rewarded_architectures_are_logged(whole):
    lines = lines_of(whole[0].run, "architectures.jsonl")
    assert [line["update"] for line in lines] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    for line in lines:
        SPACE.check(MacroArchitecture.from_release_string(line["release_string"]))
        assert 0.0 <= line["reward"] <= 1.0


def test_every_candidate_is_logged_with_its_rank(whole):
    result, _ = whole
    ranks = [line["rank"] for line in lines_of(result.run) if "rank" in line]
    assert ranks == list(range(1, len(result.candidates) + 1))


def test_the_best_architecture_is_written(whole):
    result, _ = whole
    document = result.run.read_json("best_architecture.json")
    assert MacroArchitecture.from_json(document["architecture"]) == result.architecture
    assert document["release_string"] == result.architecture.to_release_string()
    assert document["score"] == result.score
    assert document["score_kind"] == "shared_weights_validation_accuracy"
    scores = [entry["score"] for entry in document["ranking"]]
    assert scores == [candidate.score for candidate in result.candidates]
    assert scores[0] == max(scores) == result.score


def test_the_candidates_are_compared_with_random_architectures(whole):
    result, _ = whole
    scores = [candidate.shared_weights_score for candidate in result.candidates]
    assert result.comparison.proposed == MeanScore.of(scores)
    assert result.comparison.random.count == NUM_RANDOM
    written = result.run.read_json("best_architecture.json")["comparison"]
    assert Comparison.of_document(written) == result.comparison


def test_a_strategy_that_learns_nothing_is_not_compared(data, tmp_path, without_training):
    result = search(SPACE, data, CONFIG.replace(strategy="random"), tmp_path / "run")
    assert result.comparison is None


def test_the_warm_up_trains_fair_architectures_and_updates_nothing(data, tmp_path, monkeypatch):
    trained = []

    def noting(self, batch, decisions, *args):
        trained.append([np.asarray(field) for field in decisions])
        return ImageMetrics(loss=1.0, correct=1.0, examples=1.0)

    monkeypatch.setattr(SharedWeights, "train", noting)
    result = search(SPACE, data, CONFIG.replace(warm_up=0.5), tmp_path / "run")
    updates = [line for line in lines_of(result.run) if line["phase"] == "controller"]
    assert {line["epoch"] for line in updates} == {2}
    fair = fair_sample(SPACE, STEPS_PER_EPOCH, [CONFIG.seed, 0, 0]).decisions
    for place, field in enumerate(fair):
        first = np.concatenate([step[place] for step in trained[:STEPS_PER_EPOCH]])
        second = np.concatenate([step[place] for step in trained[STEPS_PER_EPOCH:]])
        np.testing.assert_array_equal(first, field)
        assert first.tolist() != second.tolist()


@pytest.mark.long
def test_fair_architectures_may_train_the_weights_in_all_epochs(data, tmp_path, monkeypatch):
    proposed = []
    monkeypatch.setattr(SearchReport, "sampled", lambda self, *given: proposed.append(given[0]))
    monkeypatch.setattr(SharedWeights, "train", lambda *given: ImageMetrics(1.0, 1.0, 1.0))
    config = CONFIG.replace(training_architectures="fair")
    search(SPACE, data, config, tmp_path / "run")
    epochs = range(config.shared_weights.epochs)
    fair = [fair_sample(SPACE, STEPS_PER_EPOCH, [config.seed, epoch, 0]) for epoch in epochs]
    assert list(map(list, proposed)) == list(map(list, fair))


@pytest.mark.parametrize("minibatches", ["own", "one"])
def test_all_of_an_update_may_be_rewarded_on_one_minibatch(data, tmp_path, minibatches):
    config = CONFIG.replace(reward_minibatches=minibatches, reward_metric="loss")
    with RunDirectory.open(tmp_path / "run", {}) as run, Search(SPACE, data, config, run) as made:
        rewards = made.evaluator.rewards([SPACE.random_architecture(0)] * 3, 1)
    assert len(set(rewards)) == (1 if minibatches == "one" else 3)


def test_a_ranking_of_an_earlier_version_is_not_made_again(whole, data, tmp_path, monkeypatch):
    path = copy_of(whole[0].run, tmp_path / "run")
    document = json.loads((path / "best_architecture.json").read_text())
    # A setting that came later.
    del document["ranked_by"]["derive"]["metric"]
    (path / "best_architecture.json").write_text(json.dumps(document))
    monkeypatch.setattr(Search, "derive", lambda self: pytest.fail("ranked again"))
    assert search(SPACE, data, CONFIG, path).architecture == whole[0].architecture


def test_the_drawing_is_written(whole):
    assert (whole[0].run.path / "best_architecture.svg").read_text().startswith("<svg")


def test_the_callback_hears_of_every_epoch(whole):
    result, epochs = whole
    assert [metrics["epoch"] for metrics in epochs] == [1, 2]
    logged = [
        line for line in lines_of(result.run) if line["phase"] == "derive" and "rank" not in line
    ]
    for metrics, line in zip(epochs, logged):
        SPACE.check(metrics["architecture"])
        name = "shared_weights_validation_accuracy"
        assert metrics[name] == line[name]


def test_a_finished_search_returns_its_result_again(whole, data, monkeypatch):
    result, _ = whole
    logs = [
        (result.run.path / name).read_text() for name in ("metrics.jsonl", "architectures.jsonl")
    ]
    monkeypatch.setattr(SharedWeights, "train", None)
    again = search(SPACE, data, CONFIG, result.run.path)
    assert (again.architecture, again.score) == (result.architecture, result.score)
    assert again.candidates == result.candidates
    assert again.comparison == result.comparison
    for name, text in zip(("metrics.jsonl", "architectures.jsonl"), logs):
        assert (result.run.path / name).read_text() == text


def test_another_configuration_is_refused(whole, data):
    result, _ = whole
    before = (result.run.path / "metrics.jsonl").read_text()
    with pytest.raises(RunDirectoryError, match=r"search\.seed: 3 there, 4 now"):
        search(SPACE, data, CONFIG.replace(seed=4), result.run.path)
    assert (result.run.path / "metrics.jsonl").read_text() == before


def tensors_of(run):
    """Returns all tensors in the newest checkpoint but the plain Python values."""
    reader = tf.train.load_checkpoint(str(run.path / "checkpoints"))
    names = reader.get_variable_to_shape_map()
    # The counter of saved checkpoints is no state of the search.
    return {
        name: reader.get_tensor(name)
        for name in names
        if "plain_state" not in name and name.endswith("VARIABLE_VALUE")
    }


def test_an_interrupted_search_ends_like_one_that_was_not(whole, data, tmp_path, monkeypatch):
    interruptions = [("train", STEPS_PER_EPOCH + 2), ("rewards", 1)]
    for name, after in interruptions:
        with monkeypatch.context() as patch:
            method = interrupting(getattr(SharedWeights, name), after)
            patch.setattr(SharedWeights, name, method)
            with pytest.raises(KeyboardInterrupt):
                search(SPACE, data, CONFIG, tmp_path / "run")
        assert not (tmp_path / "run" / "best_architecture.json").exists()
    assert_same_end(search(SPACE, data, CONFIG, tmp_path / "run"), whole[0])


def test_several_steps_a_call_end_like_single_ones(whole, data, tmp_path, monkeypatch):
    monkeypatch.setattr(SharedWeights, "train", None)
    with steps_per_call(3):
        assert_same_end(search(SPACE, data, CONFIG, tmp_path / "run"), whole[0])


@pytest.mark.long
def test_an_interrupted_search_goes_on_with_other_steps_a_call(whole, data, tmp_path, monkeypatch):
    # Five steps an epoch: 1, 3 and 1, and then 2 a call.
    with monkeypatch.context() as patch, steps_per_call(3):
        method = interrupting(SharedWeights.train_several, 5)
        patch.setattr(SharedWeights, "train_several", method)
        with pytest.raises(KeyboardInterrupt):
            search(SPACE, data, CONFIG, tmp_path / "run")
    with steps_per_call(2):
        assert_same_end(search(SPACE, data, CONFIG, tmp_path / "run"), whole[0])


def assert_same_end(result, expected):
    """Compares all that two searches found, logged and saved, bit for bit."""
    assert result.candidates == expected.candidates
    assert result.comparison == expected.comparison
    for name in ("metrics.jsonl", "architectures.jsonl"):
        logged = without_seconds(lines_of(result.run, name))
        assert logged == without_seconds(lines_of(expected.run, name))
    tensors, wanted = tensors_of(result.run), tensors_of(expected.run)
    assert len(tensors) > 50
    assert tensors.keys() == wanted.keys()
    for name, value in tensors.items():
        np.testing.assert_array_equal(value, wanted[name], err_msg=name)


@pytest.mark.long
def test_an_interrupted_search_on_mixed_pictures_ends_like_one_that_was_not(
    data, tmp_path, monkeypatch
):
    mixed = dataclasses.replace(
        data, config=data.config.replace(mixup=0.4, cutmix=1.0, color_jitter=0.2)
    )
    expected = search(SPACE, mixed, CONFIG, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(SharedWeights, "train", interrupting(SharedWeights.train, 7))
        with pytest.raises(KeyboardInterrupt):
            search(SPACE, mixed, CONFIG, tmp_path / "run")
    result = search(SPACE, mixed, CONFIG, tmp_path / "run")
    assert result.candidates == expected.candidates
    logged, wanted = (without_seconds(lines_of(one.run)) for one in (result, expected))
    assert logged == wanted


def copy_of(run, path):
    shutil.copytree(run.path, path)
    return path


def test_a_run_can_be_derived_again_in_another_way(whole, tmp_path):
    path = copy_of(whole[0].run, tmp_path / "run")
    log = (path / "metrics.jsonl").read_text()
    result = derive_run(path, DeriveConfig(num_candidates=2, scoring="minibatch"))
    assert len(result.candidates) == 2
    document = json.loads((path / "best_architecture.json").read_text())
    assert len(document["ranking"]) == 2
    assert (path / "metrics.jsonl").read_text() == log


def test_deriving_again_in_the_same_way_gives_the_same(whole, tmp_path):
    result = derive_run(copy_of(whole[0].run, tmp_path / "run"))
    assert result.candidates == whole[0].candidates


def test_deriving_without_a_checkpoint_says_so_and_keeps_the_logs(whole, tmp_path):
    path = copy_of(whole[0].run, tmp_path / "run")
    shutil.rmtree(path / "checkpoints")
    log = (path / "metrics.jsonl").read_text()
    with pytest.raises(RunDirectoryError, match="checkpoint"):
        derive_run(path)
    assert (path / "metrics.jsonl").read_text() == log


@pytest.mark.parametrize("strategy", ["random", "evolution", "reinforce"])
@pytest.mark.usefixtures("without_training")
def test_every_strategy_runs(data, tmp_path, strategy):
    config = CONFIG.replace(strategy=strategy)
    result = search(SPACE, data, config, tmp_path / "run")
    assert result.score == max(candidate.score for candidate in result.candidates)
    assert len(lines_of(result.run, "architectures.jsonl")) == 2 * 2 * 3


@pytest.mark.usefixtures("without_training")
def test_the_controller_waits_for_its_first_epoch(data, tmp_path):
    config = CONFIG.replace(strategy="random", policy_start_epoch=1)
    result = search(SPACE, data, config, tmp_path / "run")
    epochs = [line["epoch"] for line in lines_of(result.run) if line["phase"] == "controller"]
    assert epochs == [2, 2]


@pytest.mark.usefixtures("without_training")
def test_training_events_are_means_of_at_most_twenty_steps(data, tmp_path):
    training = CONFIG.shared_weights.replace(batch_size=1, epochs=1)
    config = CONFIG.replace(strategy="random", shared_weights=training)
    result = search(SPACE, data, config, tmp_path / "run")
    events = [line for line in lines_of(result.run) if line["phase"] == "shared_weights"]
    assert [event["step"] for event in events] == [20, 40]
    assert {(event["loss"], event["accuracy"]) for event in events} == {(1.0, 0.5)}


@pytest.mark.usefixtures("without_training")
def test_overwrite_starts_anew(data, tmp_path):
    config = CONFIG.replace(strategy="random")
    search(SPACE, data, config, tmp_path / "run")
    other = config.replace(seed=9, samples_per_step=1)
    result = search(SPACE, data, other, tmp_path / "run", overwrite=True)
    assert SearchConfig.from_json(result.run.configuration["search"]) == other.resolved()
    assert (
        len(
            [
                line
                for line in lines_of(result.run)
                if line["phase"] == "derive" and "rank" not in line
            ]
        )
        == 2
    )


@pytest.mark.usefixtures("without_training")
def test_a_search_without_a_folder_makes_one(data):
    result = search(SPACE, data, CONFIG.replace(strategy="random"))
    assert (result.run.path / "best_architecture.json").is_file()
    shutil.rmtree(result.run.path)


def test_a_restored_search_knows_how_far_it_is(whole, data, tmp_path):
    run = type(whole[0].run).existing(copy_of(whole[0].run, tmp_path / "run"))
    with run, Search(SPACE, data, CONFIG, run) as restored:
        assert restored.resumed
        assert restored.state.epoch == 2
        assert restored.state.updates == 4
