import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.rnn.config import RnnRegularization
from enas_tf.spaces.rnn.language_modelling import draw_masks

RATES = RnnRegularization(
    word_dropout=0.1,
    embedding_dropout=0.2,
    input_dropout=0.5,
    node_dropout=0.25,
    output_dropout=0.75,
)


def masks(seed=(0, 1), rates=RATES):
    return draw_masks(rates, tf.constant(seed), rows=40, hidden=50, vocabulary=2000)


@pytest.mark.parametrize(
    ("name", "kept"), [("words", 0.9), ("inputs", 0.4), ("nodes", 0.75), ("outputs", 0.25)]
)
def test_masks_keep_a_share_and_scale_it_up(name, kept):
    mask = getattr(masks(), name).numpy()
    assert np.mean(mask > 0) == pytest.approx(kept, abs=0.03)
    np.testing.assert_allclose(mask[mask > 0], 1 / kept, rtol=1e-6)


def test_masks_have_one_entry_for_all_times():
    assert [tuple(mask.shape) for mask in masks()] == [(2000,), (40, 50), (40, 50), (40, 50)]


def test_the_same_seed_gives_the_same_masks():
    for first, second in zip(masks(), masks()):
        np.testing.assert_array_equal(first, second)


def test_another_seed_gives_other_masks():
    for first, second in zip(masks(), masks(seed=(0, 2))):
        assert np.any(first.numpy() != second.numpy())


def test_no_dropout_changes_nothing():
    zero = RnnRegularization(**dict.fromkeys(RATES.to_json(), 0.0))
    for mask in masks(rates=zero):
        assert np.all(mask.numpy() == 1.0)
