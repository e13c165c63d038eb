"""What the machine does not give: memory, and the time to load TensorFlow."""

import signal
import subprocess
import sys
import time

import pytest


def write_world(world):
    """Writes nothing."""


def test_sizes_that_do_not_fit_into_memory(refused):
    argv = ("benchmark", "--space=macro", "--input_shape=1000000,1000000,3")
    refused(argv, "Out of memory; make the batch size")


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interruption_while_tensorflow_is_loaded_says_so(number, code, tmp_path):
    script = (
        "import sys\n"
        "from enas_tf.cli import search\n"
        "print('ready', flush=True)\n"
        "sys.exit(search.main(sys.argv[1:]))"
    )
    flags = ("--space=macro", "--preset=smoke", f"--output_dir={tmp_path / 'out'}")
    process = subprocess.Popen(
        [sys.executable, "-c", script, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    time.sleep(1.0)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    assert (process.returncode, errors.count("\n")) == (code, 1)
    assert not (tmp_path / "out").exists()
