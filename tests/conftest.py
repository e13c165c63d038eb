"""Fixtures that all tests share, and the order of their modules."""

import gc

import pytest

import enas_tf  # noqa: F401  (sets TensorFlow's switches before TensorFlow is imported)
from enas_tf.spaces import own_operations

ERROR = pytest.StashKey[RuntimeError]()


def pytest_collection_modifyitems(items):
    """Puts the modules that run commands first: they are the longest, and should not end alone."""
    items.sort(key=lambda item: item.get_closest_marker("end_to_end") is None)


@pytest.fixture(autouse=True)
def _no_modules_of_operations(monkeypatch):
    """Commands that a test prints shall not name what another test has loaded."""
    monkeypatch.setattr(own_operations, "_MODULES", [])


@pytest.fixture(scope="module", autouse=True)
def _old_objects_are_not_looked_through_again():
    """What a module left (traces, layers) stays; else every collection takes longer than before."""
    yield
    gc.collect()
    gc.freeze()


def pytest_collection_finish(session):
    """Splits the CPU in two before the first test runs, if a test asks for two devices."""
    if any("two_devices" in getattr(item, "fixturenames", ()) for item in session.items):
        import tensorflow as tf

        two = [tf.config.LogicalDeviceConfiguration()] * 2
        cpu = tf.config.list_physical_devices("CPU")[0]
        try:
            tf.config.set_logical_device_configuration(cpu, two)
        except RuntimeError as error:
            # Raised here, it would end a process of pytest-xdist without a word.
            session.config.stash[ERROR] = error


@pytest.fixture(scope="session")
def two_devices(pytestconfig):
    """Names of two devices, for strategies."""
    if ERROR in pytestconfig.stash:
        error = pytestconfig.stash[ERROR]
        pytest.fail(f"A test module runs TensorFlow while it is imported; use a fixture ({error}).")
    return ["CPU:0", "CPU:1"]
