import numpy as np
import pytest
import tensorflow as tf

from enas_tf.layers.banks import (
    BatchNormalizationBank,
    BatchStatistics,
    WeightBank,
    unstack_entries,
)


def weights(shape=(5, 4), num_entries=3, fan_in=4, seed=0):
    return WeightBank(num_entries, shape, fan_in=fan_in, seed=seed, name="bank")


def norm(num_entries=3, channels=2, **settings):
    return BatchNormalizationBank(num_entries, channels, decay=0.9, name="norm", **settings)


def run(bank, entry, mean, variance):
    """Updates one entry with the statistics of one batch."""
    mean, variance = (tf.constant([values], tf.float32) for values in (mean, variance))
    bank.update(bank.collect(mean, variance, tf.constant([entry])))


def test_weights_are_he_normal_with_the_fan_in_of_one_entry():
    kernel = weights(shape=(100, 200), fan_in=50).kernel.numpy()
    np.testing.assert_allclose(np.std(kernel), np.sqrt(2 / 50), rtol=0.02)
    np.testing.assert_allclose(np.mean(kernel), 0.0, atol=0.01)


def test_entries_of_a_bank_start_differently():
    first, second, third = weights().kernel.numpy()
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)


def test_the_seed_decides_the_initial_weights():
    assert np.array_equal(weights(seed=1).kernel.numpy(), weights(seed=1).kernel.numpy())
    assert not np.array_equal(weights(seed=1).kernel.numpy(), weights(seed=2).kernel.numpy())


def test_select_stacks_the_chosen_entries():
    bank = weights()
    np.testing.assert_array_equal(bank.select([2, 0]), bank.kernel.numpy()[[2, 0]])


def test_only_selected_entries_get_a_gradient():
    bank = weights()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(bank.select([1]))
    gradient = tf.convert_to_tensor(tape.gradient(loss, bank.kernel.value)).numpy()
    np.testing.assert_array_equal(np.any(gradient != 0.0, axis=(1, 2)), [False, True, False])


def test_moving_statistics_start_at_zero_and_one():
    bank = norm()
    np.testing.assert_array_equal(bank.moving_mean.numpy(), np.zeros((3, 2)))
    np.testing.assert_array_equal(bank.moving_variance.numpy(), np.ones((3, 2)))
    np.testing.assert_array_equal(bank.num_updates.numpy(), np.zeros((3, 1)))


def test_only_the_entry_that_ran_is_updated():
    bank = norm()
    run(bank, 1, [3.0, 4.0], [5.0, 6.0])
    np.testing.assert_array_equal(bank.moving_mean.numpy()[[0, 2]], np.zeros((2, 2)))
    np.testing.assert_array_equal(bank.moving_variance.numpy()[[0, 2]], np.ones((2, 2)))
    np.testing.assert_array_equal(bank.num_updates.numpy(), [[0], [1], [0]])


def test_after_one_update_statistics_are_the_batch_s():
    bank = norm()
    for _ in range(20):
        run(bank, 0, [1.0, 1.0], [1.0, 1.0])
    run(bank, 2, [3.0, 4.0], [5.0, 6.0])
    np.testing.assert_allclose(bank.moving_mean.numpy()[2], [3.0, 4.0], rtol=1e-6)
    np.testing.assert_allclose(bank.moving_variance.numpy()[2], [5.0, 6.0], rtol=1e-6)


def test_statistics_are_the_weighted_mean_of_an_entry_s_batches():
    bank = norm()
    values = [2.0, -1.0, 5.0, 4.0]
    for value in values:
        run(bank, 1, [value, 0.0], [value**2, 1.0])
        run(bank, 0, [9.0, 9.0], [9.0, 9.0])
    ages = 0.9 ** np.arange(len(values))[::-1]
    expected = np.average(values, weights=ages), np.average(np.square(values), weights=ages)
    np.testing.assert_allclose(bank.moving_mean.numpy()[1, 0], expected[0], rtol=1e-5)
    np.testing.assert_allclose(bank.moving_variance.numpy()[1, 0], expected[1], rtol=1e-5)


