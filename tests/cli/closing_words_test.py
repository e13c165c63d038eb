import pathlib
import types

import pytest

from enas_tf.cli.closing_words import retrain_report, score_line, search_report
from enas_tf.runs import RunDirectory
from enas_tf.spaces.macro.architecture import MacroArchitecture


def result(kind="shared_weights_validation_accuracy"):
    return types.SimpleNamespace(
        architecture=MacroArchitecture.from_release_string("0 3 1"),
        score=0.8125,
        score_kind=kind,
        run=types.SimpleNamespace(path=pathlib.Path("runs/first")),
    )


def test_the_score_of_shared_weights_is_not_taken_for_the_networks():
    line = score_line(0.8125, "shared_weights_validation_accuracy")
    assert line.startswith("shared weights validation accuracy: 0.8125")
    assert "not the performance of the final network" in line


def test_other_scores_have_no_such_words():
    assert (
        score_line(0.9, "retrained_validation_accuracy") == "retrained validation accuracy: 0.9000"
    )


def test_a_search_tells_architecture_files_and_the_next_command():
    text = search_report(result(), ["--preset=smoke", "--dataset=my digits.npz"])
    assert "Best architecture: 0 3 1" in text
    assert "runs/first/best_architecture.json" in text
    assert text.endswith(
        "  enas-retrain --architecture=runs/first --space=macro --preset=smoke "
        "'--dataset=my digits.npz' --output_dir=runs/first_final"
    )


@pytest.mark.parametrize(
    ("score", "first_line", "speaks"),
    [
        ({"test_accuracy": 0.98765}, "Test accuracy: 0.9877 (1,234 parameters, 3 epochs", False),
        ({"test_perplexity": 56.1234}, "Test perplexity: 56.12 (1,234 parameters, 3 epochs", True),
    ],
)
def test_a_retraining_tells_its_result_and_the_next_commands(tmp_path, score, first_line, speaks):
    run = RunDirectory(tmp_path)
    run.write_json("results.json", {**score, "parameters": 1234, "epochs": 3, "seconds": 65.0})
    text = retrain_report(run, ["--dataset=my text.txt", "--data_dir=there"])
    assert text.strip().startswith(first_line)
    assert (
        f"enas-evaluate --model={tmp_path}/saved_model/1 '--dataset=my text.txt' --data_dir=there"
    ) in text
    assert (f"enas-generate --model={tmp_path} --text=" in text) == speaks
