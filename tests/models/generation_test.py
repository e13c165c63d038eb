import numpy as np
import pytest

from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.errors import ConfigurationError, ExportError
from enas_tf.models.export import export, load_model
from enas_tf.models.generation import generate, unknown_words
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.network import build_rnn_network

WORDS = ("<unk>", "<eos>", *"abcdefgh")


def network(architecture, vocabulary):
    return build_rnn_network(
        architecture,
        RnnNetworkConfig(hidden_size=8, initial_range=1.0),
        vocabulary_size=len(WORDS),
        vocabulary=vocabulary,
        seed=1,
    )


@pytest.fixture(scope="module")
def model():
    return network(RnnArchitecture.from_release_string("0 2 1 0"), Vocabulary(WORDS))


def test_the_same_seed_gives_the_same_text(model):
    options = {"num_words": 30, "temperature": 2.0}
    assert generate(model, "a b", seed=5, **options) == generate(model, "a b", seed=5, **options)
    assert generate(model, "a b", seed=5, **options) != generate(model, "a b", seed=6, **options)


def test_without_temperature_the_likeliest_word_comes(model):
    vocabulary = model.vocabulary
    expected = vocabulary.encode_text("a b").tolist()
    for _ in range(6):
        logits = model(np.array([[1, *expected]], np.int32))[0, -1].numpy()
        logits[vocabulary.unknown_id] = -np.inf
        expected.append(int(logits.argmax()))
    text = generate(model, "a b", num_words=6, temperature=0.0)
    assert text == vocabulary.join(vocabulary.decode(expected))


def test_more_words_go_on_from_fewer(model):
    short = generate(model, "a", num_words=5, temperature=2.0)
    assert generate(model, "a", num_words=15, temperature=2.0).startswith(short)


def test_one_of_one_word_is_the_likeliest(model):
    options = {"num_words": 8, "temperature": 5.0}
    likeliest = generate(model, "a", num_words=8, temperature=0.0)
    assert generate(model, "a", top_k=1, **options) == likeliest
    assert generate(model, "a", **options) != likeliest


def test_extreme_temperatures_are_the_likeliest_and_any_word(model):
    likeliest = generate(model, "a", num_words=8, temperature=0.0)
    assert generate(model, "a", num_words=8, temperature=1e-300) == likeliest
    words = generate(model, "a", num_words=300, temperature=1e300).split()
    assert set(words) == set("abcdefgh")


@pytest.mark.parametrize("allowed", [False, True])
def test_unknown_words_come_only_when_allowed(model, allowed):
    text = generate(model, "a", num_words=60, temperature=9.0, allow_unknown=allowed)
    assert ("<unk>" in text) == allowed


def test_words_that_the_model_does_not_know_stay_and_are_told(model):
    assert generate(model, "zebra a yak zebra", num_words=1).startswith("zebra a yak zebra")
    assert unknown_words(model, "zebra a yak zebra") == ["zebra", "yak"]


def test_a_saved_model_says_the_same(tmp_path):
    model = network(LstmBaseline(), Vocabulary(WORDS))
    saved = load_model(export(model, tmp_path))
    options = {"num_words": 12, "temperature": 1.5, "seed": 2}
    assert generate(saved, "c\nd", **options) == generate(model, "c\nd", **options)


@pytest.mark.parametrize(
    "options",
    [{"num_words": -1}, {"temperature": -0.5}, {"temperature": float("nan")}, {"top_k": 0}],
)
def test_numbers_out_of_range_are_refused(model, options):
    with pytest.raises(ConfigurationError, match=f"`{next(iter(options))}` must be at least"):
        generate(model, **options)


def test_a_model_without_a_vocabulary_cannot_speak():
    with pytest.raises(ExportError, match="does not know its vocabulary"):
        generate(network(LstmBaseline(), None))
