import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.settings.training import TrainingConfig
from enas_tf.training.optimizers import (
    add_weight_decay,
    apply_gradients,
    build_optimizer,
    decayed_loss,
    global_norm,
    sum_of_squares,
)


def step(gradients, config, values):
    """Returns the variables after one step and the optimizer."""
    variables = [keras.Variable(np.array(value, np.float32)) for value in values]
    optimizer = build_optimizer(config, steps_per_epoch=1)
    apply_gradients(optimizer, [tf.constant(g) for g in gradients], variables, config)
    return [variable.numpy() for variable in variables]


def test_sum_of_squares():
    assert float(sum_of_squares([tf.constant([1.0, 2.0]), tf.constant([[3.0]])])) == 14.0


@pytest.mark.parametrize("shape", [(), (7,), (3, 5), (4, 9, 5)])
def test_global_norm(shape):
    generator = np.random.default_rng(0)
    # Squares and their sums are exact.
    arrays = [generator.integers(-9, 9, shape).astype(np.float32) for _ in range(3)]
    exact = np.sqrt(sum(np.sum(np.square(array)) for array in arrays))
    assert global_norm([tf.constant(array) for array in arrays]).numpy() == exact


def test_global_norm_adds_up_rows_in_double_precision():
    # In single precision 4096² + 1 is 4096².
    column = np.ones([100001, 1], np.float32)
    column[0] = 4096.0
    for values in (column, column[::-1].copy()):
        assert global_norm([tf.constant(values)]).numpy() == np.float32(np.sqrt(2.0**24 + 1e5))


def test_global_norm_takes_one_row_of_a_bank():
    row = tf.IndexedSlices(tf.constant([[3.0, 0.0]]), tf.constant([1]), tf.constant([2, 2]))
    assert float(global_norm([row, tf.constant([4.0])])) == 5.0


def test_weight_decay_is_the_gradient_of_factor_times_sum_of_squares():
    variable = tf.Variable([1.0, -2.0])
    with tf.GradientTape() as tape:
        loss = 3.0 * variable[0] + 0.25 * sum_of_squares([variable])
    expected = tape.gradient(loss, variable)
    (actual,) = add_weight_decay([tf.constant([3.0, 0.0])], [variable], 0.25)
    np.testing.assert_allclose(actual, expected)


def test_weight_decay_covers_variables_without_a_gradient():
    (gradient,) = add_weight_decay([None], [tf.Variable([2.0])], 0.5)
    assert gradient.numpy() == [2.0]


def test_weight_decay_takes_sparse_gradients():
    sparse = tf.IndexedSlices(tf.constant([[1.0]]), tf.constant([1]), tf.constant([2, 1]))
    (gradient,) = add_weight_decay([sparse], [tf.Variable([[1.0], [1.0]])], 0.5)
    assert gradient.numpy().tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize(("clip_norm", "norm"), [(0.0, 5.0), (1.0, 1.0), (10.0, 5.0)])
def test_clipping_limits_the_global_norm_of_the_step(clip_norm, norm):
    config = TrainingConfig(learning_rate=1.0, momentum=0.0, weight_decay=0.0, clip_norm=clip_norm)
    after = step([[3.0], [4.0]], config, [[0.0], [0.0]])
    np.testing.assert_allclose(np.sqrt(sum(float(v[0]) ** 2 for v in after)), norm, rtol=1e-6)


def test_clipping_includes_weight_decay():
    config = TrainingConfig(learning_rate=1.0, momentum=0.0, weight_decay=0.5, clip_norm=1.0)
    (after,) = step([[0.0]], config, [[8.0]])
    np.testing.assert_allclose(after, [7.0], rtol=1e-6)


def test_two_nesterov_steps_by_hand():
    config = TrainingConfig(learning_rate=0.1, momentum=0.9, weight_decay=0.0)
    variable = keras.Variable(np.zeros(1, np.float32))
    optimizer = build_optimizer(config, steps_per_epoch=10)
    for _ in range(2):
        apply_gradients(optimizer, [tf.constant([1.0])], [variable], config)
    # Velocities -0.1 and -0.19; steps 0.9 * velocity - 0.1.
    np.testing.assert_allclose(variable.numpy(), [-0.19 - 0.271], rtol=1e-6)


def test_without_decay_the_gradients_are_taken_as_they_are():
    config = TrainingConfig(learning_rate=1.0, momentum=0.0, weight_decay=0.5)
    values = [keras.Variable([2.0]), keras.Variable([3.0])]
    optimizer = build_optimizer(config, steps_per_epoch=1)
    apply_gradients(optimizer, [tf.constant([0.5]), None], values, config, decay=False)
    assert [float(value[0]) for value in values] == [1.5, 3.0]


def test_decay_in_the_loss_equals_decay_of_the_gradients():
    config = TrainingConfig(weight_decay=0.25)
    variable = tf.Variable([1.0, -2.0])
    with tf.GradientTape() as tape:
        loss = decayed_loss(3.0 * variable[0], [variable], config)
    (expected,) = add_weight_decay([tf.constant([3.0, 0.0])], [variable], 0.25)
    np.testing.assert_allclose(tape.gradient(loss, variable), expected)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_scaled_rates_are_those_of_an_optimizer_with_such_rates(momentum):
    config = TrainingConfig(learning_rate=0.1, momentum=momentum, weight_decay=0.0)
    plain, scaled = keras.Variable(np.zeros(1, np.float32)), keras.Variable([0.0])
    optimizer = keras.optimizers.SGD(0.1, momentum=momentum, nesterov=True)
    ours = build_optimizer(config, steps_per_epoch=1000)
    for scale, gradient in ((1.0, 1.0), (0.5, -2.0), (1.5, 3.0)):
        optimizer.learning_rate = 0.1 * scale
        optimizer.apply([tf.constant([gradient])], [plain])
        apply_gradients(ours, [tf.constant([gradient])], [scaled], config, rate_scale=scale)
    np.testing.assert_allclose(scaled.numpy(), plain.numpy(), rtol=1e-5)


def test_the_rate_is_scaled_after_clipping():
    config = TrainingConfig(learning_rate=1.0, momentum=0.0, weight_decay=0.0, clip_norm=1.0)
    variable = keras.Variable([0.0])
    optimizer = build_optimizer(config, steps_per_epoch=1)
    apply_gradients(optimizer, [tf.constant([8.0])], [variable], config, rate_scale=0.5)
    np.testing.assert_allclose(variable.numpy(), [-0.5], rtol=1e-6)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_one_row_of_a_bank_moves_as_if_its_gradient_were_dense(momentum):
    config = TrainingConfig(batch_size=1, momentum=momentum, clip_norm=0.5, weight_decay=0.0)
    row = tf.constant([[3.0, -4.0]])
    sparse = tf.IndexedSlices(row, tf.constant([1]), tf.constant([3, 2]))
    results = []
    for gradient in (sparse, tf.convert_to_tensor(sparse)):
        bank = tf.Variable(tf.reshape(tf.range(6.0), [3, 2]))
        variable = keras.Variable(bank)
        optimizer = build_optimizer(config, 10)
        optimizer.build([variable])
        for _ in range(2):
            apply_gradients(optimizer, [gradient], [variable], config, decay=False, rate_scale=0.5)
        results.append(variable.numpy())
    np.testing.assert_allclose(*results, rtol=1e-6)
    assert np.all(results[0][[0, 2]] == [[0, 1], [4, 5]])
    assert np.all(results[0][1] != [2, 3])
