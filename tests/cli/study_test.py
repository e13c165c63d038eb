import pytest

from enas_tf.cli import study
from tests.cli.bad_input.refusals import after_start
from tests.studies.truth_test import SPACE, made_up_truth

SMALL = [
    "--space=macro",
    "--dataset=digits",
    "--preset=smoke",
    "--num_layers=2",
    "--num_operations=2",
    "--filters=4",
    "--max_train_examples=100",
]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--part=1/2", "--collect"], "`--part` and `--collect` exclude each other"),
        (["--exhaustive", "--truth=macro_digits"], "`--exhaustive` and `--truth` exclude"),
        (["--part=3/2"], "`part` must be K/N"),
        (["--methods=reinforce,luck"], "`methods` must be some of"),
        (["--methods=random,random"], "each once"),
        (["--seeds=0"], "`--seeds` must be at least 1"),
        (["--num_random=1"], "num_random"),
        (["--truth=nowhere.json"], "nowhere.json"),
        (["--run=nowhere"], "nowhere"),
        (["--strategy=random"], "strategy"),
        (["--retrain_use_validation"], "retrain_use_validation"),
    ],
)
def test_bad_input_is_one_line(arguments, message, tmp_path, capsys):
    output = tmp_path / "out"
    assert study.main([*SMALL, f"--output_dir={output}", *arguments]) == 2
    (line,) = after_start(capsys.readouterr().err).splitlines()
    assert line.startswith("enas-study: error: ")
    assert message in line
    assert not output.exists()


def test_a_dry_run_tells_the_work_and_makes_nothing(tmp_path, capsys):
    arguments = ["--dry_run", "--seeds=2", "--num_random=3", "--retrain_seeds=1"]
    assert study.main([*SMALL, f"--output_dir={tmp_path / 'out'}", *arguments]) == 0
    output = capsys.readouterr().out
    assert "4 searches: reinforce, random, with 2 seeds each" in output
    assert "7 trainings from scratch" in output
    # Not 20, as in a final training: differences between architectures would be gone.
    assert "1 trainings of 6 epochs each" in output
    assert not (tmp_path / "out").exists()


def test_a_dry_run_of_an_exhaustive_study_makes_nothing(tmp_path, capsys):
    arguments = [*SMALL, "--exhaustive", "--num_layers=1", "--num_operations=3", "--dry_run"]
    assert study.main([*arguments, f"--output_dir={tmp_path / 'out'}", "--retrain_seeds=3"]) == 0
    told = capsys.readouterr().out
    assert "3 architectures, each trained alone 3 times for 10 epochs: 9 trainings." in told
    assert not (tmp_path / "out").exists()


def test_a_dry_run_against_a_truth_makes_nothing(tmp_path, capsys):
    made_up_truth(SPACE).write(tmp_path / "truth.json")
    arguments = ["--space=macro", f"--truth={tmp_path / 'truth.json'}", "--methods=evolution"]
    output = tmp_path / "out"
    assert study.main([*arguments, "--dry_run", "--seeds=2", f"--output_dir={output}"]) == 0
    assert "2 searches with each of evolution" in capsys.readouterr().out
    assert not output.exists()


def test_methods_run_against_a_truth(tmp_path, capsys):
    made_up_truth(SPACE).write(tmp_path / "truth.json")
    arguments = [
        "--space=macro",
        f"--truth={tmp_path / 'truth.json'}",
        "--methods=evolution",
        "--seeds=2",
    ]
    output = tmp_path / "out"
    assert study.main([*arguments, "--evaluations=5", f"--output_dir={output}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines if "regret" in line] == ["random", "evolution"]
    assert {"study.json", "study.html"} <= {path.name for path in output.iterdir()}
