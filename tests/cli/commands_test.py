import json
import re
import subprocess
import sys

import pytest

from enas_tf.cli import (
    benchmark,
    derive,
    draw,
    evaluate,
    export,
    generate,
    predict,
    retrain,
    search,
    study,
)
from enas_tf.cli.common import chosen_space, default_output_dir
from enas_tf.errors import ConfigurationError
from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.procedures import METHODS
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.architectures import architecture_document
from enas_tf.spaces.macro.published import ENAS_MACRO_RELEASE
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.registry import get_space, space_names
from enas_tf.spaces.rnn.architecture import RnnArchitecture

RELEASE = ENAS_MACRO_RELEASE.to_release_string()
COMMANDS = ("search", "derive", "retrain", "evaluate", "predict", "export", "generate", "draw")
PRESETS = [(name, preset) for name in space_names() for preset in get_space(name).search_presets]
PRINTS_TENSORFLOW = (
    "import sys, enas_tf.cli.{0} as command\n"
    "try:\n    code = command.main(sys.argv[1:])\n"
    "except SystemExit as exit:\n    code = exit.code\n"
    "print('tensorflow' in sys.modules)\n"
    "sys.exit(code)"
)


def run(name, *argv):
    script = PRINTS_TENSORFLOW.format(name)
    result = subprocess.run(
        [sys.executable, "-c", script, *argv], capture_output=True, text=True, timeout=60
    )
    return result.returncode, result.stdout.splitlines(), result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_help_needs_no_tensorflow(name):
    code, lines, errors = run(name, "--help")
    assert (code, lines[-1], errors) == (0, "False", "")
    assert lines[0].startswith(f"enas-{name}: ")


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_flag_is_one_line_and_needs_no_tensorflow(name):
    code, lines, errors = run(name, "--space=macro", "--no_such_flag=1")
    assert (code, lines) == (2, ["False"])
    assert errors.startswith(f"enas-{name}: error: ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "`--space` is required"),
        (["--stratgy=random"], "Unknown command line flag 'stratgy'. Did you mean: strategy"),
        (["--strategy=randm"], "`--strategy` must be one of 'reinforce', 'random', 'frozen'"),
        (["--epochs=0"], "`--epochs` must be at least 1"),
        (["--num_nodes=x"], "`--num_nodes` must be an integer"),
        (["--num_nodes=5"], "`--space` is required"),
        (["--preset=best"], "`--preset` must be one of"),
        (
            ["--space=macro", "--noflip=1"],
            "`--noflip` takes no value. Write --noflip,",
        ),
        (["--space=cube"], "`--space` must be one of"),
        (["--space=macro", "--preset=best"], "`--preset` must be one of"),
        (["--space=macro", "--preset=darts"], "`--preset` must be one of"),
        (["--space=macro", "--epochs=0"], "`--epochs` must be at least 1"),
        (["--profile_steps=9"], "`--profile_steps` must be FIRST:END"),
        (["--space=macro", "--filters=17"], "`filters` must be even"),
        (["--space=macro", "macro"], "Unexpected argument 'macro'"),
    ],
)
def test_bad_flags_of_a_search(argv, message, capsys):
    assert search.main(argv) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("space", "preset"), PRESETS)
def test_no_two_settings_of_a_search_share_a_flag(space, preset):
    command = search._flags(get_space(space), preset)
    assert "--preset=" in command.help_text()


@pytest.mark.parametrize(("space", "preset"), PRESETS)
def test_no_two_settings_of_a_retraining_share_a_flag(space, preset):
    command = retrain._flags(get_space(space), preset)
    assert "--preset=" in command.help_text()


