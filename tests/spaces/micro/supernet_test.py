"""The micro supernet's own behaviour; comparisons with the release are in supernet_parity_test."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.layers.graph_options import without_graph_optimization
from enas_tf.spaces.micro.architecture import (
    MicroArchitecture,
    MicroCell,
    MicroNode,
    MicroOperand,
    MicroOperation,
)
from enas_tf.spaces.micro.space import MicroSpace

NUM_NODES = 2
SHAPE = (8, 8, 2)
PLACES = list(itertools.product(("normal", "reduction"), range(NUM_NODES), range(2)))


def build(**settings):
    sizes = {
        "num_layers": 1,
        "filters": 4,
        "num_nodes": NUM_NODES,
        "input_shape": SHAPE,
        "num_classes": 3,
    }
    return MicroSpace(**{**sizes, **settings}).build_supernet(seed=1)


def pictures(shape=SHAPE, batch=6, seed=0):
    values = np.random.default_rng(seed).normal(size=(batch, *shape))
    return tf.constant(values.astype(np.float32))


def with_operand(cell, node, place, **changes):
    """A base architecture with one operand changed."""
    cells = {
        name: [[(1, MicroOperation.IDENTITY)] * 2 for _ in range(NUM_NODES)]
        for name in ("normal", "reduction")
    }
    operand = cells[cell][node][place]
    cells[cell][node][place] = (
        changes.get("input", operand[0]),
        changes.get("operation", operand[1]),
    )
    return MicroArchitecture(
        **{
            name: MicroCell(tuple(MicroNode(tuple(MicroOperand(*o) for o in n)) for n in nodes))
            for name, nodes in cells.items()
        }
    )


@pytest.fixture(scope="module")
def supernet():
    """One supernet for all tests that leave its trained weights as they are."""
    supernet = build()
    generator = np.random.default_rng(0)
    for bank in supernet.normalization_banks().values():
        # Without this, gradients of scales before a normalisation would vanish.
        bank.scale.assign(generator.uniform(0.5, 1.5, bank.scale.shape))
        bank.offset.assign(generator.normal(size=bank.offset.shape))
    return supernet


@pytest.fixture(scope="module")
def images():
    return pictures()


@pytest.fixture(scope="module")
def run(supernet, images):
    """What training computes, by one traced function for all architectures."""
    variables = [variable.value for variable in supernet.trainable_variables]
    labels = tf.constant([0, 1, 2, 0, 1, 2])

    @tf.function(autograph=False)
    def traced(decisions):
        with tf.GradientTape() as tape:
            passed = supernet.training_pass((images, labels), decisions, (), tf.constant([0, 0]))
        objective = passed.objective
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(objective, variables)]
        return objective, passed.metrics, passed.statistics, gradients

    def run(architecture):
        with without_graph_optimization():
            return traced(supernet.decisions_of(architecture))

    run.traced = traced
    return run


@pytest.fixture(scope="module")
def gradients_of(supernet, run):
    def gradients_of(architecture):
        gradients = run(architecture)[3]
        return {id(v): g.numpy() for v, g in zip(supernet.trainable_variables, gradients)}

    return gradients_of


def rows_with_gradient(gradients, variable):
    gradient = gradients[id(variable)]
    return set(np.flatnonzero(np.any(gradient.reshape(len(gradient), -1) != 0, axis=1)))


@pytest.mark.parametrize(("cell", "node", "place"), PLACES)
def test_each_operation_gives_another_loss(run, cell, node, place):
    losses = {
        float(run(with_operand(cell, node, place, operation=operation))[1].loss)
        for operation in MicroSpace().searched_operations
    }
    assert len(losses) == len(MicroSpace().searched_operations)


@pytest.mark.parametrize(("cell", "node", "place"), PLACES)
def test_each_input_gives_another_loss(run, cell, node, place):
    operation = MicroOperation.SEPARABLE_CONVOLUTION_3X3
    losses = {
        float(run(with_operand(cell, node, place, input=i, operation=operation))[1].loss)
        for i in range(node + 2)
    }
    assert len(losses) == node + 2


@pytest.mark.parametrize("operation", [o for o in MicroOperation if o.is_separable])
@pytest.mark.parametrize(("cell", "node", "place"), PLACES)
def test_only_the_rows_of_the_chosen_operand_get_gradients(
    supernet, gradients_of, cell, node, place, operation
):
    gradients = gradients_of(with_operand(cell, node, place, input=1, operation=operation))
    for stage in supernet.stages:
        for bank in stage.separable:
            chosen = {
                int(stage.separable[0].rows.first[number, node, place, stack]) + 1
                for number, where in enumerate(stage.places)
                for stack in range(2)
                if where.is_reduction == (cell == "reduction") and bank.operation == operation
            }
            for variable in (
                bank.depthwise.kernel,
                bank.pointwise.kernel,
                bank.norm.scale,
                bank.norm.offset,
            ):
                assert rows_with_gradient(gradients, variable) == chosen


def test_without_separable_convolutions_no_bank_row_gets_a_gradient(supernet, gradients_of):
    gradients = gradients_of(with_operand("normal", 0, 0))
    for stage in supernet.stages:
        for bank in stage.separable:
            for variable in bank.trainable_variables:
                assert not np.any(gradients[id(variable)])


@pytest.mark.parametrize("seed", range(4))
def test_only_the_blocks_of_loose_ends_get_gradients(supernet, gradients_of, seed):
    architecture = supernet.space.random_architecture(seed)
    gradients = gradients_of(architecture)
    for stage in supernet.stages:
        expected = set()
        for number, place in enumerate(stage.places):
            cell = architecture.reduction if place.is_reduction else architecture.normal
            expected |= {number * stage.num_tensors + loose for loose in cell.loose_ends}
        assert rows_with_gradient(gradients, stage.blocks.kernel) == expected


def test_the_auxiliary_head_is_trained(supernet, gradients_of):
    gradients = gradients_of(supernet.space.random_architecture(0))
    for variable in supernet.auxiliary_head.trainable_variables:
        assert np.any(gradients[id(variable)])


def test_the_auxiliary_head_adds_its_weighted_loss(run, supernet):
    objective, metrics, *_ = run(supernet.space.random_architecture(0))
    assert float(objective) > float(metrics.loss)


def test_only_what_ran_has_statistics(supernet, run):
    architecture = with_operand(
        "normal", 1, 0, input=2, operation=MicroOperation.SEPARABLE_CONVOLUTION_5X5
    )
    statistics = run(architecture)[2]
    counts = {
        bank.operation: float(tf.reduce_sum(statistics[bank.norm.name].count))
        for stage in supernet.stages
        for bank in stage.separable
        if any(not place.is_reduction for place in stage.places)
    }
    assert counts == {
        MicroOperation.SEPARABLE_CONVOLUTION_3X3: 0.0,
        MicroOperation.SEPARABLE_CONVOLUTION_5X5: 2.0,
    }


@pytest.fixture(scope="module")
def called(images):
    """A supernet with dropout, called as a user would."""
    supernet = build(dropout_rate=0.5, auxiliary_weight=0.0)
    architecture = supernet.space.random_architecture(0)
    return supernet, lambda **arguments: supernet(images, architecture, **arguments).numpy()


def test_evaluation_has_no_dropout(called):
    _, logits = called
    np.testing.assert_array_equal(logits(training=False), logits(training=False))


def test_training_has_dropout(called):
    _, logits = called
    assert np.any(logits(training=True) != logits(training=True))


def test_evaluation_normalises_with_the_statistics_of_the_batch(called):
    supernet, logits = called
    before = logits(training=False)
    for bank in supernet.normalization_banks().values():
        bank.moving_mean.assign_add(tf.ones_like(bank.moving_mean.value))
    np.testing.assert_array_equal(logits(training=False), before)


def test_moving_statistics_are_used_on_request(called, images):
    supernet, _ = called
    decisions = supernet.decisions_of(supernet.space.random_architecture(0))
    by_batch, _ = supernet.forward(images, decisions, use_batch_statistics=True)
    by_moving, _ = supernet.forward(images, decisions, use_batch_statistics=False)
    assert np.any(by_batch.numpy() != by_moving.numpy())


def test_without_a_weight_there_is_no_auxiliary_head(called):
    assert called[0].auxiliary_head is None


@pytest.mark.parametrize(
    "settings",
    [
        {"input_shape": (4, 4, 1)},
        {"input_shape": (5, 9, 3)},
        {"num_nodes": 1},
        {"num_operations": 1},
        {"num_operations": 3},
    ],
)
def test_other_sizes_give_logits_of_every_class(settings):
    supernet = build(**settings)
    shape = settings.get("input_shape", SHAPE)
    logits = supernet(pictures(shape, batch=2), supernet.space.random_architecture(0))
    assert logits.shape == (2, 3)
    assert np.all(np.isfinite(logits))


def deviations(supernet):
    stage = supernet.stages[1]
    rows = stage.separable[0].rows.first[0, :, 0, 0]
    kernel = stage.separable[0].pointwise.kernel.numpy()
    return [kernel[row : row + 2 + node].std() for node, row in enumerate(rows)]


def test_banks_start_he_normal_with_the_true_fan_in():
    np.testing.assert_allclose(deviations(build(filters=64)), np.sqrt(2 / 256), rtol=0.03)


def test_banks_start_with_the_releases_fan_in_on_request():
    supernet = build(filters=64, bank_initialization="release")
    expected = [np.sqrt(2 / (node + 2)) for node in range(NUM_NODES)]
    np.testing.assert_allclose(deviations(supernet), expected, rtol=0.03)


@pytest.mark.parametrize("batch_statistics", [False, True])
def test_sizes_of_statistics_are_known_as_devices_add_them_up(supernet, batch_statistics):
    decisions = supernet.decisions_of(with_operand("normal", 0, 0))

    @tf.function
    def sizes(images):
        _, statistics = supernet.forward(images, decisions, use_batch_statistics=batch_statistics)
        assert all(one.shape.is_fully_defined() for one in tf.nest.flatten(statistics))

    sizes.get_concrete_function(pictures())
