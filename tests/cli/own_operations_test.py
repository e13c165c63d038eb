"""`--operations_module`: commands that know operations of the user's own."""

import sys

import pytest

from enas_tf.cli import derive, draw, report, search
from enas_tf.cli.own_operations import with_operations
from enas_tf.records import next_steps
from enas_tf.runs.directory import RunDirectory
from enas_tf.spaces import own_operations
from enas_tf.spaces.registry import get_space
from tests.cli.bad_input.refusals import after_start
from tests.spaces.own_operations import registered

MODULE = """
import enas_tf

enas_tf.register_operation("zigzag", lambda filters, strides: None)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a module of operations that this process does not know yet."""
    (tmp_path / "my_operations.py").write_text(MODULE)
    (tmp_path / "flags").write_text("--operations_module=my_operations.py\n--space=macro\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(own_operations, "_MODULES", [])
    monkeypatch.delitem(sys.modules, "my_operations", raising=False)
    with registered():
        yield tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["--operations_module=my_operations.py", "--space=macro"],
        ["--space=macro", "--operations_module", "my_operations.py"],
        ["--operations_module=my_operations", "--space=macro"],
        ["--flagfile=flags"],
    ],
)
def test_the_module_is_imported_and_the_flag_taken_out(folder, arguments):
    assert with_operations(arguments) == ["--space=macro"]
    assert "zigzag" in get_space("macro").operations.own()


def test_other_arguments_stay_as_they_are():
    assert with_operations(["--flagfile=none", "a b"][1:]) == ["a b"]


def test_a_drawing_has_the_operation(folder, capsys):
    arguments = ["--space=macro", "--architecture=zigzag | 0 1", "--output=a.svg"]
    assert draw.main(["--operations_module=my_operations.py", *arguments]) == 0
    assert "zigzag" in (folder / "a.svg").read_text()


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        (
            "--operations_module=",
            "`--operations_module` must be a .py file or the name of a module",
        ),
        ("--operations_module=none.py", "Cannot import --operations_module=none.py"),
        ("--operations_module=no.such", "ModuleNotFoundError: No module named 'no'"),
    ],
)
def test_what_cannot_be_imported_is_told_in_one_line(folder, capsys, flag, message):
    assert draw.main(["--space=macro", "--architecture=0", "--output=a.svg", flag]) == 2
    out, errors = capsys.readouterr()
    assert (out, errors.count("\n")) == ("", 1)
    assert errors.startswith("enas-draw: error: ")
    assert message in errors


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--space=macro --operations=", "must name at least one operation. Choose from: convol"),
        ("--space=macro --operations=zigzag", "--operations_module=FILE.py in a command"),
        ("--space=micro --operations=max,max_pooling", "names max_pooling_3x3 twice"),
        ("--space=micro --operations=separable", "fits separable_convolution_3x3 and separ"),
        ("--space=rnn --operations=gelu", "Choose from: tanh, relu, sigmoid, identity."),
        ("--space=macro --operations=max --num_operations=3", "not both"),
        ("--space=macro --operations=max --nosearch_whole_channels", "give `num_operations`"),
    ],
)
def test_what_cannot_be_chosen_is_told_in_one_line(folder, capsys, flags, message):
    data = "--dataset=pydoc" if "rnn" in flags else "--dataset=digits"
    assert search.main([*flags.split(), data, "--preset=smoke", "--output_dir=out"]) == 2
    out, errors = capsys.readouterr()
    errors = after_start(errors)
    assert (out, errors.count("\n")) == ("", 1)
    assert message in errors
    assert not (folder / "out").exists()


@pytest.fixture
def run(folder):
    """A search whose space has the operation, as its files say it."""
    with registered(zigzag=lambda filters, strides: None):
        preset = get_space("macro").search_presets["smoke"]
        space = preset.space.replace(operations=("max", "zigzag"))
        parts = {"space": space, "data": preset.data, "search": preset.search}
        configuration = {name: part.to_json() for name, part in parts.items()}
    configuration["space"]["name"] = "macro"
    RunDirectory.open("out", {"command": "search", **configuration}, origin={"preset": "smoke"})
    return folder / "out"


def test_the_configuration_of_a_run_names_operations(run):
    configuration = RunDirectory(run).configuration
    assert configuration["space"]["operations"] == ["max_pooling_3x3", "zigzag"]


@pytest.mark.parametrize("command", [derive, report])
def test_a_run_whose_operation_is_missing_says_so_in_one_line(run, capsys, command):
    assert command.main(["--run=out"]) == 2
    _, errors = capsys.readouterr()
    assert errors.count("\n") == 1
    assert "out/config.json: `operations`: 'zigzag' is no operation of this space" in errors
    assert "registered first: by enas_tf.register_operation in Python" in errors


def test_a_run_whose_operation_is_there_goes_on(run, capsys):
    assert derive.main(["--run=out", "--operations_module=my_operations.py"]) == 2
    assert "has no checkpoint yet" in capsys.readouterr().err


def test_next_commands_have_the_module(folder):
    with_operations(["--operations_module=my_operations.py"])
    step = next_steps.train_best("runs/a")
    assert step.line.endswith(" --operations_module=my_operations.py")


def test_help_names_the_flag(capsys):
    with pytest.raises(SystemExit):
        search.main(["--help", "--space=micro"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--operations=TEXT,TEXT,..." in text
    assert "dilated_convolution_5x5" in text
    assert "--operations_module=FILE.py (imports operations of your own)" in text
