import os
import pathlib

import pytest

from enas_tf.errors import RunDirectoryError
from enas_tf.files import places
from enas_tf.files.places import (
    absolute,
    check_place,
    hold,
    plain_path,
    shown,
    user_path,
    way_to,
)

NAMES = [
    "plain",
    "lr=[0.05]",
    "a*b?",
    "back\\slash",
    "two words",
    "ünïcode",
    "\udcff",
    "-",
    "new\nline",
]


@pytest.fixture(params=["descriptor", "link"])
def ways(request, monkeypatch, tmp_path):
    """Both kinds of ways: through descriptors, and through links where there are no such paths."""
    if request.param == "link":
        monkeypatch.setattr(places, "_DESCRIPTORS", tmp_path / "none")


def swap(folder):
    folder.rename(folder.with_name("elsewhere"))
    folder.mkdir()


def relink(folder):
    folder.rename(folder.with_name("elsewhere"))
    other = folder.with_name("other")
    other.mkdir()
    folder.symlink_to(other)


CHANGES = {
    "renamed": lambda folder: folder.rename(folder.with_name("elsewhere")),
    "deleted": lambda folder: folder.rmdir(),
    "replaced": swap,
    "linked elsewhere": relink,
    "made a file": lambda folder: (folder.rmdir(), folder.write_text("")),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_plain_path_leads_to_the_folder_and_is_no_pattern(tmp_path, name, ways):
    (tmp_path / name).mkdir()
    (tmp_path / name / "file").write_text("here")
    with plain_path(tmp_path / name) as plain:
        assert pathlib.Path(plain, "file").read_text() == "here"
        assert not set("*?[\\") & set(plain)
        plain.encode()


def test_a_plain_path_is_left_alone_if_it_is_one_already(tmp_path):
    with plain_path(tmp_path) as plain:
        assert plain == str(tmp_path)


def test_plain_paths_leave_nothing_open(tmp_path, ways):
    (tmp_path / "[").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with plain_path(tmp_path / "["):
            pass
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_folder_that_is_not_in_its_place_is_told(tmp_path, change, ways):
    (tmp_path / "run").mkdir()
    way = hold(tmp_path / "run").way
    check_place(way / "file")
    change(tmp_path / "run")
    with pytest.raises(RunDirectoryError, match="run is not the folder any more in which this run"):
        check_place(way / "file")


def test_a_link_to_the_folder_that_leads_elsewhere_is_told(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "run").symlink_to("a")
    way = hold(tmp_path / "run").way
    check_place(way)
    (tmp_path / "run").unlink()
    (tmp_path / "run").symlink_to("b")
    with pytest.raises(RunDirectoryError):
        check_place(way)


def test_a_folder_that_is_renamed_and_comes_back_is_in_its_place(tmp_path):
    (tmp_path / "run").mkdir()
    way = hold(tmp_path / "run").way
    (tmp_path / "run").rename(tmp_path / "moved")
    (tmp_path / "moved").rename(tmp_path / "run")
    check_place(way)


def test_a_way_stays_with_its_folder(tmp_path):
    (tmp_path / "run").mkdir()
    way = hold(tmp_path / "run").way
    swap(tmp_path / "run")
    (way / "file").touch()
    assert os.listdir(tmp_path / "elsewhere") == ["file"]
    assert os.listdir(tmp_path / "run") == []


def test_a_way_is_shown_as_the_path_that_was_given(tmp_path, ways):
    way = hold(tmp_path).way
    assert shown(way / "a" / "b") == tmp_path / "a" / "b"


def test_another_path_is_shown_as_it_is():
    assert shown(pathlib.Path("a/b")) == pathlib.Path("a/b")


def test_the_way_to_a_folder_that_was_replaced_is_the_new_one(tmp_path):
    (tmp_path / "run").mkdir()
    first = hold(tmp_path / "run").way
    assert way_to(tmp_path / "run") == first
    swap(tmp_path / "run")
    second = hold(tmp_path / "run").way
    assert way_to(tmp_path / "run") == second != first


def test_the_way_to_a_folder_that_is_not_held_is_its_path(tmp_path):
    assert way_to(tmp_path / "none") == tmp_path / "none"


def test_the_same_folder_is_held_once(tmp_path):
    assert hold(tmp_path) is hold(tmp_path)


def test_the_home_folder_has_its_short_name(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert user_path("~/runs") == pathlib.Path("/home/somebody/runs")
    assert user_path("a/~/runs") == pathlib.Path("a/~/runs")


def test_a_relative_path_in_a_deleted_folder_is_one_clear_line(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(RunDirectoryError, match="run leads nowhere, since the working folder"):
        absolute(pathlib.Path("run"))
    assert absolute(tmp_path) == tmp_path
