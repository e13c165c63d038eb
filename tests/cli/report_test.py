import pathlib
import types

from enas_tf.cli.report import score_line, search_report
from enas_tf.spaces.macro.architecture import MacroArchitecture


def result(kind="shared_weights_validation_accuracy"):
    return types.SimpleNamespace(
        architecture=MacroArchitecture.from_release_string("0 3 1"),
        score=0.8125,
        score_kind=kind,
        run=types.SimpleNamespace(path=pathlib.Path("runs/first")),
    )


def test_accuracy_of_shared_weights_is_not_taken_for_the_networks():
    line = score_line(0.8125, "shared_weights_validation_accuracy")
    assert line.startswith("shared weights validation accuracy: 0.8125")
    assert "not the accuracy of the final network" in line


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
