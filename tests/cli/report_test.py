import subprocess
import sys

import pytest

from enas_tf.cli import report
from enas_tf.reporting.page.records import read_run
from tests.reporting.page.example_runs import write_retraining, write_search


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with a search and two retrainings, which tests only read."""
    folder = tmp_path_factory.mktemp("runs")
    write_search(folder / "run", data_dir="my data")
    write_retraining(folder / "final")
    write_retraining(folder / "other", seed=1)
    return folder


def lines_after(run, *finals):
    steps = report._commands_after(read_run(run), [read_run(path) for path in finals])
    return [step.line for step in steps]


@pytest.mark.parametrize("flag", ["--run={}", "{}"])
def test_the_page_lies_in_the_run(tmp_path, flag, capsys):
    write_search(tmp_path)
    assert report.main([flag.format(tmp_path)]) == 0
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert capsys.readouterr().out == f"Wrote {tmp_path}/report.html\n"


def test_several_retrainings_and_another_file(tmp_path, runs):
    output = tmp_path / "page.html"
    argv = [str(runs / "run"), f"--final={runs}/final", "--final", f"{runs}/other"]
    assert report.main([*argv, "--output", str(output)]) == 0
    text = output.read_text()
    assert f"{runs}/final</code>" in text
    assert f"{runs}/other</code>" in text


def test_a_retraining_has_a_report_of_its_own(tmp_path, runs):
    output = tmp_path / "page.HTML"
    assert report.main([f"--output={output}", f"{runs}/final"]) == 0
    assert "trained from scratch" in output.read_text()


def test_flags_out_of_a_file(tmp_path, runs):
    (tmp_path / "flags").write_text(f"--final={runs}/final\n--output={tmp_path}/page.html\n")
    assert report.main([f"{runs}/run", f"--flagfile={tmp_path}/flags"]) == 0
    assert f"{runs}/final</code>" in (tmp_path / "page.html").read_text()


def test_a_report_changes_nothing_else(tmp_path):
    write_search(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    report.main([str(tmp_path)])
    after = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert after.pop(tmp_path / "report.html")
    assert after == before


def test_a_run_that_another_process_writes_into(tmp_path):
    write_search(tmp_path)
    script = (
        "import sys; from enas_tf.cli import report; "
        f"code = report.main([{str(tmp_path)!r}]); print(code, 'tensorflow' in sys.modules)"
    )
    # This process holds the lock of the run that it has written.
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "0 False"


def test_what_makes_pages_is_imported_when_one_is_made():
    script = (
        "import sys, enas_tf.cli.report, enas_tf.cli.entry_points; "
        "print({'jinja2', 'plotly'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout == "set()\n"


def test_after_a_search_comes_the_retraining(runs):
    retrain, tensorboard = lines_after(runs / "run")
    assert retrain == (
        f"enas-retrain --architecture={runs}/run --space=macro --preset=smoke --dataset=digits "
        f"'--data_dir=my data' --output_dir={runs}/run_final"
    )
    assert tensorboard == f"tensorboard --logdir={runs}/run/tensorboard"


def test_an_unfinished_search_can_go_on(tmp_path):
    write_search(tmp_path, "rnn", finished=False)
    search, derive, _ = lines_after(tmp_path)
    assert search == f"enas-search --space=rnn --preset=smoke --output_dir={tmp_path} --epochs=3"
    assert derive == f"enas-derive --run={tmp_path}"


def test_after_a_retraining_comes_the_serving(runs):
    lines = lines_after(runs / "final")
    assert f"--model_base_path={runs}/final/saved_model" in lines[2]
    assert lines[0] == (
        f"enas-evaluate --model={runs}/final/saved_model/1 '--dataset=<digits & co>'"
    )


def test_a_language_model_can_go_on_with_a_text(tmp_path):
    write_retraining(tmp_path, "rnn")
    assert f"enas-generate --model={tmp_path} --text=the" in lines_after(tmp_path)