def test_without_debiasing_statistics_start_from_zero_and_one():
    bank = norm(debias=False)
    run(bank, 0, [2.0, 2.0], [3.0, 3.0])
    np.testing.assert_allclose(bank.moving_mean.numpy()[0], [0.2, 0.2], rtol=1e-6)
    np.testing.assert_allclose(bank.moving_variance.numpy()[0], [1.2, 1.2], rtol=1e-6)


def test_a_tensor_that_did_not_run_changes_nothing():
    bank = norm()
    statistics = bank.collect(
        tf.constant([[7.0, 7.0], [1.0, 2.0]]),
        tf.constant([[7.0, 7.0], [3.0, 4.0]]),
        tf.constant([0, 2]),
        ran=tf.constant([[0.0], [1.0]]),
    )
    bank.update(statistics)
    np.testing.assert_array_equal(bank.num_updates.numpy(), [[0], [0], [1]])
    np.testing.assert_allclose(bank.moving_mean.numpy(), [[0, 0], [0, 0], [1, 2]], rtol=1e-6)


def test_replicas_that_chose_the_same_entry_are_averaged():
    bank = norm(num_entries=2, channels=1)
    # Two replicas ran entry 0 with means 1 and 5, one of them also ran entry 1.
    total = BatchStatistics(
        tf.constant([[2.0], [1.0]]), tf.constant([[6.0], [4.0]]), tf.constant([[8.0], [9.0]])
    )
    bank.update(total)
    np.testing.assert_allclose(bank.moving_mean.numpy(), [[3.0], [4.0]], rtol=1e-6)
    np.testing.assert_allclose(bank.moving_variance.numpy(), [[4.0], [9.0]], rtol=1e-6)
    np.testing.assert_array_equal(bank.num_updates.numpy(), [[1], [1]])


def test_channels_are_counted_one_by_one_where_asked_for():
    bank = norm(num_entries=1, count_channels=True)
    for ran in ([1.0, 0.0], [1.0, 1.0]):
        bank.update(
            bank.collect(tf.constant([[4.0, 8.0]]), tf.ones([1, 2]), ran=tf.constant([ran]))
        )
    np.testing.assert_array_equal(bank.num_updates.numpy(), [[2, 1]])
    np.testing.assert_allclose(bank.moving_mean.numpy(), [[4.0, 8.0]], rtol=1e-6)


@pytest.mark.parametrize("debias", [True, False])
def test_reset_statistics_are_those_of_a_new_bank(debias):
    bank = norm(debias=debias)
    bank.scale.assign(np.full((3, 2), 7.0))
    run(bank, 1, [3.0, 4.0], [5.0, 6.0])
    bank.reset_statistics()
    for variable, fresh in zip(bank.non_trainable_variables, norm().non_trainable_variables):
        np.testing.assert_array_equal(variable.numpy(), fresh.numpy())
    np.testing.assert_array_equal(bank.scale.numpy(), np.full((3, 2), 7.0))


@pytest.mark.parametrize("indices", [None, [2, 0]])
def test_selected_entries_of_a_norm_bank(indices):
    bank = norm()
    bank.scale.assign(np.arange(6.0).reshape(3, 2))
    entry = bank.select(indices)
    expected = np.arange(6.0).reshape(3, 2)[slice(None) if indices is None else indices]
    np.testing.assert_array_equal(entry.scale, expected)
    assert entry.moving_variance.shape == expected.shape


def test_unstacked_entries_keep_their_type():
    entries = unstack_entries(norm().select())
    assert len(entries) == 3
    assert [tensor.shape for tensor in entries[0]] == [(2,)] * 4
    assert type(entries[0]) is type(norm().select())
