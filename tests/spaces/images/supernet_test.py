import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import f1_score

from enas_tf.settings.training import LossConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.supernet import Score
from enas_tf.training.prediction_metrics import Predictions

ARCHITECTURE = MacroArchitecture.from_release_string("1")
LABELS = np.array([0, 1, 1, 0], np.int32)


@pytest.fixture(scope="module")
def supernet():
    space = MacroSpace(
        num_layers=1, filters=8, input_shape=(3, 3, 1), num_classes=2, dropout_rate=0.5
    )
    return space.build_supernet(seed=1)


@pytest.fixture(scope="module")
def images():
    return tf.constant(np.random.default_rng(0).normal(size=(4, 3, 3, 1)).astype(np.float32))


def test_an_architecture_is_the_same_as_its_decisions(supernet, images):
    decisions = supernet.decisions_of(ARCHITECTURE)
    expected = supernet(images, ARCHITECTURE, training=False)
    np.testing.assert_array_equal(supernet(images, decisions, training=False), expected)
    assert supernet.decisions_of(decisions) is decisions


def test_evaluation_is_the_default(supernet, images):
    expected = supernet(images, ARCHITECTURE, training=False)
    np.testing.assert_array_equal(supernet(images, ARCHITECTURE), expected)


def test_every_direct_call_has_another_dropout_mask(supernet, images):
    first, second = (supernet(images, ARCHITECTURE, training=True) for _ in range(2))
    assert not np.array_equal(first, second)


def test_a_seed_fixes_the_dropout_mask(supernet, images):
    seeds = tf.constant([1, 2]), tf.constant([1, 2]), tf.constant([1, 3])
    one, same, other = (supernet(images, ARCHITECTURE, training=True, seed=seed) for seed in seeds)
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_training_pass_sums_over_the_forward_pass(supernet, images):
    decisions, seed = supernet.decisions_of(ARCHITECTURE), tf.constant([0, 1])
    passed = supernet.training_pass((images, LABELS), decisions, (), seed)
    objective, metrics = passed.objective, passed.metrics
    logits, _ = supernet.forward(images, decisions, use_batch_statistics=True, dropout_seed=seed)
    probabilities = tf.nn.softmax(logits).numpy()
    expected = -np.sum(np.log(probabilities[np.arange(4), LABELS]))
    np.testing.assert_allclose(metrics.loss, expected, rtol=1e-5)
    assert float(objective) == float(metrics.loss)
    assert float(metrics.correct) == np.sum(np.argmax(logits, axis=1) == LABELS)
    assert float(metrics.examples) == 4.0


def test_forward_changes_no_weight(supernet, images):
    before = [variable.numpy() for variable in supernet.variables]
    supernet.forward(
        images,
        supernet.decisions_of(ARCHITECTURE),
        use_batch_statistics=True,
        dropout_seed=tf.constant([0, 1]),
    )
    for variable, value in zip(supernet.variables, before):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_statistics_have_the_names_of_the_banks(supernet, images):
    _, statistics = supernet.forward(
        images, supernet.decisions_of(ARCHITECTURE), use_batch_statistics=True
    )
    assert statistics.keys() == supernet.normalization_banks().keys()


def test_batch_statistics_are_those_of_the_forward_pass(supernet, images):
    decisions = supernet.decisions_of(ARCHITECTURE)
    _, expected = supernet.forward(images, decisions, use_batch_statistics=True)
    statistics = supernet.batch_statistics((images, LABELS), decisions)
    tf.nest.map_structure(np.testing.assert_array_equal, statistics, expected)


def test_the_reward_is_the_accuracy(supernet):
    assert supernet.reward([Score(3.0, 3.0), Score(0.0, 1.0)]) == 0.75


def test_the_reward_may_be_of_the_loss(supernet, images):
    decisions = supernet.decisions_of(ARCHITECTURE)
    score = supernet.score((images, LABELS), decisions, use_batch_statistics=True, metric="loss")
    logits, _ = supernet.forward(images, decisions, use_batch_statistics=True)
    right = tf.gather(tf.nn.softmax(logits), LABELS, batch_dims=1)
    np.testing.assert_allclose(
        supernet.reward([score._make(map(float, score))], "loss"),
        np.exp(np.mean(np.log(right))),
        rtol=1e-5,
    )


def test_other_metrics_take_all_predictions(supernet, images):
    decisions = supernet.decisions_of(ARCHITECTURE)
    logits, _ = supernet.forward(images, decisions, use_batch_statistics=True)
    score = supernet.score(
        (images, LABELS), decisions, use_batch_statistics=True, metric="macro_f1"
    )
    np.testing.assert_array_equal(score.labels, LABELS)
    np.testing.assert_array_equal(score.probabilities, tf.nn.softmax(logits))
    parts = [Predictions(LABELS, score.probabilities.numpy(), count) for count in (4, 2)]
    labels = [*LABELS, *LABELS[:2]]
    predictions = [*np.argmax(logits, axis=1), *np.argmax(logits[:2], axis=1)]
    expected = f1_score(labels, predictions, average="macro", zero_division=0.0)
    assert supernet.reward(parts, "macro_f1") == expected


def test_the_top_5_of_two_classes_are_both(supernet, images):
    decisions = supernet.decisions_of(ARCHITECTURE)
    score = supernet.score((images, LABELS), decisions, use_batch_statistics=True, metric="top_5")
    assert supernet.reward([score], "top_5") == 1.0


def test_training_minimises_the_chosen_loss(images):
    space = MacroSpace(num_layers=1, filters=2, input_shape=(3, 3, 1), num_classes=2)
    supernet, seed = space.build_supernet(), tf.constant([0, 1])
    supernet.set_loss(LossConfig(label_smoothing=0.2), np.array([1.0, 3.0], np.float32))
    decisions = supernet.decisions_of(ARCHITECTURE)
    passed = supernet.training_pass((images, LABELS), decisions, (), seed)
    logits, _ = supernet.forward(images, decisions, use_batch_statistics=True, dropout_seed=seed)
    logarithms = tf.nn.log_softmax(logits).numpy()
    losses = -0.9 * logarithms[np.arange(4), LABELS] - 0.1 * logarithms[np.arange(4), 1 - LABELS]
    np.testing.assert_allclose(passed.objective, losses @ (1.0 + 2.0 * LABELS), rtol=1e-5)


def test_batches_of_pictures_leave_no_state(supernet, images):
    assert supernet.initial_state(4) == ()
    decisions, seed = supernet.decisions_of(ARCHITECTURE), tf.constant([0, 1])
    assert supernet.training_pass((images, LABELS), decisions, (), seed).state == ()
