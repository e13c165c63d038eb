import numpy as np

import enas_tf
from tests.rewards_study import NUMBERS, RATIO, data_of, table


def test_one_in_eleven_is_an_eight():
    data = data_of(enas_tf.load_images("digits"))
    assert data.label_names == ("other", "eight")
    for part in ("train", "validation", "test"):
        other, eight = np.bincount(data.part(part)[1])
        assert abs(other - RATIO * eight) <= RATIO, part


def test_the_table_has_means_and_deviations():
    rows = [{"form": "macro F1", **dict.fromkeys(NUMBERS, value)} for value in (0.5, 0.7)]
    header, line = table(rows).splitlines()
    assert [name in header for name in NUMBERS] == [True] * 4
    assert line.split() == ["macro", "F1", *["0.600", "±", "0.141"] * 4]
