import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.errors import DataError, ExportError
from enas_tf.models.language_model import TextScorer, encode_for, evaluate_perplexity
from enas_tf.spaces.rnn.architecture import RnnArchitecture
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.network import build_rnn_network

WORDS = ("<unk>", "<eos>", *"abcdefghijklmnopqr")


@pytest.fixture(scope="module")
def model():
    return build_rnn_network(
        RnnArchitecture.from_release_string("0 2 1 0"),
        RnnNetworkConfig(hidden_size=8, initial_range=0.5),
        vocabulary_size=len(WORDS),
        vocabulary=Vocabulary(WORDS),
    )


@pytest.fixture(scope="module")
def tokens():
    return np.random.default_rng(0).integers(0, len(WORDS), 30).astype(np.int32)


def test_every_word_but_the_first_is_predicted_from_all_before_it(model, tokens):
    logits = model(tokens[None, :-1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tokens[None, 1:], logits)
    evaluation = evaluate_perplexity(model, tokens)
    assert evaluation.tokens == 29
    assert evaluation.loss == pytest.approx(float(tf.reduce_mean(losses)), rel=1e-5)
    assert evaluation.perplexity == pytest.approx(np.exp(evaluation.loss))


def test_the_length_of_segments_changes_nothing(model, tokens):
    whole = evaluate_perplexity(model, tokens)
    parts = evaluate_perplexity(model, tokens, segment_length=4)
    assert parts.tokens == whole.tokens
    assert parts.loss == pytest.approx(whole.loss, rel=1e-5)


def test_rows_are_streams_of_their_own(model, tokens):
    together = TextScorer(model)(tokens[:21], rows=2, length=4)
    apart = [evaluate_perplexity(model, part) for part in (tokens[:11], tokens[10:21])]
    assert together.tokens == 20
    assert together.loss == pytest.approx(np.mean([part.loss for part in apart]), rel=1e-5)


def test_a_model_that_knows_nothing_has_the_perplexity_of_its_vocabulary(tokens):
    model = build_rnn_network(
        RnnArchitecture.from_release_string("0 2 1 0"),
        RnnNetworkConfig(hidden_size=8),
        vocabulary_size=20,
    )
    model.embedding.assign(np.zeros((20, 8)))
    assert evaluate_perplexity(model, tokens).perplexity == pytest.approx(20.0, rel=1e-5)


def test_a_text_is_read_with_the_models_vocabulary(model):
    np.testing.assert_array_equal(encode_for(model, "c x\na\n"), [4, 0, 1, 2, 1])
    np.testing.assert_array_equal(encode_for(model, "c x\na\n", max_tokens=2), [4, 0])


def test_a_text_without_words_is_refused(model):
    with pytest.raises(DataError, match="at least two words"):
        encode_for(model, "c")


def test_a_model_without_a_vocabulary_reads_no_text():
    model = build_rnn_network(
        RnnArchitecture.from_release_string("0 2"),
        RnnNetworkConfig(hidden_size=2),
        vocabulary_size=20,
    )
    with pytest.raises(ExportError, match="does not know its vocabulary"):
        encode_for(model, "a b")
