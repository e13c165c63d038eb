import dataclasses

import numpy as np
import pytest

from enas_tf.searching.comparison import Comparison, MeanScore


def test_a_mean_has_its_standard_error():
    score = MeanScore.of([0.1, 0.2, 0.6])
    assert score.mean == pytest.approx(0.3)
    assert score.standard_error == pytest.approx(np.std([0.1, 0.2, 0.6], ddof=1) / np.sqrt(3))
    assert score.count == 3
    assert MeanScore.of([0.5]) == MeanScore(0.5, 0.0, 1)


def test_a_comparison_survives_its_document():
    comparison = Comparison("evolution", MeanScore(0.9, 0.01, 5), MeanScore(0.8, 0.02, 20))
    assert Comparison.of_document(dataclasses.asdict(comparison)) == comparison
    assert str(comparison) == (
        "The evolution strategy's proposals score 0.900 ± 0.010, random ones 0.800 ± 0.020 with "
        "the same weights"
    )
