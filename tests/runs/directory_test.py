import contextlib
import json
import logging
import os
import pathlib
import subprocess
import sys

import pytest

from enas_tf.errors import DataError, RunDirectoryError
from enas_tf.runs.directory import FILES, RunDirectory

CONFIGURATION = {"command": "search", "shared_weights": {"epochs": 310}, "shape": (8, 8, 1)}


def test_open_makes_the_folder_and_its_parents(tmp_path):
    run = RunDirectory.open(tmp_path / "a" / "b", CONFIGURATION)
    assert run.read_json("config.json")["configuration"]["shared_weights"] == {"epochs": 310}


def test_config_records_versions(tmp_path):
    versions = RunDirectory.open(tmp_path, CONFIGURATION).read_json("config.json")["versions"]
    assert {"enas_tf", "python", "tensorflow"} <= set(versions)


def test_the_same_configuration_resumes(tmp_path):
    with RunDirectory.open(tmp_path, CONFIGURATION) as run:
        run.metrics.append({"step": 1})
    assert RunDirectory.open(tmp_path, CONFIGURATION).metrics.read() == [{"step": 1}]


def test_other_versions_still_resume(tmp_path):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    run.write_json("config.json", {**run.read_json("config.json"), "versions": {"enas_tf": "0"}})
    assert RunDirectory.open(tmp_path, CONFIGURATION).path == tmp_path


def begun(path):
    """Returns a run that has something to lose."""
    with RunDirectory.open(path, CONFIGURATION) as run:
        run.metrics.append({"step": 1})
    return run


def test_another_configuration_is_refused_and_named(tmp_path):
    begun(tmp_path)
    with pytest.raises(RunDirectoryError, match=r"shared_weights\.epochs: 310 there, 100 now"):
        RunDirectory.open(tmp_path, {**CONFIGURATION, "shared_weights": {"epochs": 100}})


def test_a_setting_that_is_new_is_named(tmp_path):
    begun(tmp_path)
    with pytest.raises(RunDirectoryError, match="extra: unset there, 1 now"):
        RunDirectory.open(tmp_path, {**CONFIGURATION, "extra": 1})


def test_a_refused_run_loses_nothing(tmp_path):
    run = begun(tmp_path)
    with pytest.raises(RunDirectoryError):
        RunDirectory.open(tmp_path, {"other": 1})
    assert run.configuration == json.loads(json.dumps(CONFIGURATION))
    assert run.metrics.read() == [{"step": 1}]


def test_a_run_that_has_made_nothing_does_not_bind_the_next_one(tmp_path):
    with RunDirectory.open(tmp_path, CONFIGURATION) as run:
        run.keep_asset("vocabulary.txt", "a\nb\n")
        run.metrics.path.write_text("")
        run.architectures.append({"architecture": "0"})
    other = {**CONFIGURATION, "shared_weights": {"epochs": 100}}
    assert RunDirectory.open(tmp_path, other).configuration["shared_weights"] == {"epochs": 100}
    assert os.listdir(tmp_path) == ["config.json"]


def test_a_run_that_has_made_nothing_keeps_its_log_for_the_same_configuration(tmp_path):
    with RunDirectory.open(tmp_path, CONFIGURATION):
        logging.getLogger("enas_tf").info("epoch 1")
    RunDirectory.open(tmp_path, CONFIGURATION)
    assert "epoch 1" in (tmp_path / "log.txt").read_text()


@pytest.mark.parametrize(
    "name", ["checkpoints/ckpt-2.index", "best_architecture.json", "results.json", "model.keras"]
)
def test_a_run_that_has_made_something_binds_the_next_one(tmp_path, name):
    path = RunDirectory.open(tmp_path, CONFIGURATION).path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    with pytest.raises(RunDirectoryError, match="another configuration"):
        RunDirectory.open(tmp_path, {**CONFIGURATION, "shape": []})