def test_help_shows_the_defaults_of_the_preset(capsys):
    with pytest.raises(SystemExit):
        search.main(["--space=macro", "--preset=smoke", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--dataset=TEXT" in text
    assert "(default: digits)" in text


@pytest.mark.parametrize("name", ["search", "benchmark"])
def test_help_says_that_a_space_is_required(name, capsys):
    with pytest.raises(SystemExit):
        {"search": search, "benchmark": benchmark}[name].main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--space={macro,micro,rnn} [--flag=value ...]" in text
    assert "This help shows those of macro. (required)" in text


@pytest.mark.parametrize("command", [retrain, draw])
def test_help_says_when_a_space_is_required(command, capsys):
    with pytest.raises(SystemExit):
        command.main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "Required, unless the architecture is a run, a file or a published one." in text


def test_help_of_a_study_says_what_tells_its_space(capsys):
    with pytest.raises(SystemExit):
        study.main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "Required, unless --run or --truth tells it." in text


@pytest.mark.parametrize("space", space_names())
@pytest.mark.parametrize("command", [search, retrain, study, benchmark])
def test_help_is_short(command, space, capsys):
    with pytest.raises(SystemExit):
        command.main([f"--space={space}", "--help"])
    assert 8 <= len(re.findall(r"^  --", capsys.readouterr().out, re.M)) <= 15


@pytest.mark.parametrize("command", [search, retrain, study, benchmark])
def test_every_common_flag_is_one_of_some_space(command, capsys):
    for space in space_names():
        with pytest.raises(SystemExit):
            command.main([f"--space={space}", "--help"])
    told = re.findall(r"^  --(?:\[no\])?(\w+)", capsys.readouterr().out, re.M)
    assert set(told) == set(command.COMMON)


def test_help_of_a_retraining_tells_the_network_of_its_run(tmp_path, capsys):
    preset = get_space("rnn").search_presets["smoke"]
    space = preset.space.replace(cell_output="loose_ends")
    configuration = {
        "command": "search",
        "space": {"name": "rnn", **space.to_json()},
        "data": preset.data.to_json(),
        "search": preset.search.to_json(),
    }
    run = RunDirectory.open(tmp_path / "run", configuration, origin={"preset": "smoke"})
    run.write_json("best_architecture.json", architecture_document(space.random_architecture(0)))
    with pytest.raises(SystemExit):
        retrain.main([f"--architecture={run.path}", "--helpfull"])
    assert "(default: loose_ends)" in " ".join(capsys.readouterr().out.split())


def test_help_lists_the_strategies(capsys):
    with pytest.raises(SystemExit):
        search.main(["--help"])
    assert f"--strategy={{{','.join(METHODS)}}}" in capsys.readouterr().out


def test_every_default_ranks_as_many_candidates():
    presets = [get_space(name).search_presets["default"].search for name in space_names()]
    assert {one.derive.num_candidates for one in [SearchConfig(), *presets]} == {100}


def test_the_space_of_a_run_need_not_be_repeated(tmp_path):
    (tmp_path / "best_architecture.json").write_text('{"space": "macro"}')
    assert chosen_space([], search._flags, str(tmp_path)).name == "macro"


def test_a_release_string_does_not_tell_its_space():
    with pytest.raises(ConfigurationError, match="`--space` is required"):
        chosen_space([], search._flags, "0 3 1 " * 5000)


def test_default_output_dir_is_made_of_names():
    assert default_output_dir("macro", "/data/my set.npz", "smoke") == "runs/macro_my-set.npz_smoke"


@pytest.mark.parametrize(
    ("space", "architecture"), [("macro", RELEASE), ("micro", "enas_micro_release")]
)
def test_draw_writes_a_file(space, architecture, tmp_path):
    path = tmp_path / "a.svg"
    argv = [f"--space={space}", f"--architecture={architecture}", f"--output={path}"]
    assert draw.main(argv) == 0
    assert path.read_text().startswith("<svg")


def test_draw_knows_the_size_of_a_runs_pictures(tmp_path):
    space = MacroSpace(num_layers=3, input_shape=(8, 8, 1))
    run = RunDirectory.open(tmp_path / "run", {"space": space.to_json()})
    document = architecture_document(space.random_architecture(seed=0))
    run.write_json("best_architecture.json", document)
    argv = [f"--architecture={run.path}", f"--output={tmp_path / 'a.svg'}"]
    assert draw.main(argv) == 0
    assert (tmp_path / "a.svg").read_text().count("height, width / 2") == 1


@pytest.mark.parametrize(
    ("command", "flag", "text"),
    [
        ("search", "", "node 2 alone"),
        ("retrain", "", "node 2 alone"),
        ("search", "--cell_output=mean", "mean of nodes 1 to 2"),
        (None, "", "mean of nodes 1 to 2"),
        (None, "--cell_output=loose_ends", "node 2 alone"),
    ],
)
def test_draw_knows_what_the_state_of_a_runs_cell_is(command, flag, text, tmp_path):
    architecture = RnnArchitecture.from_release_string("0 0 1 1")
    settings = {"cell_output": "loose_ends"}
    configuration = {
        "search": {"space": settings},
        "retrain": {"space": "rnn", "network": settings},
    }
    run = tmp_path / "run"
    run.mkdir()
    if command:
        RunDirectory.open(run, {"command": command, **configuration[command]})
    (run / "architecture.json").write_text(json.dumps(architecture_document(architecture)))
    argv = [f"--architecture={run}", f"--output={tmp_path / 'a.svg'}", *flag.split()]
    assert draw.main(argv) == 0
    assert text in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--architecture=0"], "`--output` is required"),
        (["--architecture=0", "--output=a.pdf"], "must end in .svg or .png"),
        (["--architecture=none_such", "--output=a.svg"], "none_such"),
        (["--architecture=0", "--output=a.svg", "--input_shape=8,8"], "three positive integers"),
    ],
)
def test_bad_flags_of_a_drawing(argv, message, capsys):
    assert draw.main(["--space=macro", *argv]) == 2
    assert message in capsys.readouterr().err


