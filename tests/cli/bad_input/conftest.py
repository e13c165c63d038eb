"""Fixtures of the tests of bad input."""

import functools

import pytest

from enas_tf.cli import common, derive, evaluate, export, generate, predict
from tests.cli.bad_input.refusals import assert_refused


@pytest.fixture(scope="module")
def world(tmp_path_factory, request):
    """A folder with what the test module's `write_world` puts there."""
    folder = tmp_path_factory.mktemp("world")
    request.module.write_world(folder)
    return folder


@pytest.fixture
def refused(world, capsys, monkeypatch):
    """Checks in that folder that a command refuses its arguments with a message."""
    monkeypatch.chdir(world)
    return functools.partial(assert_refused, capsys=capsys)


@pytest.fixture
def refused_early(refused, monkeypatch):
    """The same, where loading TensorFlow is a failure of the test."""

    def load_tensorflow():
        pytest.fail("TensorFlow is not needed to see what is wrong here")

    for module in (common, derive, evaluate, export, generate, predict):
        monkeypatch.setattr(module, "load_tensorflow", load_tensorflow)
    return refused