def test_a_run_that_has_made_nothing_still_belongs_to_its_command(tmp_path):
    RunDirectory.open(tmp_path, CONFIGURATION)
    with pytest.raises(RunDirectoryError, match="holds a run of enas-search"):
        RunDirectory.open(tmp_path, {"command": "retrain"})


def test_overwrite_starts_anew(tmp_path):
    with RunDirectory.open(tmp_path, CONFIGURATION) as run:
        run.metrics.append({"step": 1})
        run.checkpoints.mkdir()
        (run.checkpoints / "ckpt-1.index").write_text("x")
    run = RunDirectory.open(tmp_path, {"other": 1}, overwrite=True)
    assert run.configuration == {"other": 1}
    assert sorted(os.listdir(tmp_path)) == ["config.json"]


def test_overwrite_keeps_files_that_are_not_ours(tmp_path):
    RunDirectory.open(tmp_path, CONFIGURATION)
    (tmp_path / "notes.txt").write_text("mine")
    RunDirectory.open(tmp_path, {"other": 1}, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_foreign_folder_is_refused_and_kept(tmp_path, overwrite):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunDirectoryError, match="no run of enas_tf"):
        RunDirectory.open(tmp_path, CONFIGURATION, overwrite=overwrite)
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_a_foreign_config_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"mine": true}')
    with pytest.raises(RunDirectoryError, match="was not written by enas_tf"):
        RunDirectory.open(tmp_path, CONFIGURATION)


def test_a_foreign_config_is_not_overwritten(tmp_path):
    (tmp_path / "config.json").write_text('{"mine": true}')
    with pytest.raises(RunDirectoryError, match="was not written by enas_tf"):
        RunDirectory.open(tmp_path, CONFIGURATION, overwrite=True)
    assert (tmp_path / "config.json").read_text() == '{"mine": true}'


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError, match="is a file"):
        RunDirectory.open(tmp_path / "file", CONFIGURATION)


def test_a_parent_that_is_a_file_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError, match="is a file; output_dir must be a folder"):
        RunDirectory.open(tmp_path / "file" / "run", CONFIGURATION)


