"""Fixtures of the conformance tests."""

import pytest

from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.spaces import registry
from tests.conformance.chain.entry import ENTRY as CHAIN
from tests.conformance.spaces import OWN_CONVOLUTION, SEARCH
from tests.spaces.own_operations import bias_convolution, registered


@pytest.fixture(scope="module", autouse=True)
def chain():
    """Registers the made-up space and operation, for as long as these tests run."""
    with pytest.MonkeyPatch.context() as patch, registered(**{OWN_CONVOLUTION: bias_convolution}):
        patch.setitem(registry._SPACES, CHAIN.name, CHAIN)
        yield


@pytest.fixture
def weights(case):
    return SharedWeights(case.space(), SEARCH, steps_per_epoch=4)
