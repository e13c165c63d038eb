"""Searching on several devices, and going on on other numbers of them."""

import itertools
import shutil

import pytest

from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.api import search
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.training.devices import mirrored_cpus
from tests.searching.interruptions import interrupting
from tests.searching.made_up_data import CONFIG, EVERY_PLACE, SPACE, lines_of, places_of

CONFIG = CONFIG.replace(strategy="random")
pytestmark = pytest.mark.usefixtures("without_training", "without_batches")


@pytest.fixture
def without_batches(monkeypatch):
    """Replaces the input pipelines, since nothing is trained."""
    for name in ("batches", "training_batches"):
        monkeypatch.setattr(SharedWeights, name, lambda self, stream: itertools.repeat(None))


@pytest.fixture(scope="module")
def two(two_devices):
    return mirrored_cpus(two_devices)


def samples_of(run):
    """Returns the number of architectures a step that a run was made with."""
    return run.configuration["search"]["samples_per_step"]


def places_without_ranks(run):
    return places_of([line for line in lines_of(run) if "rank" not in line])


def interrupt(monkeypatch, data, config, folder, distribution=None):
    """Lets a search be interrupted in its second epoch; returns its run."""
    with monkeypatch.context() as patch:
        patch.setattr(SharedWeights, "train", interrupting(SharedWeights.train, 7))
        with pytest.raises(KeyboardInterrupt):
            search(SPACE, data, config, folder, distribution=distribution)
    return RunDirectory(folder)


def test_one_device_trains_one_architecture_a_step(data, tmp_path):
    assert samples_of(search(SPACE, data, CONFIG, tmp_path).run) == 1


@pytest.mark.parametrize(("asked", "number"), [(None, 2), (1, 1), (2, 2)])
def test_devices_train_an_architecture_each_or_share_one(data, tmp_path, two, asked, number):
    config = CONFIG.replace(samples_per_step=asked)
    result = search(SPACE, data, config, tmp_path, distribution=two)
    assert samples_of(result.run) == number
    assert places_without_ranks(result.run) == EVERY_PLACE


@pytest.mark.parametrize("samples", [3, 4])
def test_other_numbers_are_refused_before_anything_is_made(data, tmp_path, two, samples):
    config = CONFIG.replace(samples_per_step=samples)
    with pytest.raises(ConfigurationError) as error:
        search(SPACE, data, config, tmp_path / "run", distribution=two)
    message = str(error.value)
    assert message.startswith("`samples_per_step` must divide the number of devices, 2, ")
    assert message.endswith(f"Received: samples_per_step={samples}.")
    assert not (tmp_path / "run").exists()


def test_more_architectures_than_devices_are_refused(data, tmp_path):
    with pytest.raises(ConfigurationError, match=r"devices, 1, .*Received: samples_per_step=2\."):
        search(SPACE, data, CONFIG.replace(samples_per_step=2), tmp_path)


def test_a_search_on_two_devices_goes_on_on_one(data, tmp_path, two, monkeypatch):
    config = CONFIG.replace(samples_per_step=1)
    interrupt(monkeypatch, data, config, tmp_path, two)
    result = search(SPACE, data, CONFIG, tmp_path)
    assert samples_of(result.run) == 1
    assert places_without_ranks(result.run) == EVERY_PLACE


def test_a_search_on_one_device_goes_on_on_two(data, tmp_path, two, monkeypatch):
    interrupt(monkeypatch, data, CONFIG, tmp_path)
    result = search(SPACE, data, CONFIG, tmp_path, distribution=two)
    assert samples_of(result.run) == 1
    assert places_without_ranks(result.run) == EVERY_PLACE


@pytest.fixture
def of_two(data, tmp_path, two, monkeypatch):
    """A search that was interrupted on two devices, with an architecture for each of them."""
    return interrupt(monkeypatch, data, CONFIG, tmp_path / "run", two)


def test_too_few_devices_to_go_on_are_told(data, of_two):
    before = {path.name: path.read_bytes() for path in of_two.path.iterdir() if path.is_file()}
    with pytest.raises(ConfigurationError) as error:
        search(SPACE, data, CONFIG, of_two.path)
    assert "devices, 1, " in str(error.value)
    assert "Received: the search in output_dir began with samples_per_step=2." in str(error.value)
    after = {path.name: path.read_bytes() for path in of_two.path.iterdir() if path.is_file()}
    assert after == before


def test_another_number_for_a_search_that_goes_on_is_refused(data, of_two, two):
    config = CONFIG.replace(samples_per_step=1)
    with pytest.raises(RunDirectoryError, match="samples_per_step: 2 there, 1 now"):
        search(SPACE, data, config, of_two.path, distribution=two)


def test_a_search_that_starts_anew_has_its_own_number(data, of_two):
    result = search(SPACE, data, CONFIG, of_two.path, overwrite=True)
    assert samples_of(result.run) == 1


def files_of(folder):
    """Returns what a run holds, but for events, which TensorFlow writes late."""
    paths = (
        path for path in folder.rglob("*") if path.is_file() and "tensorboard" not in str(path)
    )
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def event_files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*tfevents*"))


@pytest.mark.parametrize("successor", [True, False])
def test_a_search_whose_folder_was_renamed_writes_into_no_other(data, tmp_path, successor):
    run, moved, other = (tmp_path / name for name in ("run", "moved", "other"))
    search(SPACE, data, CONFIG, other)
    states = []

    def rename(metrics):
        run.rename(moved)
        if successor:
            shutil.copytree(other, run)
        states.append((files_of(moved), event_files(tmp_path)))

    with pytest.raises(RunDirectoryError, match="run is not the folder any more"):
        search(SPACE, data, CONFIG, run, on_epoch_end=rename)
    assert states == [(files_of(moved), event_files(tmp_path))]
    assert run.exists() == successor
    if successor:
        assert {path: path.read_bytes() for path in map(run.joinpath, event_files(run))} == {
            run / path: (other / path).read_bytes() for path in event_files(other)
        }
        assert files_of(run) == files_of(other)


def test_a_renamed_search_goes_on_under_its_new_name(data, tmp_path):
    def rename(metrics):
        if not (tmp_path / "lr=[0.05]*?").exists():
            (tmp_path / "run").rename(tmp_path / "lr=[0.05]*?")

    with pytest.raises(RunDirectoryError):
        search(SPACE, data, CONFIG, tmp_path / "run", on_epoch_end=rename)
    result = search(SPACE, data, CONFIG, tmp_path / "lr=[0.05]*?")
    assert places_without_ranks(result.run) == EVERY_PLACE


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"configuration": 3}', '{"configuration": {}}'])
def test_a_damaged_configuration_is_an_error_of_the_folder(data, tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    with pytest.raises(RunDirectoryError):
        search(SPACE, data, CONFIG, tmp_path)
