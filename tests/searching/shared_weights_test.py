import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import f1_score

from enas_tf.data.sharing import SpreadBatch
from enas_tf.errors import NumericalError
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.training.devices import mirrored_cpus
from enas_tf.training.image_metrics import classification_metrics
from enas_tf.training.optimizers import apply_gradients, build_optimizer

SPACE = MacroSpace(num_layers=2, filters=4, input_shape=(4, 4, 1), num_classes=2, dropout_rate=0.5)
WITHOUT_DROPOUT = SPACE.replace(dropout_rate=0.0)
CONFIG = SearchConfig(
    seed=3,
    shared_weights=TrainingConfig(batch_size=8, learning_rate=0.1, weight_decay=0.01),
)
ARCHITECTURE, OTHER = map(MacroArchitecture.from_release_string, ("0 3 1", "5 1 0"))


@pytest.fixture(scope="module")
def examples():
    generator = np.random.default_rng(0)
    labels = np.arange(27) % 2
    images = generator.normal(size=(27, 4, 4, 1)) + labels[:, None, None, None]
    return images.astype(np.float32), labels.astype(np.int32)


def restored_after(weights):
    """Yields the weights; puts all values back, so that traced functions can be used again."""
    variables = [*weights.supernet.variables, *weights.optimizer.variables]
    values = values_of(variables)
    yield weights
    for variable, value in zip(variables, values):
        variable.assign(value)


@pytest.fixture(scope="module")
def traced():
    return SharedWeights(SPACE, CONFIG, steps_per_epoch=10)


@pytest.fixture
def shared(traced):
    """Shared weights in their initial state."""
    yield from restored_after(traced)


SIGNATURE = (tf.TensorSpec([None, 4, 4, 1]), tf.TensorSpec([None], tf.int32))


def divided(examples, batch_size=8):
    """Returns the stream of a training batch, of which every replica gets rows."""

    def stream(share):
        parts = [
            tuple(array[slice(*share.rows(replica, batch_size))] for array in examples)
            for replica in share.replicas
        ]
        return tf.data.Dataset.from_generator(lambda: parts, output_signature=SIGNATURE)

    return stream


