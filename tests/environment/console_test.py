import errno
import io
import os
import re
import subprocess
import sys

import pytest

from enas_tf.environment import console
from enas_tf.environment.console import Console, native_lines_aside, standard_streams


class Failing:
    """A stream whose reader left, or whose disk is full."""

    def __init__(self, error):
        self.calls = 0
        self._error = error

    def write(self, text):
        self.calls += 1
        raise self._error

    def isatty(self):
        raise self._error


class Logger:
    """What programs without a console put in the place of stderr."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


def encoded(encoding, errors, text):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding, errors)
    Console(stream).show(text)
    return raw.getvalue()


@pytest.mark.parametrize(
    ("encoding", "errors", "text", "written"),
    [
        ("ascii", "strict", "мир, naïve\n", b"???, na?ve\n"),
        ("cp1252", "strict", "the мир naïve", b"the ??? na\xefve"),
        ("utf-8", "strict", "мир", "мир".encode()),
        ("utf-8", "strict", "a name \udcff", b"a name ?"),
        # Bytes of file names stay, where the stream can write them.
        ("ascii", "surrogateescape", "мир \udcff", b"??? \xff"),
        ("ascii", "backslashreplace", "мир", rb"\u043c\u0438\u0440"),
    ],
)
def test_what_an_encoding_lacks_is_replaced(encoding, errors, text, written):
    assert encoded(encoding, errors, text) == written


@pytest.mark.parametrize(
    "stream",
    [
        None,
        object(),
        Failing(BrokenPipeError(errno.EPIPE, "Broken pipe")),
        Failing(OSError(errno.EIO, "Input/output error")),
        Failing(RuntimeError("wrapped C++ object has been deleted")),
    ],
    ids=["none", "no stream", "pipe", "terminal", "window"],
)
def test_no_stream_stops_the_work(stream):
    written = Console(stream)
    written.show("line\n")
    assert (written.isatty(), written.write("more")) == (False, 4)


def test_a_closed_file_stops_no_work():
    stream = io.StringIO()
    stream.close()
    Console(stream).show("line\n")


def test_a_stream_that_failed_is_not_tried_again():
    stream = Failing(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    written = Console(stream)
    for _ in range(3):
        written.write("line\n")
    assert (stream.calls, written.error.errno) == (1, errno.EPIPE)


def test_a_stream_needs_no_more_than_write():
    stream = Logger()
    written = Console(stream)
    written.show("line\n")
    assert (stream.text, written.isatty(), written.error) == ("line\n", False, None)


def test_an_interruption_is_no_failure_of_the_stream():
    with pytest.raises(KeyboardInterrupt):
        Console(Failing(KeyboardInterrupt())).write("line")


def test_others_find_the_properties_of_the_stream():
    assert Console(io.TextIOWrapper(io.BytesIO(), "cp1252")).encoding == "cp1252"


def test_a_line_goes_to_the_present_stderr(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    console.say("words")
    assert sys.stderr.getvalue() == "words\n"


def test_streams_come_back():
    before = sys.stdout, sys.stderr
    with standard_streams() as stdout:
        assert sys.stdout is stdout
    assert (sys.stdout, sys.stderr) == before


def run(script, **streams):
    return subprocess.run([sys.executable, "-c", script], text=True, **streams)


def test_descriptors_that_were_closed_lead_nowhere(tmp_path):
    """Else the file would have the number of stderr, and get what native code writes there."""
    path = tmp_path / "file"
    script = (
        "import os\nfrom enas_tf.environment.console import standard_streams\n"
        "with standard_streams():\n"
        f"    file = os.open({str(path)!r}, os.O_CREAT | os.O_WRONLY)\n"
        "    os.write(2, b'noise')\n"
        "    os.write(file, b'%d' % (file > 2))\n"
    )
    closed = run(f"import os\nos.closerange(0, 3)\n{script}")
    assert (closed.returncode, path.read_text()) == (0, "1")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_process_whose_output_failed_ends_well(stream):
    """Python writes what is in the buffers when it ends, and complains if it cannot."""
    script = (
        "import sys\nfrom enas_tf.environment.console import standard_streams\n"
        f"with standard_streams():\n    print('line', file=sys.{stream})\n"
    )
    other = {"stdout": "stderr", "stderr": "stdout"}[stream]
    with open("/dev/full", "w") as full:
        result = run(script, **{stream: full, other: subprocess.PIPE})
    assert (result.returncode, getattr(result, other)) == (0, "")


def test_native_lines_that_are_not_noise_are_shown(capfd):
    with native_lines_aside(re.compile(rb"noise")):
        os.write(2, b"noise 1\nnews\nnoise 2\n")
    assert capfd.readouterr().err == "news\n"


def test_what_shall_be_seen_at_once_is_not_kept(capfd):
    with native_lines_aside(re.compile(rb"noise")) as stream:
        os.write(2, b"news\n")
        Console(stream).show("now\n")
        assert capfd.readouterr().err == "now\n"
    assert capfd.readouterr().err == "news\n"


def test_native_lines_are_shown_after_an_error(capfd):
    def work():
        with native_lines_aside(re.compile(rb"noise")):
            os.write(2, b"noise\nnews\n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert capfd.readouterr().err == "news\n"


def test_nothing_needs_to_be_kept_from_a_closed_stderr():
    script = (
        "import re, os\nfrom enas_tf.environment.console import native_lines_aside\nos.close(2)\n"
        "with native_lines_aside(re.compile(b'noise')):\n    print('work')\n"
    )
    assert run(script, stdout=subprocess.PIPE).stdout == "work\n"
