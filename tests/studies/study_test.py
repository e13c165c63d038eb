"""Studies whose searches and trainings are made up; one real one is at the end."""

import json

import numpy as np
import pytest

import enas_tf
from enas_tf.cli import study as command
from enas_tf.data.texts.dataset import TextData
from enas_tf.errors import RunDirectoryError, RunInUseError
from enas_tf.runs.directory import RunDirectory
from enas_tf.settings.data import DataConfig, TextDataConfig
from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.settings.training import RetrainConfig, TextRetrainConfig, TrainingConfig
from enas_tf.spaces.architectures import architecture_document
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.rnn.space import RnnSpace
from enas_tf.studies import study as module

TRAINING = TrainingConfig(epochs=1, batch_size=64, learning_rate=0.05, restart_epochs=0)
CONFIG = enas_tf.StudyConfig(methods="reinforce,random", seeds=2, num_random=3, retrain_seeds=2)
SEARCH = SearchConfig(
    shared_weights=TRAINING,
    policy=PolicyConfig(samples_per_update=2, updates_per_epoch=1),
    derive=DeriveConfig(num_candidates=2),
)


@pytest.fixture(scope="module")
def data():
    return enas_tf.load_images(DataConfig(dataset="digits", max_train_examples=256))


@pytest.fixture(scope="module")
def space(data):
    return MacroSpace(num_layers=2, filters=4, num_operations=3).for_data(data)


@pytest.fixture
def work(monkeypatch):
    """What was searched and trained, by made-up searches and trainings."""
    done = []

    def search(space, data, config, folder, **others):
        done.append((config.strategy, config.seed))
        with RunDirectory.open(folder, {"command": "search"}) as run:
            found = space.random_architecture(config.seed)
            run.metrics.append({"phase": "derive", "seconds": 3.0})
            run.write_json(
                "best_architecture.json",
                architecture_document(found, score=0.5, score_kind="score", seconds=4.0),
            )

    def retrain(architecture, data, config, network, folder, **others):
        assert config.use_validation
        done.append((architecture, config.seed))
        quality = (hash(architecture.to_release_string().count("1")) % 10 + config.seed) / 20
        with RunDirectory.open(folder, {"command": "retrain"}) as run:
            run.metrics.append({"phase": "retrain", "validation_accuracy": quality})
            run.write_json("results.json", {"test_accuracy": quality, "seconds": 1.0})

    monkeypatch.setattr(module, "search", search)
    monkeypatch.setattr(module, "retrain", retrain)
    # Nothing is left of what is made up; all else in this process would be looked through.
    monkeypatch.setattr(module.gc, "collect", lambda: 0)
    monkeypatch.setattr(
        module, "score_again", lambda run, data, architectures: list(range(len(architectures)))
    )
    return done


def run(space, data, folder, **others):
    return enas_tf.study(
        space, data, SEARCH, RetrainConfig(training=TRAINING), None, CONFIG, folder, **others
    )


def comparable(folder):
    """The result without times."""

    def timeless(value):
        if isinstance(value, dict):
            return {
                name: timeless(each)
                for name, each in value.items()
                if name != "time" and not name.endswith("seconds")
            }
        return list(map(timeless, value)) if isinstance(value, list) else value

    return timeless(json.loads((folder / "study.json").read_text()))


def test_a_study_that_did_not_know_a_setting_goes_on(space, data, work, tmp_path):
    run(space, data, tmp_path)
    config = tmp_path / "config.json"
    document = json.loads(config.read_text())
    for section in ("costs", "darts"):
        del document["configuration"]["search"][section]
    config.write_text(json.dumps(document))
    done = len(work)
    run(space, data, tmp_path)
    assert len(work) == done


def test_the_document_is_that_of_the_contract(space, data, work, tmp_path):
    document = run(space, data, tmp_path / "study")
    assert document["format_version"] == 1
    assert set(document["methods"]) == {"reinforce", "random", "random_sampling"}
    for name in ("reinforce", "random"):
        searches = document["methods"][name]["searches"]
        assert [search["seed"] for search in searches] == [0, 1]
        for search in searches:
            assert [training["seed"] for training in search["retrainings"]] == [0, 1]
            assert search["search_seconds"] == 3.0
    assert set(document["ranking"]) == {
        "shared_weights",
        "parameters",
        "multiply_adds",
        "retraining_again",
    }
    assert (tmp_path / "study" / "study.html").read_text().startswith("<!DOCTYPE html>")


def test_nothing_is_done_twice(space, data, work, tmp_path):
    run(space, data, tmp_path / "study")
    assert len(work) == len(set(work))
    del work[:]
    run(space, data, tmp_path / "study")
    assert work == []


@pytest.mark.parametrize("moment", [1, 2, 4, 7, 11])
def test_an_interrupted_study_ends_alike(space, data, work, tmp_path, monkeypatch, moment):
    run(space, data, tmp_path / "whole")
    names, real = ("search", "retrain", "score_again"), {}
    left = [moment]

    def interrupting(name):
        def function(*arguments, **keywords):
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
            return real[name](*arguments, **keywords)

        return function

    for name in names:
        real[name] = getattr(module, name)
        monkeypatch.setattr(module, name, interrupting(name))
    with pytest.raises(KeyboardInterrupt):
        run(space, data, tmp_path / "study")
    run(space, data, tmp_path / "study")
    assert comparable(tmp_path / "study") == comparable(tmp_path / "whole")


