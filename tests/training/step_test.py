import keras
import numpy as np
import tensorflow as tf

from enas_tf.settings.training import TrainingConfig
from enas_tf.training.devices import mirrored_cpus
from enas_tf.training.image_metrics import image_pass
from enas_tf.training.optimizers import build_optimizer
from enas_tf.training.step import gradient_step


def step_on(kernel, batch, optimizer, config):
    """Takes a step of a network that is one matrix; returns its metrics."""
    outcome, _ = gradient_step(
        lambda: image_pass(lambda x: tf.matmul(x, kernel), batch), [kernel], optimizer, config
    )
    return outcome.metrics


def test_step_descends_on_the_mean_loss_plus_weight_decay():
    kernel = keras.Variable(np.ones((1, 2), np.float32))
    config = TrainingConfig(batch_size=2, learning_rate=0.1, momentum=0.0, weight_decay=0.25)
    optimizer = build_optimizer(config, steps_per_epoch=1)
    images = tf.constant([[1.0], [1.0]])
    step_on(kernel, (images, tf.constant([0, 0])), optimizer, config)
    # Gradient of the mean cross-entropy (-1/2, 1/2), of the decay 2 * 0.25 * 1.
    np.testing.assert_allclose(kernel.numpy(), [[1.0, 0.9]], rtol=1e-6)


def test_replicas_take_one_step_of_the_whole_batch(two_devices):
    config = TrainingConfig(
        batch_size=4, learning_rate=0.1, momentum=0.9, weight_decay=0.1, clip_norm=0.2
    )
    images = np.arange(8, dtype=np.float32).reshape(4, 2)
    labels = np.array([0, 1, 1, 0], np.int32)

    def train(strategy):
        with strategy.scope():
            kernel = keras.Variable(np.eye(2, dtype=np.float32))
            optimizer = build_optimizer(config, steps_per_epoch=1)
            optimizer.build([kernel])
        parts = strategy.num_replicas_in_sync
        values = [
            (tf.constant(pictures), tf.constant(classes))
            for pictures, classes in zip(np.split(images, parts), np.split(labels, parts))
        ]
        batch = strategy.experimental_distribute_values_from_function(
            lambda context: values[context.replica_id_in_sync_group]
        )

        @tf.function
        def one_step(batch):
            return strategy.run(lambda part: step_on(kernel, part, optimizer, config), (batch,))

        metrics = [one_step(batch), one_step(batch)]
        return kernel.numpy(), float(strategy.reduce("SUM", metrics[1].loss, axis=None))

    alone, loss = train(tf.distribute.OneDeviceStrategy("CPU:0"))
    together, loss_together = train(mirrored_cpus(two_devices))
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    np.testing.assert_allclose(loss_together, loss, rtol=1e-5)
