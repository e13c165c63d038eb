"""What a search space must be able to do when it runs: steps, and the whole way to an export."""

import json
import pathlib

import numpy as np
import pytest

import enas_tf
from enas_tf.data.sharing import SpreadBatch
from enas_tf.drawing.picture import to_png, to_svg
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.spaces.architectures import load_architecture
from enas_tf.training.devices import mirrored_cpus
from tests import host_reads
from tests.conformance.spaces import CASES, CHOSEN_CASES, SEARCH


def _of(case):
    """The case, in the long form only if another form of its space runs by default."""
    is_other = case.form in ("ranges of channels", "chosen operations")
    marks = pytest.mark.long if is_other else ()
    return pytest.param(case, id=str(case), marks=marks)


pytestmark = pytest.mark.parametrize(
    "case", list(map(_of, [*CASES, *CHOSEN_CASES])), scope="module"
)


def architectures(space, count):
    return [space.random_architecture(seed) for seed in range(count)]


def streams_of(case):
    training = SEARCH.shared_weights
    return case.data().search_streams(
        batch_size=training.batch_size, reward_batch_size=training.batch_size, seed=SEARCH.seed
    )


def test_scores_on_two_devices_equal_those_on_one(case, two_devices):
    streams, space = streams_of(case), case.space()
    given = architectures(space, 3)

    def rewards(distribution):
        weights = SharedWeights(space, SEARCH, 4, distribution)
        return weights.rewards(
            iter(weights.batches(lambda share: streams.rewards(0, len(given), share))), given
        )

    assert rewards(mirrored_cpus(two_devices)) == rewards(mirrored_cpus(two_devices[:1]))


@pytest.fixture(scope="module")
def weights(case):
    """Shared weights that all tests of the case train on, since tracing takes its time."""
    return SharedWeights(case.space(), SEARCH, steps_per_epoch=4)


def test_one_trace_serves_all_architectures(case, weights):
    streams, space = streams_of(case), case.space()
    batches = weights.training_batches(lambda share: streams.training(0, share))
    for step in range(3):
        decisions = space.encode([space.random_architecture(step)])
        metrics = weights.train(next(batches), decisions, step)
        assert np.isfinite(float(metrics.loss))
    assert weights._training_step.experimental_get_tracing_count() == 1
    spread = weights.batches(streams.validation)
    assert isinstance(next(iter(spread)), SpreadBatch)


def state_after(weights, streams, space, counts, most):
    """Takes calls of so many steps; returns all metrics and all variables."""
    batches = weights.training_batches(lambda share: streams.training(0, share))
    proposed, done, metrics = architectures(space, sum(counts)), 0, []
    for count in counts:
        decisions = space.encode(proposed[done : done + count])
        metrics.append(weights.train_several(batches, decisions, done, most))
        done += count
    return (
        np.concatenate([np.reshape(one, [len(one), -1]) for one in metrics], axis=1),
        [variable.numpy() for variable in variables_of(weights)],
    )


def variables_of(weights):
    """Returns all that a step changes."""
    return [
        *weights.supernet.variables,
        *weights.optimizer.variables,
        *weights.carried.tensors,
        weights.gradient_norm,
    ]


def test_steps_in_one_call_are_those_of_single_calls(case, weights):
    streams, space = streams_of(case), case.space()
    variables = variables_of(weights)
    start = [variable.numpy() for variable in variables]
    metrics, values = state_after(weights, streams, space, [1, 1, 1], most=1)
    for variable, value in zip(variables, start, strict=True):
        variable.assign(value)
    together, after = state_after(weights, streams, space, [1, 2], most=2)
    np.testing.assert_array_equal(together, metrics)
    for value, expected in zip(after, values, strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.fixture(scope="module")
def reads(case):
    """What the host read of devices in each training step, of searches and of final trainings."""
    return {}


@pytest.fixture(scope="module")
def searched(case, reads, tmp_path_factory):
    """What a search in the case returned."""
    folder = tmp_path_factory.mktemp("search") / "run"
    with (
        pytest.MonkeyPatch.context() as patch,
        host_reads.of_search(patch) as reads["search"],
    ):
        return enas_tf.search(case.space(), case.data(), SEARCH, folder)


@pytest.fixture(scope="module")
def trained(case, reads, searched, tmp_path_factory):
    """The network that was found after its final training, and the folder of this training."""
    folder = tmp_path_factory.mktemp("final") / "out"
    found = searched.architecture
    with (
        pytest.MonkeyPatch.context() as patch,
        host_reads.of_training(patch) as reads["final training"],
    ):
        return enas_tf.retrain(found, case.data(), case.retrain, case.network(), folder), folder


@pytest.mark.usefixtures("searched", "trained")
def test_no_training_step_waits_for_a_device(reads):
    assert all(reads.values())
    assert {name: [one for one in steps if one] for name, steps in reads.items()} == {
        "search": [],
        "final training": [],
    }


def test_a_search_finds_an_architecture_of_the_space(case, searched):
    case.space().check(searched.architecture)
    assert len(searched.candidates) == 3
    scores = [candidate.score for candidate in searched.candidates]
    assert scores == sorted(scores, reverse=True)


def test_what_was_found_is_read_back_from_the_run(case, searched):
    assert load_architecture(searched.run.path, case.entry.name) == searched.architecture


def test_a_finished_search_returns_its_result_once_more(case, searched):
    again = enas_tf.search(case.space(), case.data(), SEARCH, searched.run.path)
    assert again.architecture == searched.architecture
    assert again.score == searched.score


def test_the_drawing_names_every_operation(case, searched):
    architecture = searched.architecture
    picture = case.entry.draw(architecture, **case.space().drawing_options())
    svg = to_svg(picture)
    counts = case.space().operation_counts([architecture])
    for name, values in counts.items():
        if any(values) and "identity" not in name:
            assert name.rpartition("_")[0].split("_")[0] in svg or name.split("_")[0] in svg
    assert to_png(picture)[:4] == b"\x89PNG"


def test_the_final_training_tests_its_network(case, trained):
    _, folder = trained
    results = json.loads((pathlib.Path(folder) / "results.json").read_text())
    kind = "test_accuracy" if case.entry.data.name == "images" else "test_perplexity"
    assert np.isfinite(results[kind])
    assert results["parameters"] > 0


def test_a_saved_model_answers_as_the_trained_one(case, trained, tmp_path):
    model, folder = trained
    evaluation = enas_tf.evaluate(model, case.data())
    exported = enas_tf.export(model, tmp_path / "export")
    for path in (exported, pathlib.Path(folder) / "model.keras"):
        loaded = enas_tf.evaluate(enas_tf.load_model(path), case.data())
        for number in ("accuracy", "loss", "perplexity"):
            if hasattr(evaluation, number):
                assert getattr(loaded, number) == pytest.approx(getattr(evaluation, number), 1e-5)


def test_the_report_shows_search_and_final_training(case, searched, trained, tmp_path):
    from enas_tf.cli import report

    for run in (searched.run.path, trained[1]):
        page = tmp_path / "report.html"
        assert report.main([f"--run={run}", f"--output={page}"]) == 0
        text = page.read_text()
        assert case.entry.name in text
        page.unlink()
