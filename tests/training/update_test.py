import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.settings.hardware import HardwareConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.training import hardware, update
from enas_tf.training.devices import mirrored_cpus
from enas_tf.training.optimizers import apply_gradients, build_optimizer

SHAPES = ((3, 4), (5,), ())


def _trained(choice, monkeypatch, momentum, clip_norm=0.0, sparse=False):
    """Returns variables after three steps with the rate of a schedule, and their optimiser."""
    monkeypatch.setattr(hardware, "_used", HardwareConfig(compiled_update=choice))
    config = TrainingConfig(
        epochs=2, learning_rate=0.5, restart_epochs=1, momentum=momentum, clip_norm=clip_norm
    )
    generator = np.random.default_rng(0)
    variables = [keras.Variable(generator.normal(size=s).astype(np.float32)) for s in SHAPES]
    optimizer = build_optimizer(config, steps_per_epoch=2)
    optimizer.build(variables)

    @tf.function
    def step(*gradients):
        if sparse:
            rows = tf.IndexedSlices(gradients[0][:1], tf.constant([2]), tf.constant([3, 4]))
            gradients = (rows, *gradients[1:])
        apply_gradients(optimizer, gradients, variables, config, decay=not sparse)

    for _ in range(3):
        step(*(generator.normal(size=s).astype(np.float32) for s in SHAPES))
    return [variable.numpy() for variable in variables], optimizer


@pytest.mark.parametrize(
    "settings",
    [{"momentum": 0.9}, {"momentum": 0.0, "clip_norm": 0.5}, {"momentum": 0.0, "sparse": True}],
    ids=["momentum", "clipped", "one row"],
)
def test_a_compiled_update_is_the_plain_one(settings, monkeypatch):
    plain, _ = _trained("no", monkeypatch, **settings)
    compiled, optimizer = _trained("yes", monkeypatch, **settings)
    assert int(optimizer.iterations) == 3
    for one, other in zip(plain, compiled):
        # Products and sums may be made in one operation.
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("choice", "gpus", "compiled"),
    [("auto", [], False), ("auto", ["GPU:0"], True), ("no", ["GPU:0"], False), ("yes", [], True)],
)
def test_updates_are_compiled_on_a_gpu(choice, gpus, compiled, monkeypatch):
    monkeypatch.setattr(hardware, "_used", HardwareConfig(compiled_update=choice))
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: gpus)
    assert update.is_compiled() == compiled


def test_updates_of_several_replicas_are_not_compiled(two_devices, monkeypatch):
    monkeypatch.setattr(hardware, "_used", HardwareConfig(compiled_update="yes"))
    with mirrored_cpus(two_devices).scope():
        assert not update.is_compiled()
