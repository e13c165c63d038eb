"""The macro supernet's own behaviour; comparisons with the release are in supernet_parity_test."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.macro.architecture import MacroArchitecture, MacroLayer, MacroOperation
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.macro.supernet import add_if_chosen

NUM_LAYERS = 3
LAYERS = pytest.mark.parametrize("layer", range(NUM_LAYERS))


def build(**settings):
    sizes = {"num_layers": NUM_LAYERS, "filters": 4, "input_shape": (8, 8, 2), "num_classes": 3}
    return MacroSpace(**{**sizes, **settings}).build_supernet(seed=1)


# Those of a space that chooses none.
OPERATIONS = [operation for operation in MacroOperation if operation.label != "identity"]


def pictures(shape=(8, 8, 2), batch=6, seed=0):
    values = np.random.default_rng(seed).normal(size=(batch, *shape))
    return tf.constant(values.astype(np.float32))


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
def logits_of(supernet, images):
    """The logits of an architecture, by one traced function for all of them."""

    @tf.function(autograph=False)
    def run(decisions):
        return supernet.forward(images, decisions, use_batch_statistics=True)[0]

    def logits_of(architecture):
        return run(supernet.decisions_of(architecture)).numpy()

    logits_of.function = run
    return logits_of


@pytest.fixture(scope="module")
def gradients_of(supernet, images):
    """The gradient of the cross-entropy for every weight, by the id of its variable."""
    labels = tf.constant([0, 1, 2, 0, 1, 2])

    @tf.function(autograph=False)
    def run(decisions):
        variables = [variable.value for variable in supernet.trainable_variables]
        with tf.GradientTape() as tape:
            logits, _ = supernet.forward(images, decisions, use_batch_statistics=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        return [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, variables)]

    def gradients_of(architecture):
        gradients = run(supernet.decisions_of(architecture))
        return {id(v): g.numpy() for v, g in zip(supernet.trainable_variables, gradients)}

    gradients_of.function = run
    return gradients_of


def with_operation(layer, operation):
    """A network that has all skips, and one operation other than the first one."""
    layers = [
        MacroLayer(MacroOperation(operation if index == layer else 0), tuple(range(index)))
        for index in range(NUM_LAYERS)
    ]
    return MacroArchitecture(tuple(layers))


@LAYERS
def test_each_operation_gives_other_logits(logits_of, layer):
    logits = [logits_of(with_operation(layer, operation)) for operation in OPERATIONS]
    for one, other in itertools.combinations(logits, 2):
        assert np.max(np.abs(one - other)) > 1e-3


def entries_with_gradient(bank, gradients):
    """Indices of the entries of a bank of which some weight has a gradient."""
    nonzero = set()
    for variable in bank.trainable_variables:
        gradient = gradients[id(variable)]
        axes = tuple(range(1, gradient.ndim))
        nonzero |= set(np.flatnonzero(np.any(gradient != 0.0, axis=axes)).tolist())
    return nonzero


@LAYERS
@pytest.mark.parametrize("operation", OPERATIONS)
def test_only_weights_of_chosen_operations_get_a_gradient(supernet, gradients_of, layer, operation):
    architecture = with_operation(layer, operation)
    gradients = gradients_of(architecture)
    chosen = [int(choice.operation) for choice in architecture.layers]
    layers = supernet.supernet_layers
    inputs = {6 * index + number for index, number in enumerate(chosen)}
    assert entries_with_gradient(layers.input_kernels, gradients) == inputs
    assert entries_with_gradient(layers.input_norm, gradients) == inputs
    convolutions = {4 * index + number for index, number in enumerate(chosen) if number < 4}
    assert entries_with_gradient(layers.operation_norm, gradients) == convolutions
    for number, banks in enumerate(layers.operation_kernels):
        expected = {index for index, choice in enumerate(chosen) if choice == number}
        for bank in banks:
            assert entries_with_gradient(bank, gradients) == expected


def test_stem_reductions_and_classifier_always_get_a_gradient(supernet, gradients_of):
    gradients = gradients_of(with_operation(0, 0))
    for bank in (supernet.stem, supernet.classifier, supernet.skip_norm, supernet.reduction_norm):
        assert len(entries_with_gradient(bank, gradients)) == bank.num_entries


def snapshot(supernet):
    return {
        name: [v.numpy() for v in (bank.moving_mean, bank.moving_variance, bank.num_updates)]
        for name, bank in supernet.normalization_banks().items()
    }


def changed_entries(before, after, name):
    """Entries of a bank whose moving mean, variance and number of updates have changed."""
    changed = [
        set(np.flatnonzero(np.any(one != other, axis=1)).tolist())
        for one, other in zip(before[name], after[name])
    ]
    assert changed[0] == changed[1] == changed[2]
    return changed[0]


@pytest.mark.parametrize("text", ["0 1 1 5 0 1", "4 3 0 2 1 1"])
def test_only_moving_statistics_of_what_ran_change(supernet, images, text):
    architecture = MacroArchitecture.from_release_string(text)
    before = snapshot(supernet)
    supernet(images, architecture, training=True)
    after = snapshot(supernet)
    chosen = [int(layer.operation) for layer in architecture.layers]
    inputs = {6 * index + number for index, number in enumerate(chosen)}
    assert changed_entries(before, after, "input_norm") == inputs
    convolutions = {4 * index + number for index, number in enumerate(chosen) if number < 4}
    assert changed_entries(before, after, "operation_norm") == convolutions
    for name in ("stem_norm", "skip_norm", "reduction_norm"):
        assert changed_entries(before, after, name) == set(range(len(before[name][0])))


def test_a_rarely_chosen_operation_is_judged_by_its_own_batch():
    supernet = build(num_layers=1)
    often, once = (MacroArchitecture.from_release_string(text) for text in ("0", "3"))
    for seed in range(10):
        supernet(pictures(seed=seed), often, training=True)
    images = 5.0 + 3.0 * pictures(seed=99)
    supernet(images, once, training=True)
    decisions = supernet.decisions_of(once)
    _, statistics = supernet.forward(images, decisions, use_batch_statistics=True)
    bank, batch = supernet.supernet_layers.operation_norm, statistics["operation_norm"]
    np.testing.assert_array_equal(bank.num_updates.numpy()[:, 0], [10, 0, 0, 1])
    np.testing.assert_allclose(bank.moving_mean.numpy()[3], batch.mean[3], rtol=1e-5)
    np.testing.assert_allclose(bank.moving_variance.numpy()[3], batch.variance[3], rtol=1e-5)


def test_evaluation_changes_nothing(supernet, images):
    before = snapshot(supernet)
    architecture = with_operation(0, 1)
    first = supernet(images, architecture, training=False)
    np.testing.assert_array_equal(supernet(images, architecture), first)
    after = snapshot(supernet)
    assert all(not changed_entries(before, after, name) for name in before)


def test_dropout_is_on_in_training_only():
    supernet = build(num_layers=1, dropout_rate=0.5)
    architecture = MacroArchitecture.from_release_string("0")
    decisions = supernet.decisions_of(architecture)
    images, labels = pictures(), tf.constant([0, 1, 2, 0, 1, 2])
    plain, _ = supernet.forward(images, decisions, use_batch_statistics=True)
    masked = [
        supernet.training_pass((images, labels), decisions, (), tf.constant([0, seed])).metrics.loss
        for seed in (0, 0, 1)
    ]
    assert float(masked[0]) == float(masked[1]) != float(masked[2])
    for use_batch_statistics in (True, False):
        logits, _ = supernet.forward(images, decisions, use_batch_statistics=use_batch_statistics)
        score = supernet.score(
            (images, labels), decisions, use_batch_statistics=use_batch_statistics
        )
        correct = np.sum(np.argmax(logits, axis=1) == labels.numpy())
        assert (float(score.total), float(score.count)) == (correct, 6.0)
    np.testing.assert_array_equal(
        supernet.forward(images, decisions, use_batch_statistics=True)[0], plain
    )


@pytest.mark.parametrize(("bit", "expected"), [(0, 3.0), (1, 5.0)])
def test_a_source_is_added_if_its_bit_is_one(bit, expected):
    values = tf.fill([1, 1, 1, 1], 2.0), tf.fill([1, 1, 1, 1], 3.0)
    source, outputs = add_if_chosen(*values, tf.constant(bit))
    assert (float(tf.squeeze(source)), float(tf.squeeze(outputs))) == (2.0, expected)


@pytest.fixture(scope="module")
def counting_supernet():
    """A supernet on pictures of one colour whose layers multiply by 2, 3 and 5."""
    supernet = build(filters=2, input_shape=(3, 3, 1), num_classes=2)
    for variable in supernet.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    for bank in supernet.normalization_banks().values():
        bank.scale.assign(np.full(bank.scale.shape, np.sqrt(1.0 + bank.epsilon)))
    stem = np.zeros((1, 3, 3, 1, 2))
    stem[0, 1, 1, 0] = 1.0
    supernet.stem.kernel.assign(stem)
    factors = np.repeat([2.0, 3.0, 5.0], 6)
    supernet.supernet_layers.input_kernels.kernel.assign(factors[:, None, None] * np.eye(2))
    supernet.classifier.kernel.assign(np.eye(2)[None])
    return supernet


@pytest.mark.parametrize("bits", itertools.product([0, 1], repeat=3))
def test_a_skip_bit_adds_the_input_of_a_layer(counting_supernet, bits):
    # Max pooling leaves a picture of one colour as it is.
    text = f"5 | 5 {bits[0]} | 5 {bits[1]} {bits[2]}"
    architecture = MacroArchitecture.from_release_string(text)
    stem = 7.0
    first = 2 * stem
    second = 3 * first + bits[0] * stem
    third = 5 * second + bits[1] * stem + bits[2] * first
    logits = counting_supernet(tf.fill([1, 3, 3, 1], stem), architecture)
    np.testing.assert_allclose(logits, [[third, third]], rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((1, 1, 1), {"num_layers": 1, "num_classes": 2, "num_operations": 1}),
        ((3, 3, 1), {"num_layers": 2, "num_operations": 6}),
        ((7, 9, 1), {"num_classes": 2, "num_operations": 2}),
        ((13, 15, 3), {"num_operations": 3}),
        ((8, 5, 2), {"num_operations": 4}),
        ((16, 16, 1), {"num_operations": 5, "search_whole_channels": False}),
        ((4, 4, 3), {"num_layers": 1, "search_whole_channels": False}),
    ],
)
def test_any_size_works(shape, settings):
    supernet = build(input_shape=shape, **settings)
    architecture = supernet.space.random_architecture(seed=0)
    for training in (True, False):
        logits = supernet(pictures(shape, batch=2), architecture, training=training)
        assert logits.shape == (2, supernet.space.num_classes)
        assert np.all(np.isfinite(logits))


def test_no_two_banks_start_alike():
    banks = [v for v in build().trainable_variables if v.name == "kernel"]
    for one, other in itertools.combinations(banks, 2):
        assert one.numpy().flat[0] != other.numpy().flat[0]
