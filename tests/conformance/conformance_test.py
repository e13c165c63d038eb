"""What every search space must be able to do, whichever it is."""

import json
import subprocess
import sys

import numpy as np
import pytest

from enas_tf.final_training.averaging import WeightAverage
from enas_tf.searching.strategies import STRATEGIES, build_strategy
from enas_tf.spaces.architectures import (
    architecture_document,
    architecture_from_document,
    load_architecture,
)
from enas_tf.spaces.registry import get_space
from enas_tf.training.checkpoints import Checkpoints
from enas_tf.training.optimizers import build_optimizer
from tests.conformance.spaces import CASES, CHOSEN_CASES, SEARCH
from tests.spaces.built_costs import built_costs

LONG = [pytest.param(case, marks=pytest.mark.long) for case in CHOSEN_CASES]

pytestmark = pytest.mark.parametrize("case", [*CASES, *LONG], ids=str, scope="module")


def architectures(space, count=20):
    return [space.random_architecture(seed) for seed in range(count)]


# Architectures as values.


def test_random_architectures_belong_to_the_space_and_repeat_with_the_seed(case):
    space = case.space()
    for seed in range(20):
        architecture = space.random_architecture(seed)
        space.check(architecture)
        assert architecture == space.random_architecture(seed)
        assert hash(architecture) == hash(space.random_architecture(seed))
    assert len(set(architectures(space))) > 1


def test_costs_are_those_of_the_built_network(case):
    space = case.space()
    for architecture in architectures(space, 3):
        network = space.build_network(architecture, case.network())
        assert space.costs(architecture, case.network()) == built_costs(network)


def test_decisions_are_int32_and_tell_everything(case):
    space = case.space()
    given = architectures(space)
    decisions = space.encode(given)
    assert {(array.dtype, len(array)) for array in decisions} == {(np.dtype("int32"), len(given))}
    assert space.decode(decisions) == given
    shapes = [(0, *array.shape[1:]) for array in decisions]
    assert [(array.shape, array.dtype) for array in space.encode([])] == [
        (shape, np.dtype("int32")) for shape in shapes
    ]


def test_within_a_space_the_release_string_tells_everything(case):
    space = case.space()
    for architecture in architectures(space):
        assert (
            space.architecture_from_release_string(architecture.to_release_string()) == architecture
        )


def test_json_tells_everything(case):
    for architecture in architectures(case.space()):
        text = json.dumps(architecture.to_json())
        for read in (case.entry.from_json, type(architecture).from_json):
            assert {read(text), read(json.loads(text))} == {architecture}


def test_json_tells_everything_of_a_space(case):
    space = case.space()
    assert type(space).from_json(json.loads(json.dumps(space.to_json()))) == space


def test_a_document_tells_everything(case):
    for architecture in architectures(case.space()):
        document = json.loads(json.dumps(architecture_document(architecture)))
        assert architecture_from_document(document, case.entry.name) == architecture


def test_a_mutation_changes_one_decision_and_not_the_parent(case):
    space = case.space()
    generator = np.random.default_rng(0)
    for parent in architectures(space):
        before = parent.to_json()
        child = space.mutate(parent, generator)
        space.check(child)
        assert parent.to_json() == before
        # Where the ranges of channels are searched, a start and a count are one decision.
        pairs = zip(space.encode([parent]), space.encode([child]))
        assert 1 <= sum(int(np.sum(old != new)) for old, new in pairs) <= 2


def test_operations_are_counted_at_every_place(case):
    space = case.space()
    counts = space.operation_counts(architectures(space))
    kind = case.entry.operations
    names = {operation.label for operation in (*kind, *kind.own().values())}
    (number,) = {len(values) for values in counts.values()}
    assert set(counts) <= names
    assert len(set(case.entry.place_names(number))) == number


def test_the_benchmark_has_architectures_of_the_space(case):
    space = case.space()
    for architecture in space.benchmark_architectures():
        space.check(architecture)


def test_what_makes_networks_larger_can_grow(case):
    space = case.space()
    for name in space.sizes:
        assert getattr(space.replace(**{name: 2 * getattr(space, name)}), name) > 1


@pytest.mark.parametrize("steps", [1, 20])
def test_random_data_have_so_many_training_batches(case, steps):
    space = case.space()
    data = space.random_data(SEARCH, steps)
    data.check_search(SEARCH)
    assert space.for_data(data) == space
    batch_size = SEARCH.shared_weights.batch_size
    streams = data.search_streams(batch_size=batch_size, reward_batch_size=batch_size, seed=0)
    assert streams.steps_per_epoch == steps


