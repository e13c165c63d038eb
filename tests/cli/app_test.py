import logging
import os
import signal
import subprocess
import sys

import pytest

from enas_tf.cli.app import Terminated, run_command
from enas_tf.errors import ConfigurationError, DataError


def raising(error):
    def command(argv):
        raise error

    return command


def test_done_is_0():
    assert run_command("enas-x", lambda argv: None, []) == 0


def test_arguments_are_passed_on():
    seen = []
    run_command("enas-x", seen.extend, ["--a=1"])
    assert seen == ["--a=1"]


@pytest.mark.parametrize("kind", [ConfigurationError, DataError])
def test_bad_input_is_2_and_one_line(kind, capsys):
    assert run_command("enas-x", raising(kind("two\nlines  of words")), []) == 2
    assert capsys.readouterr().err == "enas-x: error: two lines of words\n"


def test_interrupted_is_130():
    assert run_command("enas-x", raising(KeyboardInterrupt()), []) == 130


def test_terminated_is_143():
    def command(argv):
        os.kill(os.getpid(), signal.SIGTERM)

    assert run_command("enas-x", command, []) == 143


def test_termination_saves_like_an_interruption():
    assert issubclass(Terminated, KeyboardInterrupt)


def test_the_handler_of_the_caller_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    run_command("enas-x", lambda argv: None, [])
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_defect_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run_command("enas-x", raising(ZeroDivisionError()), [])


def test_a_reader_that_leaves_is_no_error():
    script = (
        "import sys; from enas_tf.cli.app import run_command\n"
        "def command(argv):\n    print('x' * 100_000)\n    print('y')\n"
        "sys.exit(run_command('enas-x', command, []))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def no_space_for(path):
    import tensorflow as tf

    message = f"{{{{function_node __wrapped__SaveV2}}}} {path}; No space left on device [Op:SaveV2]"
    return tf.errors.ResourceExhaustedError(None, None, message)


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device", "/a/b"), "of TensorFlow"], ids=str
)
def test_a_full_disk_is_not_short_memory(error, capsys):
    error = no_space_for("/a/b") if isinstance(error, str) else error
    assert run_command("enas-x", raising(error), []) == 2
    assert capsys.readouterr().err == (
        "enas-x: error: Cannot write /a/b: no space left on device; what was saved before stays "
        "good.\n"
    )


def test_other_errors_of_the_system_are_defects():
    with pytest.raises(OSError, match="Bad file descriptor"):
        run_command("enas-x", raising(OSError(9, "Bad file descriptor")), [])


def test_a_full_stdout_is_one_line():
    script = (
        "import sys; from enas_tf.cli.app import run_command\n"
        "sys.exit(run_command('enas-x', lambda argv: print('done'), []))"
    )
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert result.returncode == 2
    assert result.stderr.startswith("enas-x: error: Cannot write: no space left on device;")
    assert result.stderr.count("\n") == 1


def test_warnings_are_shown_and_other_messages_are_not(capsys):
    def command(argv):
        logging.getLogger("enas_tf.search").info("epoch 1")
        logging.getLogger("enas_tf.search").warning("odd")

    run_command("enas-x", command, [])
    assert capsys.readouterr().err == "enas-x: WARNING: odd\n"


def test_loading_tensorflow_is_silent():
    script = "from enas_tf.cli.start_up import load_tensorflow; load_tensorflow()"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("", "")
