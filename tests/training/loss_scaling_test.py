import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import NumericalError
from enas_tf.settings.training import TrainingConfig
from enas_tf.training import loss_scaling
from enas_tf.training.devices import mirrored_cpus
from enas_tf.training.loss_scaling import INITIAL_SCALE, ScaledAdam, scaled_loss, scaling_metrics
from enas_tf.training.optimizers import apply_gradients, build_optimizer, global_norm

CONFIG = TrainingConfig(batch_size=2, learning_rate=0.01, momentum=0.9, weight_decay=0.25)
WITHOUT_MOMENTUM = CONFIG.replace(momentum=0.0, weight_decay=0.0)


def begun(config=CONFIG, precision="float16"):
    kernel = keras.Variable(np.array([[1.0, -2.0], [3.0, 0.5]], np.float32))
    optimizer = build_optimizer(config, steps_per_epoch=100, precision=precision)
    optimizer.build([kernel])
    return kernel, optimizer


def take(kernel, optimizer, config=CONFIG, factor=0.125):
    """Takes a step on a loss of which float16 is a part."""
    with tf.GradientTape() as tape:
        half = tf.cast(kernel.value, tf.float16)
        loss = scaled_loss(optimizer, factor * tf.cast(tf.reduce_sum(half * half), tf.float32))
    return apply_gradients(optimizer, [tape.gradient(loss, kernel.value)], [kernel], config)


def values(kernel, optimizer):
    return [variable.numpy().tolist() for variable in (kernel, *optimizer.momentums)]


def state(optimizer):
    variables = optimizer.loss_scale, optimizer.good_steps, optimizer.skipped_steps
    return [float(one.numpy()) for one in variables]


@pytest.mark.parametrize(
    "config", [CONFIG, CONFIG.replace(clip_norm=0.5), WITHOUT_MOMENTUM], ids=str
)
def test_the_scale_changes_no_bit_of_a_step(config):
    ends = []
    for precision in ("float32", "float16"):
        kernel, optimizer = begun(config, precision)
        norms = [float(take(kernel, optimizer, config)) for _ in range(3)]
        ends.append((norms, values(kernel, optimizer)))
    assert ends[0] == ends[1]


def test_a_step_with_an_infinite_gradient_changes_nothing_but_the_scale():
    kernel, optimizer = begun()
    take(kernel, optimizer)
    before = values(kernel, optimizer)
    # Times the scale that is more than float16 has.
    assert not np.isfinite(take(kernel, optimizer, factor=10.0))
    assert values(kernel, optimizer) == before
    assert state(optimizer) == [INITIAL_SCALE / 2, 0.0, 1.0]
    # Rates and epochs go by the number of steps.
    assert int(optimizer.iterations) == 2


def test_it_goes_on_as_soon_as_the_scale_is_small_enough():
    kernel, optimizer = begun()
    before = values(kernel, optimizer)
    finite = [bool(np.isfinite(take(kernel, optimizer, factor=10.0))) for _ in range(7)]
    # The largest gradient is 60, and 65504 the largest number.
    assert finite == [False] * 5 + [True] * 2
    assert state(optimizer) == [INITIAL_SCALE / 2**5, 2.0, 5.0]
    assert values(kernel, optimizer) != before


def test_it_is_doubled_after_enough_good_steps(monkeypatch):
    monkeypatch.setattr(loss_scaling, "GROWTH_STEPS", 2)
    kernel, optimizer = begun()
    optimizer.loss_scale.assign(8.0)
    scales = []
    for _ in range(5):
        take(kernel, optimizer)
        scales.append(float(optimizer.loss_scale))
    assert scales == [8.0, 16.0, 16.0, 32.0, 32.0]


def test_a_row_of_a_bank_stays_too():
    kernel, optimizer = begun(WITHOUT_MOMENTUM)
    before = kernel.numpy()
    row = tf.IndexedSlices(tf.constant([[np.inf, 1.0]]), tf.constant([1]), tf.constant([2, 2]))
    apply_gradients(optimizer, [row], [kernel], WITHOUT_MOMENTUM, decay=False)
    np.testing.assert_array_equal(kernel.numpy(), before)


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
def test_replicas_skip_together(two_devices, clip_norm):
    config = CONFIG.replace(clip_norm=clip_norm)
    strategy = mirrored_cpus(two_devices)
    with strategy.scope():
        kernel, optimizer = begun(config)

    @tf.function(autograph=False)
    def step(bad):
        def of_replica():
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            factor = tf.where(replica == bad, np.inf, 1.0)
            apply_gradients(optimizer, [factor * tf.ones([2, 2])], [kernel], config)

        strategy.run(of_replica)

    before = kernel.numpy()
    for bad in (0, 1):
        step(tf.constant(bad))
        np.testing.assert_array_equal(kernel.numpy(), before)
    step(tf.constant(-1))
    assert np.all(kernel.numpy() != before)
    assert state(optimizer) == [INITIAL_SCALE / 4, 1.0, 2.0]


def test_adam_skips_too():
    kernel = keras.Variable(np.ones(2, np.float32))
    optimizer = ScaledAdam(0.1)
    optimizer.build([kernel])
    kept = [variable.numpy() for variable in (kernel, *optimizer._momentums)]
    for gradient in ([1.0, np.nan], [1.0, 1.0]):
        optimizer.observe(global_norm([tf.constant(gradient)]))
        optimizer.apply([tf.constant(gradient)], [kernel])
        now = [variable.numpy() for variable in (kernel, *optimizer._momentums)]
        same = [np.array_equal(*pair) for pair in zip(kept, now)]
        assert same == [np.isnan(gradient[1])] * 2


def test_what_is_logged():
    _, optimizer = begun()
    assert scaling_metrics(optimizer) == {"loss_scale": INITIAL_SCALE, "skipped_steps": 0.0}
    assert scaling_metrics(begun(precision="bfloat16")[1]) == {}


def test_gradients_that_no_scale_helps_are_an_error():
    kernel, optimizer = begun()
    for _ in range(16):
        take(kernel, optimizer, factor=np.inf)
    with pytest.raises(NumericalError, match="precision=bfloat16"):
        scaling_metrics(optimizer)
