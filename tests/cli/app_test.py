import logging
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from enas_tf.cli.app import Terminated, run_command
from enas_tf.errors import ConfigurationError, DataError

PROJECT = pathlib.Path(__file__).parents[2]


def with_package():
    """Returns an environment in which the package is found from every folder."""
    return {**os.environ, "PYTHONPATH": str(PROJECT)}


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


def sending(*numbers):
    def command(argv):
        for number in numbers:
            os.kill(os.getpid(), number)

    return command


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_terminated_is_128_and_the_signal(number, code, capsys):
    assert run_command("enas-x", sending(number), []) == code
    assert capsys.readouterr().err == "enas-x: terminated\n"


def test_what_is_saved_at_the_end_is_not_disturbed_by_the_next_signal():
    def command(argv):
        try:
            sending(signal.SIGHUP)(argv)
        finally:
            sending(signal.SIGHUP, signal.SIGTERM)(argv)
            saved.append(True)

    saved = []
    assert (run_command("enas-x", command, []), saved) == (129, [True])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_ignored_signal_stays_ignored(number):
    previous = signal.signal(number, signal.SIG_IGN)
    try:
        assert run_command("enas-x", sending(number), []) == 0
    finally:
        signal.signal(number, previous)


def test_termination_saves_like_an_interruption():
    assert issubclass(Terminated, KeyboardInterrupt)


def test_the_handler_of_the_caller_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    run_command("enas-x", lambda argv: None, [])
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_defect_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run_command("enas-x", raising(ZeroDivisionError()), [])


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_leaves_does_not_end_the_work(stream, tmp_path):
    script = (
        "import sys; from enas_tf.cli.app import run_command\n"
        f"def command(argv):\n    print('x' * 100_000, file=sys.{stream})\n"
        f"    print('y', file=sys.{stream})\n    open('done', 'w')\n"
        "sys.exit(run_command('enas-x', command, []))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=with_package(),
    )
    streams = {"stdout": process.stdout, "stderr": process.stderr}
    streams.pop(stream).close()
    (other,) = streams.values()
    assert other.read() == b""
    other.close()
    assert process.wait() == 0
    assert (tmp_path / "done").exists()


def test_a_reader_that_leaves_makes_no_interrupted_work_done(tmp_path):
    script = (
        "import os, signal, sys; from enas_tf.cli.app import run_command\n"
        "def command(argv):\n    print('x' * 100_000)\n    os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.exit(run_command('enas-x', command, []))"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    process.stdout.close()
    assert process.wait() == 143


def exhausted(message):
    import tensorflow as tf

    return tf.errors.ResourceExhaustedError(None, None, message)


def no_space_for(path):
    return exhausted(
        f"{{{{function_node __wrapped__SaveV2}}}} {path}; No space left on device [Op:SaveV2]"
    )


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


def test_bad_data_that_a_pipeline_meets_are_one_line(capsys):
    import tensorflow as tf

    def read(number):
        raise DataError(f"{number}.png is damaged; mend it.")

    def command(argv):
        numbers = tf.data.Dataset.range(1)
        next(iter(numbers.map(lambda number: tf.numpy_function(read, [number], tf.uint8))))

    assert run_command("enas-x", command, []) == 2
    assert capsys.readouterr().err == "enas-x: error: 0.png is damaged; mend it.\n"


def test_other_errors_of_the_system_are_defects():
    with pytest.raises(OSError, match="Bad file descriptor"):
        run_command("enas-x", raising(OSError(9, "Bad file descriptor")), [])


@pytest.mark.parametrize("end", ["", "; sys.exit(0)"], ids=["after work", "after help"])
def test_a_full_stdout_is_one_line(end):
    script = (
        "import sys; from enas_tf.cli.app import run_command\n"
        f"def command(argv):\n    print('done'){end}\n"
        "sys.exit(run_command('enas-x', command, []))"
    )
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert result.returncode == 2
    assert result.stderr.startswith("enas-x: error: Cannot write: no space left on device;")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (MemoryError, "Out of memory; do less."),
        (
            lambda: MemoryError("Unable to allocate 1.00 TiB for an array"),
            "Out of memory; do less (Unable to allocate 1.00 TiB for an array).",
        ),
        (
            lambda: exhausted("{{function_node f}} OOM when allocating tensor [Op:AddV2]"),
            "Out of memory; do less (OOM when allocating tensor [Op:AddV2]).",
        ),
        (
            lambda: exhausted(
                "Graph execution error:\n\nDetected at node x\nOOM when allocating tensor\n"
            ),
            "Out of memory; do less (OOM when allocating tensor).",
        ),
    ],
    ids=["no words", "numpy", "tensorflow", "graph"],
)
def test_out_of_memory_says_what_is_known_and_what_the_command_can_do(make, said, capsys):
    assert run_command("enas-x", raising(make()), [], memory_advice="do less") == 2
    assert capsys.readouterr().err == f"enas-x: error: {said}\n"


def test_a_command_without_sizes_advises_none(capsys):
    assert run_command("enas-x", raising(MemoryError()), []) == 2
    assert "batch" not in capsys.readouterr().err


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
