import pytest

from enas_tf.environment import nvidia


@pytest.mark.parametrize(
    ("path", "present"),
    [
        ("proc/driver/nvidia/gpus/0000:01:00.0", True),
        ("dev/nvidia0", True),
        ("dev/nvidiactl", False),
        ("proc/driver/nvidia/version", False),
    ],
)
def test_a_gpu_is_known_by_what_the_driver_makes_of_it(tmp_path, path, present):
    (tmp_path / path).mkdir(parents=True)
    assert nvidia.is_present(tmp_path) == present


class Driver:
    """The part of CUDA's driver that is asked; a code of 0 is success."""

    def __init__(self, sizes, failing=""):
        self.sizes = sizes
        self.failing = failing

    def __getattr__(self, name):
        code = int(name == self.failing)
        answers = {
            "cuInit": lambda flags: None,
            "cuDeviceGetCount": lambda count: setattr(count._obj, "value", len(self.sizes)),
            "cuDeviceGet": lambda device, number: setattr(device._obj, "value", 10 + number),
            "cuDeviceTotalMem_v2": lambda size, device: setattr(
                size._obj, "value", self.sizes[device.value - 10]
            ),
        }
        return lambda *arguments: answers[name](*arguments) or code


def test_the_driver_tells_the_memory_of_each_gpu():
    assert nvidia.memory_bytes(lambda name: Driver([2**34, 2**35])) == [2**34, 2**35]


def test_without_a_driver_nothing_is_known():
    def load(name):
        raise OSError(name)

    assert nvidia.memory_bytes(load) is None


@pytest.mark.parametrize(
    "failing", ["cuInit", "cuDeviceGetCount", "cuDeviceGet", "cuDeviceTotalMem_v2"]
)
def test_a_driver_that_fails_tells_nothing(failing):
    assert nvidia.memory_bytes(lambda name: Driver([2**34], failing)) is None