def test_parts_that_are_collected_are_the_whole(space, data, work, tmp_path):
    run(space, data, tmp_path / "whole")
    for number in (3, 1, 2):
        assert run(space, data, tmp_path / "study", part=f"{number}/3") is None
    assert not (tmp_path / "study" / "study.json").exists()
    del work[:]
    run(space, data, tmp_path / "study", collect=True)
    assert work == []
    assert comparable(tmp_path / "study") == comparable(tmp_path / "whole")


def test_what_another_part_is_training_is_waited_for(space, data, work, tmp_path, monkeypatch):
    train, waited = module.retrain, []

    def busy(*arguments, **others):
        if len(waited) < 2:
            raise RunInUseError("in use by another process")
        train(*arguments, **others)

    monkeypatch.setattr(module, "retrain", busy)
    monkeypatch.setattr(module.time, "sleep", waited.append)
    document = run(space, data, tmp_path / "study")
    assert len(waited) == 2
    assert len(document["methods"]["random_sampling"]["searches"]) == CONFIG.num_random


def test_missing_parts_are_named(space, data, work, tmp_path):
    run(space, data, tmp_path / "study", part="1/2")
    with pytest.raises(RunDirectoryError, match=r"lacks \d of 10 jobs: random-seed0"):
        run(space, data, tmp_path / "study", collect=True)


def test_another_study_in_the_folder_is_refused(space, data, work, tmp_path):
    run(space, data, tmp_path / "study")
    with pytest.raises(RunDirectoryError, match="num_random"):
        enas_tf.study(
            space,
            data,
            SEARCH,
            RetrainConfig(training=TRAINING),
            None,
            CONFIG.replace(num_random=4),
            tmp_path / "study",
        )


def test_overwriting_begins_anew(space, data, work, tmp_path):
    run(space, data, tmp_path / "study")
    count = len(work)
    run(space, data, tmp_path / "study", overwrite=True)
    assert len(work) == 2 * count


def test_a_dry_run_tells_what_would_be_done(space, data, work, tmp_path):
    told = []
    assert run(space, data, tmp_path / "study", on_dry_run=told.append) is None
    assert "4 searches: reinforce, random, with 2 seeds each" in told[0]
    assert "14 trainings from scratch" in told[0]
    assert work == []
    assert not (tmp_path / "study").exists()


@pytest.fixture(scope="module")
def found(space, data, tmp_path_factory):
    """The result of a finished search."""
    return enas_tf.search(space, data, SEARCH, tmp_path_factory.mktemp("found") / "run")


@pytest.mark.long
def test_a_finished_search_is_studied_as_it_is(space, data, found, tmp_path):
    before = sorted(path.name for path in found.run.path.iterdir())
    document = enas_tf.study(
        space,
        data,
        SEARCH,
        RetrainConfig(training=TRAINING),
        MacroNetworkConfig(filters=4),
        CONFIG.replace(num_random=2, retrain_seeds=1),
        tmp_path / "study",
        run=found.run.path,
    )
    (search,) = document["methods"]["reinforce"]["searches"]
    assert search["release_string"] == found.architecture.to_release_string()
    assert document["ranking"]["shared_weights"]["num_architectures"] == 2
    assert sorted(path.name for path in found.run.path.iterdir()) == before


def test_the_space_of_a_finished_search_counts(space, found, tmp_path, monkeypatch, capsys):
    trained = []
    monkeypatch.setattr(module.Study, "_train", lambda study, job: trained.append(job.architecture))
    monkeypatch.setattr(module.Study, "outcome", lambda study: None)
    arguments = [f"--run={found.run.path}", "--preset=smoke", f"--output_dir={tmp_path / 'out'}"]
    command.main([*arguments, "--part=1/1"])
    assert trained
    assert all(len(one.layers) == space.num_layers for one in trained)
    assert command.main([*arguments, "--num_layers=6"]) == 2
    assert "is decided by the search that --run names" in capsys.readouterr().err


@pytest.mark.long
def test_a_search_by_gradient_is_a_method_like_others(tmp_path):
    words = " ".join(np.random.default_rng(0).choice(list("abcdef"), 600))
    data = TextData.from_text(words, config=TextDataConfig(dataset="letters", sequence_length=6))
    space = RnnSpace(num_nodes=2, hidden_size=4).for_data(data)
    document = enas_tf.study(
        space,
        data,
        SEARCH.replace(shared_weights=TRAINING.replace(batch_size=4, momentum=0.0)),
        TextRetrainConfig(training=TRAINING.replace(batch_size=4, momentum=0.0)),
        None,
        CONFIG.replace(methods="darts,random", seeds=1, num_random=2, retrain_seeds=1),
        tmp_path / "study",
    )
    assert set(document["methods"]) == {"darts", "random", "random_sampling"}
    (search,) = document["methods"]["darts"]["searches"]
    assert search["retrainings"][0]["test"] > 0
    assert "darts" in (tmp_path / "study" / "study.html").read_text()