def test_every_format_has_a_writer():
    from enas_tf.models import classifier_export as export_classifier
    from enas_tf.models import language_model_export as export_language_model
    from enas_tf.models.files import FORMATS

    for module in (export_classifier, export_language_model):
        assert tuple(module.WRITERS) == tuple(FORMATS)


@pytest.mark.parametrize(
    ("command", "argv", "message"),
    [
        (evaluate, ["--dataset=digits"], "`--model` is required"),
        (evaluate, ["--model=none"], "`--dataset` is required"),
        (evaluate, ["--model=none", "--dataset=digits", "--cutout=3"], "Unknown"),
        (evaluate, ["--model=none", "--dataset=digits"], "none does not exist"),
        (predict, ["a.png"], "`--model` is required"),
        (predict, ["--model=none"], "`--pictures` is required"),
        (predict, ["--model=none", "a.png"], "none does not exist"),
        (predict, ["--model=none", "a.png", "--top=0"], "`--top` must be at least 1"),
        (predict, ["--model=none", "a.png", "--format=xml"], "`--format` must be one of"),
        (export, ["--run=none", "--format=torch"], "`--format` must be one of"),
        (export, ["--run=none"], "none does not exist"),
        (generate, [], "`--model` is required"),
        (generate, ["--model=none"], "none does not exist"),
        (generate, ["--model=none", "--num_words=0"], "`--num_words` must be at least 1"),
        (generate, ["--model=none", "--temperature=-1"], "`--temperature` must be at least 0"),
        (generate, ["--model=none", "--top_k=0"], "`--top_k` must be at least 1"),
        (derive, ["--run=none"], "none is not a folder"),
        (derive, [], "`--run` is required"),
        (derive, ["--run=none", "--num_candidates=0"], "`--num_candidates` must be at least 1"),
        (retrain, ["--space=macro"], "`--architecture` is required"),
        (retrain, [], "`--architecture` is required"),
        (retrain, ["--architecture=0 1"], "`--space` is required"),
        (retrain, ["--architecture=0 1", "--space=macro"], "2 integers fit no number of layers"),
        (retrain, ["--architecture=0", "--space=macro", "--num_layers=3"], "Unknown"),
    ],
)
def test_bad_input_of_other_commands(command, argv, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command.main(argv) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1
