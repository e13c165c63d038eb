"""What commands say when they begin to train."""

import pytest

from enas_tf.cli.common import add_training_flags, start
from enas_tf.cli.flags import CommandFlags
from enas_tf.settings.hardware import HardwareConfig
from enas_tf.training import hardware


@pytest.fixture(autouse=True)
def _settings_of_others(monkeypatch):
    monkeypatch.setattr(hardware, "_used", HardwareConfig())


def _start(*argv):
    command = CommandFlags("enas-search", "searches.")
    add_training_flags(command, "runs")
    command.parse(argv)
    return start(command)


def test_a_run_says_first_what_it_runs_on(capsys):
    _start("--data_on_device=yes", "--memory_growth=no")
    assert capsys.readouterr().err == "enas-search: runs on the CPU\n"
    assert hardware.used() == HardwareConfig(data_on_device="yes", memory_growth=False)


@pytest.mark.usefixtures("two_devices")
def test_logical_devices_are_named(capsys):
    _start("--devices=cpu:2")
    assert capsys.readouterr().err == "enas-search: runs on 2 logical devices of the CPU\n"


def test_a_gpu_that_is_not_used_is_one_warning(caplog, monkeypatch):
    monkeypatch.setattr(hardware.unused_gpu, "__defaults__", (lambda: True,))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    _start()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("There is an NVIDIA GPU, but TensorFlow sees none")
    assert "\n" not in record.getMessage()
