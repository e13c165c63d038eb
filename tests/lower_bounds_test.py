"""What setup.py asks for, and how `bin/test_lower_bounds` reads it."""

import importlib.metadata
import pathlib
import re

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.lower_bounds import PACKAGE, lower_bounds, package_bounds

ROOT = pathlib.Path(__file__).parent.parent


def test_the_package_pins_every_requirement_to_the_bound_in_setup_py():
    setup = (ROOT / "setup.py").read_text()
    # Metadata have the names in one spelling, whoever writes them.
    written = {
        canonicalize_name(name): bound for name, bound in re.findall(r'"([\w-]+)>=([\d.]+)', setup)
    }
    bounds = package_bounds().items()
    assert {canonicalize_name(name): str(version) for name, version in bounds} == written


@pytest.mark.parametrize(
    ("requirements", "environment", "expected"),
    [
        (["a>=1.2"], {}, {"a": "1.2"}),
        (["a>=1.2,!=1.3.*,<3"], {}, {"a": "1.2"}),
        (["a~=2.1.0", "b==4"], {}, {"a": "2.1.0", "b": "4"}),
        (["a>=1", "a>=2; python_version >= '3.13'"], {"python_version": "3.10"}, {"a": "1"}),
        (["a>=1", "a>=2; python_version >= '3.13'"], {"python_version": "3.13"}, {"a": "2"}),
        (["a>=9; extra == 'onnx'", "b>=1; extra == 'gpu'"], {}, {"a": "9"}),
        (["a; python_version < '3'", "b>=1"], {"python_version": "3.10"}, {"b": "1"}),
    ],
)
def test_lower_bounds(requirements, environment, expected):
    bounds = lower_bounds(requirements, ["onnx"], environment)
    assert {name: str(version) for name, version in bounds.items()} == expected


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("keras", "'keras' has no lower bound"),
        ("keras<4", "'keras<4' has no lower bound"),
        ("keras>=3.13,!=3.13.*", r"'keras>=3\.13,!=3\.13\.\*' excludes its own lower bound"),
    ],
)
def test_a_requirement_without_a_lower_bound_is_refused(requirement, message):
    with pytest.raises(ValueError, match=message):
        lower_bounds([requirement])


@pytest.mark.parametrize(
    ("version", "admitted"),
    [
        ("3.12.3", False),
        ("3.12.4", True),
        ("3.12.5", True),
        ("3.13.2", False),
        ("3.14.1", False),
        ("3.15.0", False),
        ("3.15.1", True),
        ("3.16.0", True),
    ],
)
def test_keras_whose_loading_has_known_holes_is_not_admitted(version, admitted):
    (keras,) = [r for r in map(Requirement, _requirements()) if r.name == "keras"]
    assert (version in keras.specifier) is admitted


def test_the_classifiers_begin_with_the_oldest_python_that_is_admitted():
    admitted = SpecifierSet(importlib.metadata.metadata(PACKAGE)["Requires-Python"])
    oldest = min(minor for minor in range(100) if f"3.{minor}" in admitted)
    assert _classified_minors() == list(range(oldest, oldest + len(_classified_minors())))


def test_the_readme_names_the_pythons_of_the_classifiers():
    readme = (ROOT / "README.md").read_text()
    oldest, newest = re.search(r"with Python 3\.(\d+) (?:to 3\.(\d+)|or newer)", readme).groups()
    minors = _classified_minors()
    assert (int(oldest), int(newest or minors[-1])) == (minors[0], minors[-1])


def _requirements():
    return importlib.metadata.requires(PACKAGE)


def _classified_minors():
    """Returns the Z of every classifier "Python :: 3.Z"."""
    lines = importlib.metadata.metadata(PACKAGE).get_all("Classifier")
    return [int(minor) for line in lines for minor in re.findall(r":: Python :: 3\.(\d+)$", line)]
