import types

import pytest

from enas_tf.cli.closing_words import retrain_report, score_line, search_report
from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.comparison import Comparison, MeanScore
from enas_tf.spaces.architectures import load_architecture
from enas_tf.spaces.costs import Costs
from tests.reporting.page.example_runs import write_retraining, write_search


def test_the_score_of_shared_weights_is_not_taken_for_the_networks():
    line = score_line(0.8125, "shared_weights_validation_accuracy")
    assert line.startswith("shared weights validation accuracy: 0.8125")
    assert "not the performance of the final network" in line


def test_other_scores_have_no_such_words():
    assert (
        score_line(0.9, "retrained_validation_accuracy") == "retrained validation accuracy: 0.9000"
    )


@pytest.mark.parametrize(
    ("space", "score"),
    [
        ("macro", "shared weights validation accuracy: 0.1250 (this ranks"),
        ("rnn", "shared weights validation reward: 0.1250, perplexity 640.00 (this ranks"),
    ],
)
def test_a_search_tells_architecture_files_and_the_next_commands(tmp_path, space, score):
    run = tmp_path / "run"
    write_search(run, space)
    architecture = load_architecture(run, space)
    kind = score.partition(":")[0].replace(" ", "_")
    result = types.SimpleNamespace(
        architecture=architecture,
        score=0.125,
        score_kind=kind,
        run=RunDirectory(run),
        candidates=[
            types.SimpleNamespace(costs=Costs(1234, 1300, 56789), tied_with_first=tie, reward=None)
            for tie in (True, True, False)
        ],
        comparison=Comparison("reinforce", MeanScore(0.94, 0.01, 20), MeanScore(0.83, 0.02, 20)),
    )
    text = search_report(result)
    assert (
        "  The controller's proposals score 0.940 ± 0.010, random ones 0.830 ± 0.020 with the same "
        "weights\n"
    ) in text
    assert f"Best architecture: {architecture.to_release_string()}\n" in text
    assert score in text
    assert ("  rewarded for likelihood, ranked by accuracy\n" in text) == (space == "macro")
    assert "  1,234 parameters, 56,789 multiply-adds, trained from scratch\n" in text
    assert "  The first 2 of 3 cannot be told apart (within 2 standard errors).\n" in text
    assert f"{run}/best_architecture.json" in text
    assert f"  enas-report --run={run}\n" in text
    assert f"  enas-retrain --architecture={run} --space={space} --preset=smoke" in text
    assert text.endswith(f" --output_dir={run}_final")


@pytest.mark.parametrize(
    ("space", "score", "first_line", "speaks"),
    [
        ("macro", {"test_accuracy": 0.98765}, "Test accuracy: 0.9877 (1,234 parameters,", False),
        ("rnn", {"test_perplexity": 56.1234}, "Test perplexity: 56.12 (1,234 parameters,", True),
    ],
)
def test_a_retraining_tells_its_result_and_the_next_commands(
    tmp_path, space, score, first_line, speaks
):
    write_retraining(tmp_path, space)
    run = RunDirectory(tmp_path)
    run.write_json("results.json", {**score, "parameters": 1234, "epochs": 3, "seconds": 65.0})
    text = retrain_report(tmp_path)
    assert text.strip().startswith(first_line)
    assert f"  enas-evaluate --model={tmp_path}/saved_model/1 '--dataset=<digits & co>'\n" in text
    assert (f"  enas-generate --model={tmp_path} --text=the" in text) == speaks
