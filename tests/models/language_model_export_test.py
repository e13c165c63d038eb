import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.texts.tokenization import tokenize
from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.errors import ExportError
from enas_tf.models.export import export, load_model
from enas_tf.models.language_model import evaluate_perplexity
from enas_tf.models.language_model_export import SavedLanguageModel, split_words
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.network import build_rnn_network
from tests.warm_up_requests import read_warm_up_requests

WORDS = ("<unk>", "ä", "<eos>", ",", *"abcdefghijklmnop")
TEXTS = ["a b, zzz\n\nÄ c", "", "D"]


def network(architecture, vocabulary=None):
    return build_rnn_network(
        architecture,
        RnnNetworkConfig(hidden_size=8, initial_range=0.5),
        vocabulary_size=len(WORDS),
        vocabulary=vocabulary,
    )


@pytest.fixture(scope="module")
def model():
    return network(RnnArchitecture.from_release_string("0 2 1 0"), Vocabulary(WORDS, "words"))


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    export(model, folder)
    return folder


@pytest.fixture(scope="module")
def signatures(folder):
    return tf.saved_model.load(str(folder / "1")).signatures


@pytest.fixture(scope="module")
def tokens():
    return np.random.default_rng(0).integers(0, len(WORDS), (3, 7)).astype(np.int32)


def log_probabilities(model, tokens):
    return tf.nn.log_softmax(model(tokens)).numpy()


def perplexities(model, tokens):
    logits = model(tokens[:, :-1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tokens[:, 1:], logits)
    return np.exp(np.mean(losses, axis=1))


def tensors(inputs):
    types = {"text": tf.string}
    return {name: tf.constant(array, types.get(name)) for name, array in inputs.items()}


@pytest.mark.end_to_end
def test_saved_model_answers_with_tensorflow_alone(model, folder, tokens, tmp_path):
    np.save(tmp_path / "tokens.npy", tokens)
    script = """
        import json, sys
        sys.modules["enas_tf"] = sys.modules["keras"] = None
        import numpy, tensorflow as tf
        signatures = tf.saved_model.load(sys.argv[1]).signatures
        tokens = tf.constant(numpy.load("tokens.npy"))
        outputs = signatures["serving_default"](tokens=tokens)
        texts = signatures["serving_text"](text=tf.constant(sys.argv[2:]))
        print(json.dumps({
            "default": {name: tensor.numpy().tolist() for name, tensor in outputs.items()},
            "text": {name: tensor.numpy().tolist() for name, tensor in texts.items()},
        }))
    """
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), folder / "1", *TEXTS],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    answer = json.loads(finished.stdout.splitlines()[-1])
    default = answer["default"]
    np.testing.assert_allclose(
        default["log_probabilities"], log_probabilities(model, tokens), atol=1e-5
    )
    np.testing.assert_allclose(default["perplexity"], perplexities(model, tokens), rtol=1e-5)
    assert answer["text"]["num_tokens"] == [8, 1, 2]


def test_signatures_have_the_names_and_types_of_the_contract(signatures):
    default = signatures["serving_default"]
    assert default.structured_input_signature[1] == {
        "tokens": tf.TensorSpec([None, None], tf.int32, name="tokens")
    }
    outputs = {
        name: (spec.dtype, spec.shape.rank) for name, spec in default.structured_outputs.items()
    }
    assert outputs == {"log_probabilities": (tf.float32, 3), "perplexity": (tf.float32, 1)}
    assert signatures["serving_text"].structured_input_signature[1] == {
        "text": tf.TensorSpec([None], tf.string, name="text")
    }


def test_texts_are_read_as_their_tokens(model, signatures):
    outputs = signatures["serving_text"](text=tf.constant(TEXTS))
    for row, text in enumerate(TEXTS):
        tokens = model.vocabulary.encode(["<eos>", *tokenize(text, "words")])[None]
        expected = signatures["serving_default"](tokens=tf.constant(tokens))
        length = tokens.shape[1]
        assert outputs["num_tokens"][row] == length
        actual = outputs["log_probabilities"][row]
        np.testing.assert_allclose(actual[:length], expected["log_probabilities"][0], atol=1e-5)
        assert not np.any(actual[length:])
        np.testing.assert_allclose(outputs["perplexity"][row], expected["perplexity"][0], rtol=1e-5)


def test_a_single_token_has_the_perplexity_one(signatures):
    outputs = signatures["serving_default"](tokens=tf.constant([[4], [5]]))
    np.testing.assert_array_equal(outputs["perplexity"], [1.0, 1.0])


@pytest.mark.parametrize("token", [-1, len(WORDS)])
def test_a_token_that_no_word_has_is_an_error(signatures, token):
    with pytest.raises(tf.errors.InvalidArgumentError, match="numbers of words from 0 to 19"):
        signatures["serving_default"](tokens=tf.constant([[1, token]]))


@pytest.mark.parametrize("tokenization", ["blanks", "words"])
def test_the_graph_divides_texts_as_training_does(tokenization):
    texts = [
        "A b-c  d.e\n \n f <unk>,<eos> g\r\nh\ti\n",
        "\n\nÄÖ «x» it's\v3.14\f(50 %)\u00a0y\u2003z",
        "",
        " \n ",
        'He said: "no!"\n...',
    ]
    words = split_words(tf.constant(texts), tokenization).to_list()
    decoded = [[word.decode() for word in row] for row in words]
    assert decoded == [tokenize(text, tokenization) for text in texts]