def test_published_architectures_load_by_name(case):
    for name, architecture in case.entry.published.items():
        assert load_architecture(name, case.entry.name) == architecture


# Controller and supernet.


@pytest.fixture(scope="module")
def controller(case):
    return case.space().build_controller(seed=1)


@pytest.fixture(scope="module")
def sample(controller):
    return controller.sample(500, seed=2)


def test_a_score_is_that_of_the_sample_to_the_last_bit(controller):
    sample = controller.sample(20, seed=4)
    for given in (sample.decisions, sample.architectures):
        score = controller.score(given)
        for name in ("log_probability", "entropy", "reward_entropy", "penalty"):
            expected = getattr(sample, name)
            np.testing.assert_array_equal(getattr(score, name), expected, err_msg=name)
        assert score.architectures == sample.architectures
    np.testing.assert_array_equal(controller(sample.decisions), sample.log_probability)


def test_sampled_architectures_belong_to_the_space(case, sample):
    for architecture in sample.architectures:
        case.space().check(architecture)


def test_the_mean_entropy_of_a_controller_is_at_most_the_largest(case, sample):
    # Of a single sample it may be more, where some choices leave more to the later ones.
    assert np.all(sample.entropy >= 0)
    assert np.mean(sample.entropy) <= case.space().largest_entropy * 1.01


def test_the_most_likely_architecture_is_more_likely_than_samples(controller, sample):
    (best,) = controller.score([controller.most_likely()]).log_probability
    assert best > np.mean(sample.log_probability)


def test_a_seed_names_one_sample_and_none_another(controller):
    first, again = (controller.sample(30, seed=5).architectures for _ in range(2))
    assert first == again
    assert controller.sample(30).architectures != controller.sample(30).architectures


def test_one_trace_of_a_controller_serves_every_number_of_architectures(controller):
    for batch_size in (1, 3, 7):
        controller.score(controller.sample(batch_size).architectures)
    controller.most_likely()
    assert controller._traced.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("part", ["controller", "supernet", "network"])
def test_the_seed_decides_the_weights(case, part):
    space = case.space()
    architecture = {"architecture": space.random_architecture(0)} if part == "network" else {}
    first, again, other = (
        getattr(space, f"build_{part}")(**architecture, seed=seed).get_weights()
        for seed in (3, 3, 4)
    )
    for weight, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(weight, same)
    # Vectors are biases, moments and scales, which begin with constants.
    drawn = [pair for pair in zip(first, other) if pair[0].ndim > 1 and np.ptp(pair[0]) > 0]
    assert drawn
    for weight, different in drawn:
        assert np.mean(weight == different) < 0.5


def assert_restored(folder, objects, variables):
    """Saves, changes all variables, restores, and compares."""
    Checkpoints(folder, **objects).save(1)
    expected = [variable.numpy() for variable in variables]
    for variable in variables:
        variable.assign(np.full(variable.shape, 7))
    assert Checkpoints(folder, **objects).restore()
    for variable, value in zip(variables, expected, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value, err_msg=variable.name)


def test_a_checkpoint_holds_every_shared_weight(case, weights, tmp_path):
    variables = [
        *weights.supernet.weights,
        *weights.optimizer.variables,
        *weights.carried.tensors,
    ]
    assert_restored(tmp_path, weights.saved_objects(), variables)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_checkpoint_holds_every_variable_of_a_strategy(case, name, tmp_path):
    strategy = build_strategy(name, case.space(), SEARCH)
    assert_restored(tmp_path, {"strategy": strategy}, strategy.variables)


def test_a_checkpoint_holds_a_network_its_optimizer_and_the_average_of_its_weights(case, tmp_path):
    space = case.space()
    network = space.build_network(space.random_architecture(0), case.network(), portable=False)
    optimizer = build_optimizer(case.retrain.training, 10)
    optimizer.build(network.trainable_variables)
    average = WeightAverage(network.trainable_variables)
    objects = {"network": network, "optimizer": optimizer, "average": average}
    variables = [*network.weights, *optimizer.variables, *average.averages, average.count]
    assert_restored(tmp_path, objects, variables)


def test_the_registered_entry_is_the_one_that_is_tested(case):
    assert get_space(case.entry.name) is case.entry


def test_settings_architectures_and_drawings_need_no_tensorflow(case):
    if case.form not in ("default", "cell", "cells", "whole channels"):
        return
    script = (
        "import sys; import tests.conformance.chain.entry; "
        "from enas_tf.spaces.registry import get_space, register; "
        "register(tests.conformance.chain.entry.ENTRY); "
        f"entry = get_space({case.entry.name!r}); space = entry.space(); "
        "entry.draw(space.random_architecture(0)); "
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "set()"