def test_a_run_in_use_by_another_process_is_refused(tmp_path):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    script = (
        "import sys, json; from enas_tf.runs.directory import RunDirectory\n"
        "RunDirectory.open(sys.argv[1], json.loads(sys.argv[2]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path), json.dumps(run.configuration)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert "in use by another process" in result.stderr


def test_existing_refuses_a_folder_without_a_run(tmp_path):
    with pytest.raises(RunDirectoryError, match=r"has no config\.json"):
        RunDirectory.existing(tmp_path)


def test_existing_refuses_a_missing_folder(tmp_path):
    with pytest.raises(RunDirectoryError, match="is not a folder"):
        RunDirectory.existing(tmp_path / "none")


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    run.write_json("results.json", {"test_accuracy": 0.5})

    def fail(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(RunDirectoryError, match="no space left on device"):
        run.write_json("results.json", {"test_accuracy": 0.6})
    assert run.read_json("results.json") == {"test_accuracy": 0.5}
    assert sorted(os.listdir(tmp_path)) == ["config.json", "results.json"]


def test_broken_json_is_named(tmp_path):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(RunDirectoryError, match=r"results\.json is not valid JSON"):
        run.read_json("results.json")


def test_rewind_leaves_no_gap_and_no_duplicate(tmp_path):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    run.metrics.append({"step": 1})
    position = run.position()
    run.metrics.append({"step": 2})
    run.architectures.append({"reward": 0.5})
    resumed = RunDirectory.open(tmp_path, CONFIGURATION)
    resumed.rewind(position)
    resumed.metrics.append({"step": 2})
    assert [line["step"] for line in resumed.metrics.read()] == [1, 2]
    assert resumed.architectures.read() == []


def test_rewind_of_an_open_log_goes_on_at_the_cut(tmp_path):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    run.metrics.append({"step": 1})
    run.rewind({})
    run.metrics.append({"step": 7})
    assert run.metrics.read() == [{"step": 7}]


def test_rewind_does_not_lengthen_a_file(tmp_path):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    run.metrics.append({"step": 1})
    run.rewind({"metrics.jsonl": 10_000})
    assert run.metrics.read() == [{"step": 1}]


def test_log_goes_to_a_file_only_inside_the_block(tmp_path):
    with RunDirectory.open(tmp_path, CONFIGURATION):
        logging.getLogger("enas_tf.search").info("epoch 1")
    logging.getLogger("enas_tf.search").info("elsewhere")
    text = (tmp_path / "log.txt").read_text()
    assert "epoch 1" in text
    assert "elsewhere" not in text


def test_an_asset_is_kept_as_it_was_first_written(tmp_path):
    run = RunDirectory(tmp_path)
    for _ in range(2):
        run.keep_asset("vocabulary.txt", "a\nb\n")
    with pytest.raises(DataError, match="has changed since the run"):
        run.keep_asset("vocabulary.txt", "b\na\n")
    assert (tmp_path / "vocabulary.txt").read_bytes() == b"a\nb\n"


def test_a_position_is_taken_after_the_logs_are_on_the_disk(tmp_path, monkeypatch):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    run.metrics.append({"step": 1})
    on_disk = []
    monkeypatch.setattr(os, "fsync", lambda file: on_disk.append(os.fstat(file).st_ino))
    position = run.position()
    assert run.metrics.path.stat().st_ino in on_disk
    assert position["metrics.jsonl"] == len('{"step": 1}\n')


def test_a_disk_that_does_not_take_the_logs_is_one_clear_line(tmp_path, monkeypatch):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    run.metrics.append({"step": 1})

    def fail(file):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RunDirectoryError, match=r"Cannot write .*metrics\.jsonl: input/output err"):
        run.position()


def test_a_log_on_a_full_disk_says_so_once(tmp_path, capfd, caplog):
    with RunDirectory.open(tmp_path, CONFIGURATION) as run:
        (tmp_path / "log.txt").unlink()
        (tmp_path / "log.txt").symlink_to("/dev/full")
        run.close()
        with run:
            for number in range(3):
                logging.getLogger("enas_tf.search").info("epoch %d", number)
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "log.txt: no space left on device; messages will be missing" in warning.message
    assert capfd.readouterr().err == ""


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    RunDirectory.open(tmp_path, CONFIGURATION)
    (tmp_path / "saved_model" / ".export-x").mkdir(parents=True)
    (tmp_path / ".model.17.keras").touch()
    (tmp_path / ".best_architecture.json.a1b2").touch()
    (tmp_path / ".notes").touch()
    RunDirectory.open(tmp_path, CONFIGURATION)
    hidden = {path.name for path in tmp_path.rglob(".*")}
    assert hidden == {".notes"}


NAMES = ["lr=[0.05]", "a*b?", "two words", "ünïcode", "\udcff", "~", "..."]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_may_have_any_name(tmp_path, name):
    begun(tmp_path / name)
    run = RunDirectory.open(tmp_path / name, CONFIGURATION)
    assert run.metrics.read() == [{"step": 1}]
    assert run.path == tmp_path / name


def test_the_path_of_a_run_may_begin_with_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert RunDirectory.open("~/run", CONFIGURATION).path == tmp_path / "run"
    RunDirectory.check("~/run")
    RunDirectory.existing("~/run")
    assert os.listdir(tmp_path) == ["run"]


def test_a_relative_run_stays_where_it_is_when_the_working_folder_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = RunDirectory.open("run", CONFIGURATION)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    run.metrics.append({"step": 1})
    assert run.path == pathlib.Path("run")
    assert (tmp_path / "run" / "metrics.jsonl").read_text() == '{"step": 1}\n'


@pytest.mark.parametrize("method", [RunDirectory.check, RunDirectory.existing])
def test_a_relative_run_in_a_deleted_folder_is_one_clear_line(tmp_path, monkeypatch, method):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(RunDirectoryError, match="run leads nowhere, since the working folder"):
        method("run")


WRITES = {
    "a line": lambda run: run.metrics.append({"step": 2}),
    "a new log": lambda run: run.architectures.append({"step": 2}),
    "the position": lambda run: run.position(),
    "a rewind": lambda run: run.rewind({}),
    "a result": lambda run: run.write_json("results.json", {}),
    "an asset": lambda run: run.keep_asset("vocabulary.txt", "a\n"),
}


def tree(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("successor", [False, True])
def test_a_renamed_run_writes_nothing_more(tmp_path, write, successor):
    run = begun(tmp_path / "run")
    run.metrics.append({"step": 1})
    (tmp_path / "run").rename(tmp_path / "moved")
    if successor:
        begun(tmp_path / "run")
    before = tree(tmp_path)
    with pytest.raises(RunDirectoryError, match="was renamed, deleted or replaced"):
        write(run)
    assert tree(tmp_path) == before


def test_a_renamed_run_logs_nothing_more(tmp_path):
    with RunDirectory.open(tmp_path / "run", CONFIGURATION):
        logging.getLogger("enas_tf.search").info("before")
        (tmp_path / "run").rename(tmp_path / "moved")
        logging.getLogger("enas_tf.search").info("afterwards")
    assert "afterwards" not in (tmp_path / "moved" / "log.txt").read_text()


def test_a_renamed_run_is_gone_on_with_under_its_new_name(tmp_path):
    begun(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "moved")
    run = RunDirectory.open(tmp_path / "moved", CONFIGURATION)
    run.metrics.append({"step": 2})
    assert run.metrics.read() == [{"step": 1}, {"step": 2}]


def linked(run, kept):
    """Makes every part of a run a link to something of the same kind, and returns their names."""
    files = ("metrics.jsonl", "best_architecture.svg", "model.keras", "log.txt", "results.json")
    folders = ("checkpoints", "tensorboard", "saved_model")
    for name in files:
        (kept / name).write_text("kept")
    for name in folders:
        (kept / name).mkdir()
        (kept / name / "file").write_text("kept")
    for name in (*files, *folders):
        with contextlib.suppress(FileNotFoundError):
            (run / name).unlink()
        (run / name).symlink_to(kept / name)
    (run / "vocabulary.txt").symlink_to(kept / "nothing")


def test_overwrite_removes_links_and_not_what_they_lead_to(tmp_path):
    (tmp_path / "kept").mkdir()
    begun(tmp_path / "run")
    linked(tmp_path / "run", tmp_path / "kept")
    before = tree(tmp_path / "kept")
    RunDirectory.open(tmp_path / "run", {"other": 1}, overwrite=True)
    assert os.listdir(tmp_path / "run") == ["config.json"]
    assert tree(tmp_path / "kept") == before


def test_overwrite_leaves_what_links_inside_of_folders_lead_to(tmp_path):
    run = begun(tmp_path / "run")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("kept")
    run.checkpoints.mkdir()
    (tmp_path / "run" / "checkpoints" / "link").symlink_to(tmp_path / "kept")
    RunDirectory.open(tmp_path / "run", {"other": 1}, overwrite=True)
    assert (tmp_path / "kept" / "file").read_text() == "kept"


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("report.html", pathlib.Path.mkdir, "report.html is not a file"),
        ("tensorboard", pathlib.Path.touch, "tensorboard is not a folder"),
        ("log.txt", os.mkfifo, "log.txt is not a file"),
    ],
)
def test_overwrite_looks_at_everything_before_it_deletes_anything(tmp_path, name, make, message):
    begun(tmp_path)
    with contextlib.suppress(FileNotFoundError):
        (tmp_path / name).unlink()
    make(tmp_path / name)
    before = tree(tmp_path)
    with pytest.raises(RunDirectoryError, match=message):
        RunDirectory.open(tmp_path, {"other": 1}, overwrite=True)
    assert tree(tmp_path) == before


