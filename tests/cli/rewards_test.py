"""What the commands make of metrics and losses."""

import pytest

from enas_tf.cli.derive import main as derive
from enas_tf.cli.retrain import _flags, _loss
from enas_tf.cli.retrain import main as retrain
from enas_tf.cli.search import main as search
from enas_tf.records.next_steps import go_on
from enas_tf.records.run import recorded_run
from enas_tf.runs.directory import RunDirectory
from enas_tf.spaces.registry import get_space
from tests.reporting.page.example_runs import search_configuration

ENTRY = get_space("macro")
ARCHITECTURE = ENTRY.search_presets["smoke"].space.random_architecture(0)


@pytest.fixture
def run(tmp_path):
    configuration = search_configuration("macro")
    configuration["search"]["loss"]["class_weights"] = "balanced"
    configuration["search"] |= {"reward_metric": "own"}
    configuration["search"]["derive"]["metric"] = "own"
    RunDirectory.open(tmp_path / "run", configuration, origin={"preset": "smoke"}).close()
    return recorded_run(tmp_path / "run")


def test_a_retraining_has_the_loss_of_its_search(run):
    preset = run.retraining("smoke", ARCHITECTURE)
    assert _loss(preset.retrain) == {"loss": {"class_weights": "balanced", "label_smoothing": 0.0}}
    base = ENTRY.retrain_presets["smoke"].retrain
    assert preset.retrain == base.replace(loss=base.loss.replace(class_weights="balanced"))


def test_no_command_goes_on_with_a_function(run):
    (ranking,) = go_on(run)
    assert ranking.line.endswith("--metric=accuracy")


def test_what_the_default_metric_stands_for_is_no_flag_of_its_own(tmp_path):
    for space in ("macro", "rnn"):
        configuration = search_configuration(space)
        configuration["search"]["derive"]["metric"] = "accuracy"
        folder = tmp_path / space
        RunDirectory.open(folder, configuration, origin={"preset": "smoke"}).close()
        search, ranking = go_on(recorded_run(folder))
        assert "--epochs=3" in search.line
        assert "_metric=" not in search.line + ranking.line


def test_help_shows_the_loss_of_the_run_as_default(run):
    text = _flags(ENTRY, "smoke", run).help_text()
    assert "(default: balanced)" in text[text.index("--class_weights=") :].split("--")[1]


def test_a_metric_of_a_program_is_a_default_that_no_other_flag_can_have(run, capsys):
    # There is no checkpoint; the flags were read.
    for flags in ([], ["--metric=macro_f1"]):
        assert derive([f"--run={run.path}", *flags]) == 2
        assert "has no checkpoint yet" in capsys.readouterr().err
    assert derive([f"--run={run.path}", "--metric=other"]) == 2
    assert "`--metric` must be one of 'accuracy', 'top_5'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "flags", "says"),
    [
        (search, ["--space=macro", "--reward_metric=f1"], "`--reward_metric` must be one of"),
        (search, ["--space=macro", "--label_smoothing=1"], "`--label_smoothing` must be less than"),
        (
            search,
            ["--space=rnn", "--class_weights=balanced"],
            "`--class_weights` belongs to --space=macro and --space=micro, not to --space=rnn",
        ),
        (
            search,
            ["--space=rnn", "--reward_metric=macro_f1"],
            "`--reward_metric` belongs to --space=macro and --space=micro, not to --space=rnn",
        ),
        (
            retrain,
            ["--space=rnn", "--architecture=lstm", "--label_smoothing=0.1"],
            "`--label_smoothing` belongs to --space=macro and --space=micro, not to --space=rnn",
        ),
        (
            search,
            ["--space=macro", "--dataset=digits", "--evaluation=trained", "--derive_metric=top_5"],
            "Received: reward_metric=accuracy, derive_metric=top_5.",
        ),
    ],
)
def test_bad_flags_are_told_in_one_line(capsys, command, flags, says):
    assert command(flags) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
