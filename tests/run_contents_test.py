"""What the kill test would notice."""

import numpy as np
import pytest

from tests.run_contents import first_difference


@pytest.mark.parametrize(
    ("expected", "actual", "difference"),
    [
        ({"a": [1, 2]}, {"a": [1, 2]}, None),
        ({"a": [1, 2]}, {"a": [1, 2, 2]}, "a, entry 3: 2 instead of nothing"),
        ({"a": [1, 2]}, {"a": [1]}, "a, entry 2: nothing instead of 2"),
        ({"a": {"b": 0.5}}, {"a": {"b": 0.5, "c": None}}, "a/c: None instead of nothing"),
        ({"a": 0.1 + 0.2}, {"a": 0.3}, "a: 0.3 instead of 0.30000000000000004"),
        (
            {"a": np.float32([1, 0])},
            {"a": np.float64([1, 0])},
            "a: float64[2] instead of float32[2]",
        ),
        ({"a": np.float32([0, np.nan])}, {"a": np.float32([0, np.nan])}, None),
        (
            {"a": np.int32([1, 2, 3])},
            {"a": np.int32([1, 5, 6])},
            "a: 2 of 3 numbers differ, the first is np.int32(5) instead of np.int32(2)",
        ),
        (
            {"a": np.float32([0.0])},
            {"a": np.float32([-0.0])},
            "a: 1 of 1 numbers differ, the first is np.float32(-0.0) instead of np.float32(0.0)",
        ),
    ],
)
def test_the_first_difference_is_named(expected, actual, difference):
    assert first_difference(expected, actual) == difference