def test_overwrite_deletes_nothing_if_it_may_not_delete_all(tmp_path, monkeypatch):
    run = begun(tmp_path)
    (run.checkpoints / "deep").mkdir(parents=True)
    # Not by permissions, which do not count for a superuser.
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("deep"))
    before = tree(tmp_path)
    with pytest.raises(RunDirectoryError, match="checkpoints/deep may not be deleted"):
        RunDirectory.open(tmp_path, {"other": 1}, overwrite=True)
    assert tree(tmp_path) == before


def test_a_pipe_in_the_place_of_a_log_is_not_waited_for(tmp_path):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    os.mkfifo(tmp_path / "metrics.jsonl")
    os.mkfifo(tmp_path / "log.txt")
    for use in (run.metrics.read, lambda: run.metrics.append({}), run.__enter__):
        with pytest.raises(RunDirectoryError, match=r"a pipe|no such device"):
            use()


@pytest.mark.parametrize("name", ["config.json", "results.json"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path, name):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    with contextlib.suppress(FileNotFoundError):
        (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(RunDirectoryError, match=f"{name}: it is a pipe, not a regular file"):
        run.read_json(name)


def versions_told(caplog, run):
    caplog.clear()
    with run:
        pass
    return [record.message for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("name", ["tensorflow", "keras"])
@pytest.mark.parametrize("opened", [RunDirectory.open, RunDirectory.existing])
def test_a_run_that_goes_on_with_other_versions_says_so(tmp_path, caplog, name, opened):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    document = run.read_json("config.json")
    now = document["versions"][name]
    document["versions"][name] = "0.9"
    run.write_json("config.json", document)
    again = opened(*((tmp_path, CONFIGURATION) if opened == RunDirectory.open else (tmp_path,)))
    (line,) = versions_told(caplog, again)
    assert f"begun with other versions ({name}: 0.9 then, {now} now)" in line
    assert "other versions" in (tmp_path / "log.txt").read_text()


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [("a", "b", 1), ("a", "a", 0), ("a", None, 0), (None, "b", 1), (..., "b", 0)],
)
def test_a_run_that_goes_on_with_other_files_says_so(tmp_path, caplog, then, now, told):
    RunDirectory.open(tmp_path, CONFIGURATION, origin={} if then is ... else {FILES: then})
    lines = versions_told(caplog, RunDirectory.open(tmp_path, CONFIGURATION, origin={FILES: now}))
    assert ["was begun with other files" in line for line in lines] == [True] * told


@pytest.mark.parametrize("versions", [{"enas_tf": "0.0.1", "python": "3.0"}, None, {}])
def test_other_differences_of_versions_are_not_told(tmp_path, caplog, versions):
    run = RunDirectory.open(tmp_path, CONFIGURATION)
    run.write_json("config.json", {**run.read_json("config.json"), "versions": versions})
    assert versions_told(caplog, RunDirectory.open(tmp_path, CONFIGURATION)) == []


@pytest.mark.parametrize("now", ["old", "new"])
def test_a_setting_that_a_run_does_not_know_has_its_default(now, tmp_path):
    run = RunDirectory.open(tmp_path, {"search": {"seed": 1}})
    (tmp_path / "results.json").write_text("{}")
    run.close()
    wanted = {"search": {"seed": 1, "policy": {"way": now}}}
    defaults = {"search": {"seed": 0, "policy": {"way": "old"}}}
    expected = contextlib.nullcontext()
    if now == "new":
        expected = pytest.raises(
            RunDirectoryError, match=r"search\.policy\.way: old there, new now"
        )
    with expected:
        RunDirectory.open(tmp_path, wanted, defaults=defaults)
