"""What is left of a replacement, also of one that was killed."""

import contextlib
import os
import subprocess
import sys
import textwrap

import pytest

from enas_tf.errors import RunDirectoryError
from enas_tf.files import replacing as module
from enas_tf.files.places import hold
from enas_tf.files.replacing import clear_up, exchange, replacing

# Replaces the folder `target` again and again, and dies before every system call that could matter,
# one after the other; says what the target held then, and after the clearing up.
DEATHS = """
    import os, pathlib, shutil, sys
    from enas_tf.files import replacing as module
    if sys.argv[1] == "two steps":
        module.exchange = lambda first, second: False
    EVENTS = ("os.", "shutil.", "ctypes.dlsym")
    left = None
    def hook(event, arguments):
        global left
        if left is not None and event.startswith(EVENTS):
            left -= 1
            if left < 0:
                os._exit(1)
    sys.addaudithook(hook)
    target = pathlib.Path("target")
    def contents():
        return (target / "file").read_text() if target.exists() else "nothing"
    for number in range(1000):
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        (target / "file").write_text("old")
        child = os.fork()
        if not child:
            left = number
            with module.replacing(target) as path:
                path.mkdir()
                (path / "file").write_text("new")
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.wait()[1])
        before = contents()
        module.clear_up(pathlib.Path())
        print(code, before, contents(), len(os.listdir()), flush=True)
        if not code:
            break
"""


def deaths(folder, how):
    command = [sys.executable, "-c", textwrap.dedent(DEATHS), how]
    output = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stdout
    return [line.split() for line in output.splitlines()]


def test_a_folder_is_old_or_new_whenever_the_process_dies(tmp_path):
    answers = deaths(tmp_path, "one step")
    assert answers[-1] == ["0", "new", "new", "1"]
    assert {tuple(answer) for answer in answers[:-1]} == {
        ("1", "old", "old", "1"),
        ("1", "new", "new", "1"),
    }


def test_without_an_exchange_the_next_start_brings_the_old_one_back(tmp_path):
    answers = deaths(tmp_path, "two steps")
    assert answers[-1] == ["0", "new", "new", "1"]
    assert {tuple(answer) for answer in answers[:-1]} == {
        ("1", "old", "old", "1"),
        ("1", "nothing", "old", "1"),
        ("1", "new", "new", "1"),
    }


@pytest.mark.parametrize("exchanges", [True, False])
def test_what_cannot_be_put_in_its_place_leaves_the_old_one(tmp_path, monkeypatch, exchanges):
    target = tmp_path / "target"
    target.mkdir()
    (target / "file").write_text("old")
    if not exchanges:
        monkeypatch.setattr(module, "exchange", lambda first, second: False)
    with pytest.raises(FileNotFoundError), replacing(target):
        pass
    assert (target / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["target"]


def test_an_old_one_that_stood_aside_comes_back_when_the_new_one_fails(tmp_path, monkeypatch):
    target = tmp_path / "target"
    target.mkdir()
    monkeypatch.setattr(module, "exchange", lambda first, second: False)
    (target / "old").touch()
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(replacing(target))
        path.mkdir()
        # Of the two steps, the second one fails.
        monkeypatch.setattr(os, "replace", _failing_second(os.replace))
        with pytest.raises(OSError, match="Input/output"):
            stack.close()
    assert os.listdir(target) == ["old"]
    assert os.listdir(tmp_path) == ["target"]


def _failing_second(replace):
    calls = []

    def call(source, destination):
        calls.append(source)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        replace(source, destination)

    return call


def test_what_another_process_is_writing_stays(tmp_path):
    script = """
        import pathlib, sys
        from enas_tf.files.replacing import replacing
        with replacing(pathlib.Path("other")) as path:
            path.write_text("written")
            print(flush=True)
            sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
    ) as other:
        other.stdout.readline()
        clear_up(tmp_path)
    assert other.returncode == 0
    assert (tmp_path / "other").read_text() == "written"


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_of_a_link_the_link_is_replaced(tmp_path, kind):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("old")
    target = tmp_path / "target"
    target.symlink_to(kept if kind == "folder" else kept / "file")
    with replacing(target) as path:
        if kind == "folder":
            path.mkdir()
        else:
            path.write_text("new")
    assert not target.is_symlink()
    assert (kept / "file").read_text() == "old"


def test_a_folder_of_a_run_that_is_gone_is_not_made_again(tmp_path):
    (tmp_path / "run").mkdir()
    way = hold(tmp_path / "run").way
    (tmp_path / "run").rmdir()
    with pytest.raises(RunDirectoryError), replacing(way / "saved_model" / "1"):
        pass
    assert os.listdir(tmp_path) == []


def test_a_folder_of_a_run_that_went_away_meanwhile_is_not_changed(tmp_path):
    (tmp_path / "run").mkdir()
    way = hold(tmp_path / "run").way
    with (
        contextlib.suppress(RunDirectoryError),
        replacing(way / "model.keras") as path,
    ):
        path.touch()
        (tmp_path / "run").rename(tmp_path / "moved")
        (tmp_path / "run").mkdir()
    assert os.listdir(tmp_path / "run") == os.listdir(tmp_path / "moved") == []


def test_two_folders_change_places(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"of_{name}").touch()
    if not exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this system has no such step")
    assert os.listdir(tmp_path / "a") == ["of_b"]
    assert os.listdir(tmp_path / "b") == ["of_a"]
