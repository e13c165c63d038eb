"""Numbers computed with the authors' release and with DARTS's, for the parity tests.

They come from `tests/golden/`, or from another folder with files of the same format, named by the
environment variable `ENAS_GOLDEN_DIR`.
"""

import json
import os
import pathlib
from typing import Any

import numpy as np


def golden_path(name: str) -> pathlib.Path:
    """Returns the path of a fixture file."""
    folder = os.environ.get("ENAS_GOLDEN_DIR") or pathlib.Path(__file__).parent / "golden"
    return pathlib.Path(folder) / name


def golden_names(pattern: str) -> list[str]:
    """Returns the names of all fixture files that match a pattern."""
    return sorted(path.name for path in golden_path("").glob(pattern))


def load_golden(name: str) -> dict[str, Any]:
    """Returns the arrays of a fixture; `config` is parsed from its JSON."""
    path = golden_path(name)
    if path.suffix == ".json":
        return json.loads(path.read_text())
    with np.load(path, allow_pickle=False) as arrays:
        fixture: dict[str, Any] = dict(arrays)
    if "config" in fixture:
        fixture["config"] = json.loads(str(fixture["config"]))
    return fixture


def assert_close(actual: Any, expected: Any, tolerance: float = 2e-5) -> None:
    """Asserts that the largest difference is within `tolerance` of the largest expected value."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    difference = np.max(np.abs(actual - expected)) if expected.size else 0.0
    assert difference <= tolerance * np.max(np.abs(expected)), f"difference {difference}"


def assert_gradient_close(
    actual: Any, expected: Any, global_norm: float, tolerance: float = 1e-5
) -> None:
    """Asserts that a gradient differs by at most `tolerance` of the global norm."""
    difference = np.max(np.abs(np.asarray(actual) - np.asarray(expected)))
    assert difference <= tolerance * global_norm, f"difference {difference} of norm {global_norm}"
