"""What a notebook shows of data, results and runs: short, and what one wants to know first."""

import numpy as np
import pytest

import enas_tf
from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.ranking import Candidate
from enas_tf.searching.result import SearchResult

PICTURES = np.zeros((1200, 6, 4, 3), np.uint8)
LABELS = np.arange(1200) % 3


def result():
    architecture = enas_tf.MacroArchitecture.from_release_string("0 | 3 1")
    first = Candidate(architecture, 0.75, "shared_weights_validation_accuracy", 0.75, 0.0125)
    return SearchResult.of_candidates([first, first], RunDirectory("runs/digits"))


SHOWN = {
    "pictures": (
        lambda: enas_tf.ImageData.from_arrays(
            PICTURES, LABELS, PICTURES[:30], LABELS[:30], name="zeros"
        ),
        "ImageData('zeros': 1,080 training, 120 validation and 30 test pictures of 6 x 4 x 3, "
        "3 classes)",
    ),
    "text": (
        lambda: enas_tf.TextData.from_tokens(
            500 * ["a", "b", "c"], ["a", "b"], ["b", "a"], name="abc"
        ),
        "TextData('abc': 1,500 training, 2 validation and 2 test words, 4 different)",
    ),
    "vocabulary": (
        lambda: Vocabulary(("<unk>", "a", "b")),
        "Vocabulary(3 words, tokenization='blanks')",
    ),
    "run": (lambda: RunDirectory("runs/digits"), "RunDirectory('runs/digits')"),
    "candidate": (
        lambda: result().candidates[0],
        "Candidate(0.7500 ± 0.0125, MacroArchitecture.from_release_string('0 3 1'))",
    ),
    "result": (
        result,
        "SearchResult(shared_weights_validation_accuracy 0.7500, the best of 2 candidates, "
        "MacroArchitecture.from_release_string('0 3 1'), RunDirectory('runs/digits'))",
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_it_is_one_short_line(name):
    make, shown = SHOWN[name]
    assert repr(make()) == shown


@pytest.mark.parametrize(
    ("name", "space"),
    [("enas_macro_release", "macro"), ("darts_v2", "micro"), ("enas_rnn_release", "rnn")],
)
def test_what_is_shown_of_an_architecture_makes_it(name, space):
    architecture = enas_tf.load_architecture(name, space)
    kinds = {type(architecture).__name__: type(architecture)}
    assert eval(repr(architecture), kinds) == architecture