def batches_of(examples, batch_size=8):
    """Returns the stream of all batches, of which every replica gets whole ones."""

    def stream(share):
        numbers, weights = share.spread(-(-len(examples[1]) // batch_size))
        parts = [tuple(a[n * batch_size :][:batch_size] for a in examples) for n in numbers]
        return tf.data.Dataset.from_generator(
            lambda: map(SpreadBatch, parts, weights),
            output_signature=SpreadBatch(SIGNATURE, tf.TensorSpec([])),
        )

    return stream


def train(weights, examples, architectures, step=0, rollbacks=0):
    batch = next(iter(weights.batches(divided(examples))))
    return weights.train(batch, SPACE.encode(architectures), step, rollbacks)


def rewards_of(weights, examples, architectures):
    return weights.rewards(iter(weights.batches(batches_of(examples))), architectures)


def validation_score(weights, examples, architecture, **options):
    return weights.validation_score(weights.batches(batches_of(examples)), architecture, **options)


def part_of(examples, count):
    return tuple(array[:count] for array in examples)


def values_of(variables):
    return [variable.numpy() for variable in variables]


def test_weight_decay_reaches_all_weights(shared, examples):
    layers = shared.supernet.supernet_layers
    unchosen = [
        (layers.operation_kernels[2][0].kernel, 0),
        (layers.operation_kernels[1][1].kernel, 1),
        (layers.input_kernels.kernel, 4),
        (layers.operation_norm.scale, 2),
    ]
    before = [variable.numpy()[entry] for variable, entry in unchosen]
    train(shared, examples, [ARCHITECTURE])
    # The first Nesterov step is (1 + momentum) times the gradient, here of weight decay alone.
    factor = 1.0 - (1.0 + 0.9) * 0.1 * 2.0 * 0.01
    for (variable, entry), values in zip(unchosen, before):
        np.testing.assert_allclose(variable.numpy()[entry], factor * values, rtol=1e-5)


def test_training_finds_the_classes(shared, examples):
    for step in range(20):
        train(shared, examples, [ARCHITECTURE], step)
    part = part_of(examples, 8)
    assert validation_score(shared, part, ARCHITECTURE, use_batch_statistics=True) == 1.0


def test_metrics_are_sums_over_the_batch(shared, examples):
    metrics = train(shared, examples, [ARCHITECTURE])
    assert float(metrics.examples) == 8.0
    assert 0.0 <= float(metrics.correct) <= 8.0


def test_nothing_is_traced_again_for_another_architecture(examples, monkeypatch):
    weights = SharedWeights(SPACE.replace(num_operations=2), CONFIG, steps_per_epoch=10)
    forward, traces = weights.supernet.forward, []

    def counted(*args, **kwargs):
        traces.append(kwargs["use_batch_statistics"])
        return forward(*args, **kwargs)

    monkeypatch.setattr(weights.supernet, "forward", counted)
    for step in range(4):
        architecture = SPACE.replace(num_operations=2).random_architecture(step)
        train(weights, examples, [architecture], step)
        rewards_of(weights, examples, [architecture])
    assert len(traces) == 2


@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_a_reward_is_the_accuracy_without_dropout(examples, statistics):
    config = CONFIG.replace(reward_statistics=statistics)
    weights = SharedWeights(SPACE, config, steps_per_epoch=10)
    train(weights, examples, [ARCHITECTURE])
    rewards = rewards_of(weights, examples, [ARCHITECTURE, OTHER])
    expected = []
    for start, architecture in ((0, ARCHITECTURE), (8, OTHER)):
        images, labels = (array[start : start + 8] for array in examples)
        decisions = weights.supernet.decisions_of(architecture)
        logits, _ = weights.supernet.forward(
            images, decisions, use_batch_statistics=statistics == "batch"
        )
        expected.append(np.mean(np.argmax(logits, axis=1) == labels))
    np.testing.assert_allclose(rewards, expected)
    assert rewards_of(weights, examples, [ARCHITECTURE, OTHER]) == rewards


def test_after_going_back_dropout_is_another(shared, examples):
    losses = []
    for rollbacks in (0, 0, 1):
        variables = shared.supernet.variables
        before = values_of(variables)
        metrics = train(shared, examples, [ARCHITECTURE], 0, rollbacks)
        losses.append(float(metrics.loss))
        for variable, value in zip(variables, before):
            variable.assign(value)
    assert losses[0] == losses[1] != losses[2]


def test_weights_that_are_not_finite_are_found(shared):
    shared.check_finite()
    stem = shared.supernet.stem.kernel
    stem.assign(stem * np.inf)
    with pytest.raises(NumericalError, match="shared weights are not finite"):
        shared.check_finite()


def test_scoring_changes_no_weight(shared, examples):
    before = values_of(shared.supernet.variables)
    rewards_of(shared, examples, [ARCHITECTURE])
    validation_score(shared, examples, OTHER, use_batch_statistics=True)
    for value, variable in zip(before, shared.supernet.variables):
        np.testing.assert_array_equal(value, variable.numpy())


def accuracy(weights, examples, architecture):
    images, labels = examples
    logits = weights.supernet(images, architecture, training=False)
    return np.mean(np.argmax(logits, axis=1) == labels)


def test_validation_score_counts_the_smaller_last_batch_by_its_examples(shared, examples):
    train(shared, examples, [ARCHITECTURE])
    score = validation_score(shared, examples, ARCHITECTURE, use_batch_statistics=False)
    np.testing.assert_allclose(score, accuracy(shared, examples, ARCHITECTURE))


def refitted(weights, examples, architecture):
    weights.refit_statistics(weights.batches(batches_of(part_of(examples, 24))), architecture)
    banks = weights.supernet.normalization_banks().values()
    return [value for bank in banks for value in values_of(bank.non_trainable_variables)]


@pytest.mark.parametrize("moving", ["debiased", "release"])
def test_refitted_statistics_are_those_of_one_architecture_alone(examples, moving):
    space = SPACE.replace(moving_statistics=moving)
    weights = SharedWeights(space, CONFIG, steps_per_epoch=10)
    alone = refitted(weights, examples, ARCHITECTURE)
    refitted(weights, examples, OTHER)
    for value, expected in zip(refitted(weights, examples, ARCHITECTURE), alone):
        np.testing.assert_array_equal(value, expected)


def test_refitting_leaves_the_trained_weights(shared, examples):
    before = values_of(shared.supernet.trainable_variables)
    refitted(shared, examples, OTHER)
    for value, variable in zip(before, shared.supernet.trainable_variables):
        np.testing.assert_array_equal(value, variable.numpy())


@pytest.fixture(scope="module")
def traced_replicas(two_devices):
    strategy = mirrored_cpus(two_devices)
    return SharedWeights(WITHOUT_DROPOUT, CONFIG, 10, distribution=strategy)


@pytest.fixture
def replicated(traced_replicas):
    """Shared weights on two devices in their initial state."""
    yield from restored_after(traced_replicas)


def halves_of(examples):
    images, labels = examples
    return [(tf.constant(images[i : i + 4]), tf.constant(labels[i : i + 4])) for i in (0, 4)]


@pytest.mark.parametrize("pair", [(ARCHITECTURE, ARCHITECTURE), (ARCHITECTURE, OTHER)])
def test_replicas_take_one_step_on_their_own_architectures(replicated, examples, pair):
    metrics = train(replicated, examples, pair)
    supernet = WITHOUT_DROPOUT.build_supernet(seed=CONFIG.seed)
    optimizer = build_optimizer(CONFIG.shared_weights, 10)
    variables = supernet.trainable_variables
    optimizer.build(variables)
    statistics = []
    with tf.GradientTape() as tape:
        loss = 0.0
        for (images, labels), architecture in zip(halves_of(examples), pair):
            logits, collected = supernet.forward(
                images, supernet.decisions_of(architecture), use_batch_statistics=True
            )
            statistics.append(collected)
            loss += classification_metrics(labels, logits).loss
        mean = loss / 8.0
    gradients = tape.gradient(mean, [variable.value for variable in variables])
    apply_gradients(optimizer, gradients, variables, CONFIG.shared_weights)
    supernet.update_statistics(tf.nest.map_structure(tf.add, *statistics))
    np.testing.assert_allclose(metrics.loss, loss, rtol=1e-5)
    assert float(metrics.examples) == 8.0
    for variable, expected in zip(replicated.supernet.weights, supernet.weights, strict=True):
        np.testing.assert_allclose(
            variable.numpy(), expected.numpy(), rtol=1e-4, atol=1e-6, err_msg=variable.path
        )


def test_moving_statistics_are_the_mean_of_the_replicas_that_ran_an_entry(replicated, examples):
    train(replicated, examples, [ARCHITECTURE, OTHER])
    supernet = WITHOUT_DROPOUT.build_supernet(seed=CONFIG.seed)
    means = []
    for (images, _), architecture in zip(halves_of(examples), [ARCHITECTURE, OTHER]):
        decisions = supernet.decisions_of(architecture)
        _, statistics = supernet.forward(images, decisions, use_batch_statistics=True)
        means.append({name: part.mean.numpy() for name, part in statistics.items()})
    banks = replicated.supernet.normalization_banks()
    both = (means[0]["stem_norm"] + means[1]["stem_norm"]) / 2.0
    np.testing.assert_allclose(banks["stem_norm"].moving_mean.numpy(), both, rtol=1e-4, atol=1e-6)
    moving = banks["input_norm"].moving_mean.numpy()
    for replica, entry in ((0, 0), (0, 6 + 3), (1, 5), (1, 6 + 1)):
        expected = means[replica]["input_norm"][entry]
        np.testing.assert_allclose(moving[entry], expected, rtol=1e-4, atol=1e-6)
    counts = banks["input_norm"].num_updates.numpy()
    np.testing.assert_array_equal(np.flatnonzero(counts), [0, 5, 7, 9])


def test_replicas_stay_alike(replicated, examples):
    for step in range(3):
        train(replicated, examples, [ARCHITECTURE, OTHER], step)
    for variable in replicated.supernet.variables:
        first, second = replicated.distribution.experimental_local_results(variable.value)
        np.testing.assert_array_equal(first, second)


def test_replicas_take_several_steps_in_one_call(replicated, examples):
    def after(most):
        batches = iter(replicated.batches(lambda share: divided(examples)(share).repeat()))
        for step in range(0, 2, most):
            pairs = [ARCHITECTURE, OTHER, OTHER, OTHER][2 * step : 2 * (step + most)]
            replicated.train_several(batches, WITHOUT_DROPOUT.encode(pairs), step, most)
        return values_of([*replicated.supernet.variables, *replicated.optimizer.variables])

    variables = [*replicated.supernet.variables, *replicated.optimizer.variables]
    start = values_of(variables)
    single = after(1)
    for variable, value in zip(variables, start):
        variable.assign(value)
    for value, expected in zip(after(2), single, strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("use_batch_statistics", [True, False])
def test_a_score_does_not_depend_on_the_number_of_devices(
    replicated, shared, examples, use_batch_statistics
):
    train(replicated, examples, [ARCHITECTURE, OTHER])
    for variable, trained in zip(shared.supernet.weights, replicated.supernet.weights):
        variable.assign(trained.numpy())
    # Three batches, so that one replica repeats the last one, which has three examples.
    options = {"use_batch_statistics": use_batch_statistics}
    part = part_of(examples, 19)
    score = validation_score(replicated, part, ARCHITECTURE, **options)
    assert score == validation_score(shared, part, ARCHITECTURE, **options)


def test_rewards_do_not_depend_on_the_number_of_devices(replicated, shared, examples):
    for weights in (replicated, shared):
        train(weights, examples, [ARCHITECTURE, OTHER][: weights.num_replicas])
    for variable, trained in zip(shared.supernet.weights, replicated.supernet.weights):
        variable.assign(trained.numpy())
    sampled, three_batches = [ARCHITECTURE, OTHER, ARCHITECTURE], part_of(examples, 24)
    rewards = rewards_of(replicated, three_batches, sampled)
    assert len(rewards) == 3
    assert rewards == rewards_of(shared, three_batches, sampled)


@pytest.mark.long
def test_a_macro_f1_is_that_of_all_examples_on_any_number_of_devices(two_devices, examples):
    config = CONFIG.replace(reward_metric="macro_f1")
    part, three_batches = part_of(examples, 19), part_of(examples, 24)
    results = []
    for strategy in (None, mirrored_cpus(two_devices)):
        weights = SharedWeights(WITHOUT_DROPOUT, config, 10, distribution=strategy)
        score = validation_score(weights, part, ARCHITECTURE, use_batch_statistics=False)
        results.append((score, rewards_of(weights, three_batches, [ARCHITECTURE, OTHER, OTHER])))
    assert results[0] == results[1]
    (images, labels), supernet = part, weights.supernet
    predictions = np.argmax(supernet(images, ARCHITECTURE, training=False), axis=1)
    assert results[0][0] == f1_score(labels, predictions, average="macro", zero_division=0.0)


def test_refitted_statistics_do_not_depend_on_the_number_of_devices(replicated, shared, examples):
    for values, expected in zip(*(refitted(w, examples, OTHER) for w in (replicated, shared))):
        np.testing.assert_array_equal(values, expected)


def test_replicas_may_share_one_architecture(examples, two_devices):
    config = CONFIG.replace(samples_per_step=1)
    strategy = mirrored_cpus(two_devices)
    together = SharedWeights(WITHOUT_DROPOUT, config, 10, distribution=strategy)
    each = SharedWeights(WITHOUT_DROPOUT, CONFIG, 10, distribution=strategy)
    train(together, examples, [ARCHITECTURE])
    train(each, examples, [ARCHITECTURE, ARCHITECTURE])
    for variable, expected in zip(together.supernet.weights, each.supernet.weights):
        np.testing.assert_array_equal(variable.numpy(), expected.numpy())
