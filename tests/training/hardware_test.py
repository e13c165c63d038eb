import types

import pytest
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.settings.hardware import HardwareConfig
from enas_tf.training import hardware
from enas_tf.training.devices import default_strategy, devices_of, mirrored_cpus

GPU = types.SimpleNamespace(name="/physical_device:GPU:0")


@pytest.fixture(autouse=True)
def _settings_of_others(monkeypatch):
    """Puts back what a test lets hold."""
    monkeypatch.setattr(hardware, "_used", HardwareConfig())
    yield
    tf.config.experimental.enable_tensor_float_32_execution(True)


@pytest.fixture
def grown(monkeypatch):
    """Whether the memory of a made-up GPU grows, as it was last set."""
    states = {"grows": False}
    config = tf.config.experimental
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [GPU][: kind == "GPU"])
    monkeypatch.setattr(config, "get_memory_growth", lambda gpu: states["grows"])
    monkeypatch.setattr(config, "set_memory_growth", lambda gpu, grows: states.update(grows=grows))
    return states


def test_one_device_is_the_cpu():
    assert hardware.described(default_strategy()) == "the CPU"
    assert devices_of(default_strategy()) == ["CPU:0"]


def test_logical_devices_are_counted(two_devices):
    assert hardware.described(mirrored_cpus(two_devices)) == "2 logical devices of the CPU"


def test_gpus_are_named(monkeypatch):
    details = {"device_name": "NVIDIA L4", "compute_capability": (8, 9)}
    monkeypatch.setattr(hardware, "devices_of", lambda strategy: ["/device:GPU:0"] * 2)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [GPU])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    strategy = types.SimpleNamespace(num_replicas_in_sync=4)
    text = "2 GPUs (NVIDIA L4), 4 devices on all machines"
    assert hardware.described(strategy) == text


def test_memory_grows_unless_it_is_said_otherwise(grown):
    hardware.use_hardware()
    assert grown["grows"]
    hardware.use_hardware(HardwareConfig(memory_growth=False))
    assert not grown["grows"]


def test_who_is_too_late_is_told(grown, monkeypatch, caplog):
    def refuse(gpu, grows):
        raise RuntimeError("Physical devices cannot be modified after being initialized")

    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", refuse)
    hardware.use_hardware()
    assert "`memory_growth` stays as it is: Physical devices cannot" in caplog.text


@pytest.mark.parametrize("tf32", [False, True])
def test_tensor_float_32_is_as_it_is_said(tf32):
    hardware.use_hardware(HardwareConfig(tf32=tf32))
    assert tf.config.experimental.tensor_float_32_execution_enabled() == tf32
    assert hardware.used().tf32 == tf32


@pytest.mark.usefixtures("two_devices")
def test_a_compiled_update_is_for_one_device():
    config = HardwareConfig(devices="cpu:2", compiled_update="yes")
    with pytest.raises(ConfigurationError, match="devices='cpu:2'"):
        hardware.use_hardware(config)
    assert hardware.used() == HardwareConfig()


@pytest.mark.parametrize(
    ("devices", "visible", "present", "told"),
    [
        ("auto", None, True, True),
        ("all", "0,1", True, True),
        ("auto", None, False, False),
        ("cpu:2", None, True, False),
        ("auto", "-1", True, False),
        ("auto", "", True, False),
    ],
)
def test_a_gpu_that_tensorflow_does_not_see_is_told(devices, visible, present, told, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    missing = hardware.unused_gpu(HardwareConfig(devices=devices), lambda: present)
    assert (missing is not None) == told
    assert missing is None or "pip install 'tensorflow[and-cuda]'" in missing


def test_a_gpu_that_is_seen_is_not_missing(grown):
    assert hardware.unused_gpu(HardwareConfig(), lambda: True) is None
