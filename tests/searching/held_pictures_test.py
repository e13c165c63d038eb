"""Training, rewards and scores are the same, bit for bit, where pictures are on the devices."""

import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.settings.data import DataConfig
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.training.devices import devices_of, mirrored_cpus

PICTURES = np.random.default_rng(0).integers(0, 256, (40, 6, 6, 3), np.uint8)
CONFIG = SearchConfig(seed=3, shared_weights=TrainingConfig(batch_size=8, learning_rate=0.1))


@pytest.fixture(scope="module")
def data():
    config = DataConfig(validation_size=12, cutout=2.0, color_jitter=0.2, mixup=0.3)
    labels = np.arange(40) % 3
    test = PICTURES[:2], labels[:2]
    return ImageData.from_arrays(PICTURES, labels, *test, name="a", config=config)


def _outcome(data, distribution):
    """Returns weights after two steps, and two rewards and a score, with refitted statistics."""
    space = MacroSpace(num_layers=1, filters=4).for_data(data)
    streams = data.search_streams(batch_size=8, reward_batch_size=5, seed=1)
    weights = SharedWeights(
        space, CONFIG, streams.steps_per_epoch, distribution, None, streams.reader()
    )
    batches = weights.training_batches(lambda share: streams.training(0, share))
    given = [space.random_architecture(seed) for seed in range(2)]
    for step, architecture in enumerate(given):
        decisions = space.encode([architecture] * weights.samples_per_step)
        weights.train(next(batches), decisions, step)
    rewards = iter(weights.batches(lambda share: streams.rewards(0, 2, share)))
    scores = weights.rewards(rewards, given)
    weights.refit_statistics(weights.batches(lambda share: streams.refitting(2, share)), given[0])
    validation = weights.batches(streams.validation)
    scores.append(weights.validation_score(validation, given[0], use_batch_statistics=False))
    return [variable.numpy() for variable in weights.supernet.variables], scores


@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.long)])
def test_shared_weights_are_the_same(data, number, two_devices):
    distribution = mirrored_cpus(two_devices[:number])
    values, scores = _outcome(data, distribution)
    held = data.on_devices(devices_of(distribution))
    held_values, held_scores = _outcome(held, distribution)
    assert held_scores == scores
    for one, other in zip(values, held_values, strict=True):
        np.testing.assert_array_equal(one, other)
