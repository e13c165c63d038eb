"""Small runs of every space and form, and all commands that they and their reports print.

The runs are made once; what is printed is run as it is printed (retrainings for one epoch only).
"""

import contextlib
import html
import importlib
import io
import itertools
import json
import shlex
import shutil

import pytest

from enas_tf.searching.strategies import STRATEGIES

pytestmark = pytest.mark.end_to_end

_SHORT = (
    "--preset=smoke --epochs=1 --controller_updates_per_epoch=1 --controller_samples_per_update=2 "
    "--derive_num_candidates=2"
)
_DIGITS = "--dataset=digits --max_train_examples=64 --max_test_examples=40 --batch_size=16"
_PICTURES = f"{_SHORT} {_DIGITS} --num_operations=2"
FORMS = {
    "macro": f"--space=macro --num_layers=2 --filters=4 {_PICTURES}",
    # 6 does not divide the 32 filters of the final network's preset.
    "channels": f"--space=macro --nosearch_whole_channels --num_layers=2 --filters=6 {_PICTURES}",
    "micro": f"--space=micro --num_layers=1 --num_nodes=1 --filters=4 {_PICTURES}",
    # Not what a final network's preset has.
    "rnn": (
        f"--space=rnn --num_nodes=2 --cell_output=loose_ends --hidden_size=8 --batch_size=4 "
        f"--max_train_tokens=600 --max_test_tokens=100 {_SHORT}"
    ),
}
# One step of its three phases is enough.
LEARNED = "reinforce"


def run(line):
    """Runs a command line in this process; returns its exit code and its output."""
    program, *arguments = shlex.split(line)
    command = importlib.import_module(f"enas_tf.cli.{program.removeprefix('enas-')}")
    with contextlib.redirect_stdout(io.StringIO()) as output:
        code = command.main(arguments)
    return code, output.getvalue()


def printed(output):
    """Returns the commands of this package in an output, by program."""
    lines = [line.strip() for line in output.splitlines()]
    return {line.partition(" ")[0]: line for line in lines if line.startswith("enas-")}


@pytest.fixture(scope="module")
def searches(tmp_path_factory):
    """Returns the folder and the printed commands of a search, which is made when asked for."""
    made = {}
    folder = tmp_path_factory.mktemp("searches")

    def search(form, strategy=LEARNED):
        if (form, strategy) not in made:
            path = folder / f"{form} {strategy}"
            line = f"enas-search {FORMS[form]} --strategy={strategy} '--output_dir={path}'"
            code, output = run(line)
            assert code == 0
            made[form, strategy] = path, printed(output)
        return made[form, strategy]

    return search


# By default only a text, and nothing is trained: pictures have the test of the main jobs.
_SHORT_FORMS = ("rnn",)


def _long_unless(is_short, *values):
    return pytest.param(*values, marks=[] if is_short else pytest.mark.long)


@pytest.fixture(scope="module", params=[_long_unless(form in _SHORT_FORMS, form) for form in FORMS])
def searched(request, searches):
    return searches(request.param)


@pytest.fixture(scope="module")
def retrained(searched):
    """The folder of the retraining that a search has named, and what that printed."""
    path, commands = searched
    code, output = run(f"{commands['enas-retrain']} --epochs=1")
    assert code == 0
    return path.with_name(f"{path.name}_final"), printed(output)


@pytest.mark.parametrize(
    ("form", "strategy"),
    [
        _long_unless(form in _SHORT_FORMS and strategy == LEARNED, form, strategy)
        for form, strategy in itertools.product(FORMS, STRATEGIES)
    ],
)
def test_every_strategy_searches_every_form(form, strategy, searches):
    path, _ = searches(form, strategy)
    config = json.loads((path / "config.json").read_text())
    assert config["configuration"]["search"]["strategy"] == strategy
    assert config["origin"]["preset"] == "smoke"
    assert json.loads((path / "best_architecture.json").read_text())["ranking"]


def test_deriving_names_the_same_commands(searched):
    path, commands = searched
    code, output = run(f"enas-derive '--run={path}' --num_candidates=1")
    assert code == 0
    assert printed(output) == commands


def test_the_report_names_the_same_retraining(searched):
    path, commands = searched
    assert run(commands["enas-report"])[0] == 0
    page = html.unescape((path / "report.html").read_text())
    assert commands["enas-retrain"] in page


@pytest.mark.long
def test_an_unfinished_search_goes_on_as_its_report_says(searched, tmp_path):
    path = tmp_path / "a run"
    shutil.copytree(searched[0], path)
    (path / "best_architecture.json").unlink()
    assert run(f"enas-report '--run={path}'")[0] == 0
    page = html.unescape((path / "report.html").read_text())
    for program in ("enas-derive", "enas-search"):
        (path / "best_architecture.json").unlink(missing_ok=True)
        (line,) = [text for text in page.splitlines() for text in _code(text, program)]
        assert run(line)[0] == 0
        assert (path / "best_architecture.json").exists()


def _code(line, program):
    """Returns the commands of a program in a line of a page."""
    parts = line.replace("</", "<").split("<")
    texts = [part.partition(">")[2] for part in parts]
    return [text for text in texts if text.startswith((f"{program} -", f"{program} '-"))]


@pytest.mark.long
def test_a_retraining_needs_only_the_run(searched, retrained):
    before = (retrained[0] / "config.json").read_text()
    # Any other settings would be refused, since there is a run already.
    line = f"enas-retrain '--architecture={searched[0]}' '--output_dir={retrained[0]}' --epochs=1"
    assert run(line)[0] == 0
    assert (retrained[0] / "config.json").read_text() == before


@pytest.mark.long
def test_the_network_is_tested_again_with_the_same_result(retrained):
    path, commands = retrained
    code, output = run(f"{commands['enas-evaluate']} --json")
    assert code == 0
    again, reported = json.loads(output), json.loads((path / "results.json").read_text())
    (name,) = {"test_accuracy", "test_perplexity"} & set(reported)
    assert again[name] == pytest.approx(reported[name], rel=1e-5)


@pytest.mark.long
def test_the_other_commands_after_a_retraining_run(retrained):
    path, commands = retrained
    others = set(commands) - {"enas-evaluate"}
    is_text = "test_perplexity" in (path / "results.json").read_text()
    assert others == {"enas-report", "enas-export"} | ({"enas-generate"} if is_text else set())
    for program in others:
        assert run(commands[program])[0] == 0
    page = html.unescape((path / "report.html").read_text())
    assert commands["enas-evaluate"] in page
    assert commands["enas-export"] in page
