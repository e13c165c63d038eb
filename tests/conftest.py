"""Fixtures that all tests share."""

import pytest

import enas_tf  # noqa: F401  (sets TensorFlow's switches before TensorFlow is imported)


def pytest_collection_finish(session):
    """Splits the CPU in two before the first test runs, if a test asks for two devices."""
    if any("two_devices" in getattr(item, "fixturenames", ()) for item in session.items):
        import tensorflow as tf

        two = [tf.config.LogicalDeviceConfiguration()] * 2
        cpu = tf.config.list_physical_devices("CPU")[0]
        try:
            tf.config.set_logical_device_configuration(cpu, two)
        except RuntimeError as error:
            raise pytest.UsageError(
                f"A test module runs TensorFlow while it is imported; use a fixture ({error})."
            ) from error


@pytest.fixture(scope="session")
def two_devices():
    """Names of two devices, for strategies."""
    return ["CPU:0", "CPU:1"]
