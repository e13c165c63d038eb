import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.texts.dataset import TextData
from enas_tf.errors import ConfigurationError
from enas_tf.settings.data import DataConfig
from enas_tf.settings.hardware import HardwareConfig
from enas_tf.training import hardware, placement
from enas_tf.training.devices import default_strategy

PICTURES, LABELS = np.zeros((40, 4, 4, 1), np.uint8), np.arange(40) % 2
BYTES = PICTURES.nbytes


def _pictures(x_train=PICTURES, **settings):
    test = PICTURES[:2], LABELS[:2]
    return ImageData.from_arrays(x_train, LABELS, *test, config=DataConfig(**settings))


@pytest.fixture
def place(monkeypatch):
    """Places data by a choice, on a GPU or the CPU, and says whether they are on the device."""

    def place(data, choice, gpu=False, memory=None):
        monkeypatch.setattr(hardware, "_used", HardwareConfig(data_on_device=choice))
        device = "GPU:0" if gpu else "CPU:0"
        monkeypatch.setattr(placement, "devices_of", lambda strategy: [device])
        monkeypatch.setattr(ImageData, "on_devices", lambda data, devices: tuple(devices))
        return placement.placed(data, default_strategy(), lambda: memory) == (device,)

    return place


@pytest.mark.parametrize("gpu", [False, True])
def test_what_is_said_is_done(place, gpu):
    assert place(_pictures(), "yes", gpu)
    assert not place(_pictures(), "no", gpu, [2**40])


def test_by_itself_nothing_is_kept_on_a_cpu(place):
    assert not place(_pictures(), "auto", memory=[2**40])


@pytest.mark.parametrize(
    ("memory", "kept"),
    [([8 * BYTES], True), ([8 * BYTES - 8], False), ([2**40, 8 * BYTES - 8], False), (None, False)],
)
def test_by_themselves_pictures_take_an_eighth_of_the_smallest_gpu_at_most(place, memory, kept):
    assert place(_pictures(), "auto", True, memory) == kept


def test_pictures_that_are_on_the_devices_stay(monkeypatch):
    monkeypatch.setattr(hardware, "_used", HardwareConfig(data_on_device="yes"))
    held = placement.placed(_pictures(), default_strategy())
    assert held.memory.devices == ("CPU:0",)
    assert placement.placed(held, default_strategy()) is held


@pytest.mark.parametrize("kind", ["mapped pictures", "text"])
def test_what_cannot_be_kept_is_refused_if_it_is_asked_for(place, tmp_path, kind):
    if kind == "text":
        words = ["a", "b", "<eos>"]
        data, message = TextData.from_tokens(20 * words, 5 * words, 5 * words), "only pictures"
    else:
        np.save(tmp_path / "a.npy", PICTURES)
        mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
        data, message = _pictures(mapped, memory_limit=7), "more than memory_limit, 7 MB"
    with pytest.raises(ConfigurationError, match=message):
        place(data, "yes")
    assert not place(data, "auto", True, [2**40])