@pytest.mark.parametrize(
    "architecture", [RnnArchitecture.from_release_string("0 2 1 0"), LstmBaseline()]
)
def test_saved_model_is_read_back(architecture, tokens, tmp_path):
    model = network(architecture, Vocabulary(WORDS, "blanks"))
    export(model, tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.vocabulary == model.vocabulary
    np.testing.assert_allclose(loaded(tokens), log_probabilities(model, tokens), atol=1e-5)
    expected, actual = (evaluate_perplexity(m, tokens.ravel()) for m in (model, loaded))
    assert actual.tokens == expected.tokens
    assert actual.loss == pytest.approx(expected.loss, rel=1e-5)


def test_two_steps_are_one_long_one(signatures, tokens):
    step = signatures["serving_step"]
    first = step(tokens=tf.constant(tokens[:, :3]), state=tf.zeros([3, 8]))
    second = step(tokens=tf.constant(tokens[:, 3:]), state=first["state"])
    whole = signatures["serving_default"](tokens=tf.constant(tokens))
    np.testing.assert_allclose(
        second["log_probabilities"], whole["log_probabilities"][:, 3:], atol=1e-5
    )


def test_keras_file_is_read_back(model, tokens, tmp_path):
    loaded = load_model(export(model, tmp_path / "model.keras", format="keras"))
    np.testing.assert_array_equal(loaded(tokens), model(tokens))
    assert loaded.vocabulary == model.vocabulary


def test_without_a_vocabulary_there_are_tokens_only(tmp_path):
    model = network(LstmBaseline())
    path = export(model, tmp_path)
    assert not (path / "assets" / "vocabulary.txt").exists()
    assert set(tf.saved_model.load(str(path)).signatures) == {"serving_default", "serving_step"}
    assert load_model(path).vocabulary is None


def test_words_are_an_asset(folder):
    text = (folder / "1" / "assets" / "vocabulary.txt").read_text(encoding="utf-8")
    assert text == "".join(f"{word}\n" for word in WORDS)


def test_a_saved_model_is_saved_again(folder, tokens, tmp_path):
    loaded = load_model(folder)
    again = load_model(export(loaded, tmp_path))
    assert isinstance(again, SavedLanguageModel)
    np.testing.assert_allclose(again(tokens), loaded(tokens), atol=1e-6)


def test_a_saved_model_becomes_no_keras_file(folder, tmp_path):
    with pytest.raises(ExportError, match="output folder of the retraining"):
        export(load_model(folder), tmp_path / "model.keras", format="keras")


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("serving_default", {"tokens": np.zeros([5], np.int32)}, r"tokens \[5\] is not compat"),
        ("serving_default", {"tokens": np.zeros([2, 0], np.int32)}, "at least one token in each"),
        (
            "serving_default",
            {"tokens": np.zeros([2, 5], np.float32)},
            "expected to be a int32 tensor",
        ),
        ("serving_text", {"text": np.array("a b")}, r"text \[\] is not compatible"),
        (
            "serving_step",
            {"tokens": np.zeros([2, 1], np.int32), "state": np.zeros([2, 4], np.float32)},
            r"state \[2,4\] is not compatible with expected shape \[\?,8\]",
        ),
        (
            "serving_step",
            {"tokens": np.zeros([2, 1], np.int32), "state": np.zeros([1, 8], np.float32)},
            "as many rows as `tokens`",
        ),
    ],
)
def test_inputs_of_another_shape_or_type_are_an_error(signatures, signature, inputs, message):
    # Tensors, since NumPy arrays are converted to the type that is expected.
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        signatures[signature](**tensors(inputs))


@pytest.mark.parametrize(
    ("signature", "inputs", "shapes"),
    [
        (
            "serving_default",
            {"tokens": np.zeros([0, 5], np.int32)},
            {"log_probabilities": (0, 5, 20), "perplexity": (0,)},
        ),
        (
            "serving_default",
            {"tokens": np.zeros([0, 0], np.int32)},
            {"log_probabilities": (0, 0, 20), "perplexity": (0,)},
        ),
        (
            "serving_text",
            {"text": np.zeros([0])},
            {"log_probabilities": (0, 0, 20), "perplexity": (0,), "num_tokens": (0,)},
        ),
        (
            "serving_step",
            {"tokens": np.zeros([0, 1], np.int32), "state": np.zeros([0, 8], np.float32)},
            {"log_probabilities": (0, 1, 20), "state": (0, 8)},
        ),
    ],
)
def test_no_rows_are_answered_with_no_rows(signatures, signature, inputs, shapes):
    outputs = signatures[signature](**tensors(inputs))
    assert {name: tuple(tensor.shape) for name, tensor in outputs.items()} == shapes


def test_warm_up_requests_are_answered(folder, signatures):
    requests = read_warm_up_requests(folder / "1")
    names = ["serving_default", "serving_step", "serving_text"]
    assert sorted(name for name, _ in requests) == sorted(names * 2)
    answers = [signatures[name](**inputs)["log_probabilities"] for name, inputs in requests]
    assert [len(answer) for answer in answers] == [1, 1, 1, 8, 8, 8]


def test_names_of_classes_are_refused(model, tmp_path):
    with pytest.raises(ExportError, match="has no classes"):
        export(model, tmp_path, label_names=["a"])


@pytest.mark.parametrize("content", ["{}", "[1]", "text"])
def test_a_damaged_saved_model_is_refused(tmp_path, content):
    (tmp_path / "1" / "assets").mkdir(parents=True)
    (tmp_path / "1" / "saved_model.pb").write_text("text")
    (tmp_path / "1" / "assets" / "language_model.json").write_text(content)
    with pytest.raises(ExportError, match="not a SavedModel of a language model"):
        load_model(tmp_path)
