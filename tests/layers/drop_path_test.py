import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.layers.drop_path import DropPath, DropPathSchedule
from enas_tf.training.devices import mirrored_cpus
from tests.golden_fixtures import load_golden


def draw(layer, batch=4):
    """Returns the factors of one training call, `[operands, batch]`."""
    factors = layer(tf.zeros([batch, 2]), training=True)
    return np.stack([factor.numpy().reshape(-1) for factor in factors])


@pytest.mark.parity
def test_probabilities_are_the_release_s():
    golden = load_golden("drop_path.json")
    cells = golden["total_cells"]
    rate = 1.0 - golden["drop_path_keep_prob"]
    layer = DropPathSchedule(
        [(cell + 1) / cells * rate for cell in range(cells)],
        training_steps=golden["num_train_steps"],
    )
    for cell, step, keep in golden["points"]:
        actual = layer.keep_probabilities(step)[cell]
        np.testing.assert_allclose(actual, keep, rtol=0, atol=2e-7)


def test_without_a_number_of_steps_the_rate_is_full_from_the_start():
    layer = DropPathSchedule([0.25, 0.5])
    np.testing.assert_allclose(layer.keep_probabilities(0), [0.75, 0.5])


def test_drops_its_share_and_keeps_the_mean():
    factors = draw(DropPathSchedule([0.2, 0.5]), 20000)
    np.testing.assert_allclose((factors == 0.0).mean(axis=1), [0.2, 0.5], atol=0.015)
    np.testing.assert_allclose(factors.max(axis=1), [1.0 / 0.8, 1.0 / 0.5], rtol=1e-6)
    np.testing.assert_allclose(factors.mean(axis=1), 1.0, atol=0.03)


def test_the_share_grows_with_the_calls():
    layer = DropPathSchedule([0.8], training_steps=4)
    shares = [(draw(layer, 5000) == 0.0).mean() for _ in range(6)]
    np.testing.assert_allclose(shares, [0.2, 0.4, 0.6, 0.8, 0.8, 0.8], atol=0.03)


def test_every_operand_example_and_call_has_a_draw_of_its_own():
    layer = DropPathSchedule([0.5, 0.5])
    first, second = draw(layer, 200), draw(layer, 200)
    for left, right in ((first[0], first[1]), (first[0], second[0])):
        # Independent draws agree on half of the examples.
        assert 0.3 < (left == right).mean() < 0.7


def test_a_whole_example_is_dropped():
    operand = tf.ones([3, 2, 2, 5])
    factors = tf.reshape([0.0, 2.0, 1.25], [3, 1, 1, 1])
    outputs = DropPath()([operand, factors], training=True).numpy()
    for example, factor in zip(outputs, (0.0, 2.0, 1.25)):
        np.testing.assert_array_equal(example, np.full([2, 2, 5], factor, np.float32))


def test_evaluation_changes_nothing():
    layer, operand = DropPathSchedule([0.5]), tf.ones([3, 2, 2, 5])
    (factors,) = layer(operand, training=False)
    np.testing.assert_array_equal(factors, tf.ones([3, 1, 1, 1]))
    np.testing.assert_array_equal(DropPath()([operand, 0.0 * factors], training=False), operand)
    assert int(layer.num_calls.numpy()) == 0


def test_restoring_the_layer_goes_on_with_its_draws(tmp_path):
    layer = DropPathSchedule([0.5], training_steps=5, seed=7)
    draw(layer)
    path = tf.train.Checkpoint(layer=layer).write(str(tmp_path / "checkpoint"))
    expected = draw(layer, 64)
    other = DropPathSchedule([0.5], training_steps=5, seed=7)
    tf.train.Checkpoint(layer=other).read(path).assert_consumed()
    np.testing.assert_array_equal(draw(other, 64), expected)


def test_with_epochs_the_share_of_past_epochs_counts():
    layer = DropPathSchedule([0.6], training_steps=9, epoch_steps=3)
    keep = [float(layer.keep_probabilities(step)[0]) for step in (0, 2, 3, 8, 9)]
    np.testing.assert_allclose(keep, [1.0, 1.0, 0.8, 0.6, 0.4], rtol=1e-6)


def test_the_seed_decides_the_draws():
    first, second = (draw(DropPathSchedule([0.5], seed=seed), 64) for seed in (0, 1))
    assert (first != second).any()


def test_replicas_have_different_draws_and_one_count(two_devices):
    strategy = mirrored_cpus(two_devices)
    with strategy.scope():
        layer = DropPathSchedule([0.5])

    @tf.function
    def run():
        return strategy.run(lambda: layer(tf.ones([64, 2]), training=True)[0])

    first, second = strategy.experimental_local_results(run())
    assert (first.numpy() != second.numpy()).any()
    assert int(layer.num_calls.numpy()) == 1


def test_survives_serialisation():
    config = DropPathSchedule(
        [0.1, 0.5], training_steps=9, epoch_steps=3, name="paths"
    ).get_config()
    assert DropPathSchedule.from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rates": []}, "`rates`"),
        ({"rates": [0.5, 1.0]}, "`rates`"),
        ({"rates": [-0.1]}, "`rates`"),
        ({"rates": [0.5], "training_steps": 0}, "`training_steps`"),
        ({"rates": [0.5], "epoch_steps": 0}, "`epoch_steps`"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        DropPathSchedule(**arguments)
