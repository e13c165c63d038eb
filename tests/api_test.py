"""The Python API as a user meets it: names, signatures, and what they give."""

import inspect
import re
import textwrap
import typing

import keras
import numpy as np
import pytest

import enas_tf

PICTURES = np.random.default_rng(0).integers(0, 256, (40, 6, 4, 2), np.uint8)
LABELS = np.arange(40) % 3
WORDS = ["a", "b", "c", "d"] * 20
# A space of each kind, before it knows its data.
SPACES = {
    "macro": enas_tf.MacroSpace(num_layers=2, filters=4, num_operations=2),
    "micro": enas_tf.MicroSpace(num_layers=1, filters=2, num_nodes=1, auxiliary_weight=0.0),
    "rnn": enas_tf.RnnSpace(num_nodes=2, hidden_size=4),
}
NETWORKS = {
    "macro": enas_tf.MacroNetworkConfig(filters=4),
    "micro": enas_tf.MicroNetworkConfig(num_layers=1, filters=2, auxiliary_weight=0.0),
    "rnn": enas_tf.RnnNetworkConfig(hidden_size=4),
}
SIGNATURES = {
    "search": "space data config output_dir * overwrite distribution on_epoch_end preset network "
    "verbose",
    "retrain": "architecture data config network output_dir * overwrite distribution on_event "
    "on_progress preset verbose",
    "evaluate": "model data part",
    "predict": "model pictures * top batch_size",
    "export": "model path * format label_names overwrite",
    "load_model": "path",
    "load_images": "config augmentation",
    "load_texts": "config",
    "load_architecture": "text space_name",
    "search_presets": "space",
    "retrain_presets": "space",
    "register_metric": "function name",
    "generate": "model text * num_words temperature top_k allow_unknown seed",
    "ImageData.from_arrays": "x_train y_train x_test y_test * x_validation y_validation "
    "label_names name config augmentation",
    "ImageData.from_datasets": "train parts * validation test label_names name config augmentation",
    "TextData.from_text": "train validation test * name config",
    "TextData.from_tokens": "train validation test * name config",
    "TextData.from_token_ids": "train validation test words * name config",
}
METHODS = {
    "for_data": "data",
    "random_architecture": "seed",
    "build_supernet": "seed",
    "build_controller": "seed",
    "build_network": "architecture config * portable seed",
}
# Their examples need nothing but this package and NumPy, and take no time.
WITH_EXAMPLES = (
    "ImageData.from_arrays",
    "TextData.from_text",
    "TextData.from_tokens",
    "TextData.from_token_ids",
    "load_images",
    "load_texts",
    "register_metric",
)


def public(name):
    value = enas_tf
    for part in name.split("."):
        value = getattr(value, part)
    return value


def arguments_of(function):
    """Returns the names of the arguments, with a star before those that only have a name."""
    names = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in names:
            names.append("*")
        names.append(parameter.name)
    return " ".join(names)


@pytest.fixture(scope="module", params=SPACES)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def data(kind):
    if kind == "rnn":
        return enas_tf.TextData.from_tokens(WORDS, WORDS, WORDS)
    return enas_tf.ImageData.from_arrays(PICTURES[:30], LABELS[:30], PICTURES[30:], LABELS[30:])


@pytest.fixture(scope="module")
def space(kind, data):
    return SPACES[kind].for_data(data)


@pytest.fixture(scope="module")
def batch(kind, data):
    """What a network of the space takes: normalised pictures, or words."""
    return data.test[None, :5] if kind == "rnn" else data.normalization().apply(data.x_test[:5])


@pytest.fixture(scope="module")
def controller(space):
    return space.build_controller()


@pytest.fixture(scope="module")
def sample(controller):
    return controller.sample(batch_size=8)


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_function_takes_what_is_documented(name):
    assert arguments_of(public(name)) == SIGNATURES[name]


@pytest.mark.parametrize("name", METHODS)
def test_a_space_has_its_methods(space, name):
    assert arguments_of(getattr(space, name)) == METHODS[name]


@pytest.mark.parametrize("name", sorted(set(enas_tf.__all__) - {"__version__"}))
def test_everything_public_says_what_it_is(name):
    assert inspect.getdoc(getattr(enas_tf, name))


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_example_of_the_documentation_runs(name):
    (example,) = re.findall(r"```python\n(.*?)```", inspect.getdoc(public(name)), re.DOTALL)
    exec(textwrap.dedent(example), {"enas_tf": enas_tf, "np": np})


def test_a_space_takes_the_sizes_of_the_data(space, kind):
    sizes = {"vocabulary_size": 5} if kind == "rnn" else {"input_shape": (6, 4, 2)}
    for name, size in sizes.items():
        assert getattr(space, name) == size
    assert space == SPACES[kind].replace(**sizes, **({} if kind == "rnn" else {"num_classes": 3}))


def test_other_data_are_refused(space, kind):
    other = enas_tf.ImageData if kind == "rnn" else enas_tf.TextData
    with pytest.raises(enas_tf.EnasError, match="Received: type"):
        space.for_data(other)


def test_an_architecture_is_a_value(space):
    architecture = space.random_architecture(seed=0)
    assert architecture == space.random_architecture(seed=0)
    assert len({architecture, space.random_architecture(seed=0)}) == 1
    kind = type(architecture)
    assert kind.from_release_string(architecture.to_release_string()) == architecture
    assert kind.from_json(architecture.to_json()) == architecture


def test_a_supernet_takes_an_architecture_or_its_decisions(space, batch):
    supernet = space.build_supernet()
    architecture = space.random_architecture(seed=1)
    logits = supernet(batch, architecture, training=False)
    assert logits.shape == (1, 5, 5) if space.name == "rnn" else (5, 3)
    np.testing.assert_array_equal(
        logits, supernet(batch, supernet.decisions_of(architecture), training=False)
    )


def test_a_controller_samples_architectures(space, sample):
    assert len(sample.architectures) == 8
    for architecture in sample.architectures:
        space.check(architecture)
    assert sample.log_probability.shape == sample.entropy.shape == (8,)


def test_a_controller_scores_what_it_sampled(controller, sample):
    scored = controller.score(sample.architectures)
    np.testing.assert_array_equal(scored.log_probability, sample.log_probability)
    np.testing.assert_array_equal(scored.entropy, sample.entropy)


def test_a_network_is_trained_by_keras_itself(space, kind, batch, tmp_path):
    network = space.build_network(space.random_architecture(seed=0), NETWORKS[kind])
    assert isinstance(network, keras.Model)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # Not traced, which would take longer than the few steps.
    network.compile("adam", loss, run_eagerly=True)
    targets = batch if kind == "rnn" else LABELS[:5]
    history = network.fit(batch, targets, epochs=1, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(batch, training=False), network(batch, training=False))


@pytest.mark.parametrize("name", ["search", "retrain", "evaluate", "study"])
def test_signatures_say_what_data_and_devices_are(name):
    parameters = inspect.signature(public(name)).parameters
    kinds = typing.get_args(parameters["data"].annotation)
    assert kinds == (enas_tf.ImageData, enas_tf.TextData)
    if "distribution" in parameters:
        assert "Strategy" in str(parameters["distribution"].annotation)
    assert inspect.signature(public(name)).return_annotation is not inspect.Signature.empty
