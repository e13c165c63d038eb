"""Output folders that must not be touched, and runs that cannot be gone on with."""

import json
import os

from enas_tf.runs.directory import RunDirectory
from enas_tf.settings.data import DataConfig, TextDataConfig
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.architectures import architecture_document
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.space import RnnSpace
from tests.cli.bad_input.refusals import (
    LONG,
    RETRAIN,
    RNN_RETRAIN,
    RNN_SEARCH,
    SEARCH,
    cases,
    split,
    text_of,
    write_common,
    write_npz,
)

SPACE = MacroSpace(num_layers=3, filters=4, input_shape=(6, 6, 1), num_classes=2)
MICRO_SPACE = MicroSpace(num_nodes=2, filters=4, input_shape=(6, 6, 1), num_classes=2)
RNN_SPACE = RnnSpace(num_nodes=2, hidden_size=4, vocabulary_size=52, cell_output="loose_ends")
DAMAGED_CHECKPOINTS = (
    "damaged_checkpoint",
    "data_gone",
    "data_changed",
    "rnn_damaged_checkpoint",
    "rnn_data_gone",
    "rnn_data_changed",
)


def configurations():
    """Returns the configurations of runs by their names."""
    config = SearchConfig(shared_weights=TrainingConfig(batch_size=8))
    search = {
        "command": "search",
        "space": {"name": "macro", **SPACE.to_json()},
        "data": DataConfig(dataset="good.npz").to_json(),
        "search": config.to_json(),
    }
    rnn_search = {
        **search,
        "space": {"name": "rnn", **RNN_SPACE.to_json()},
        "data": TextDataConfig(dataset="good.txt").to_json(),
    }
    return {
        "search": search,
        "retraining": {"command": "retrain", "space": "macro"},
        "micro_search": {**search, "space": {"name": "micro", **MICRO_SPACE.to_json()}},
        "micro_shape": {**search, "space": {"name": "micro", "input_shape": [3, 3, 1]}},
        "no_space": {"command": "search"},
        "other_space": {**search, "space": {"name": "cube"}},
        "setting": {**search, "search": {"shared_weights": {"epochs": 0}}},
        "data": {**search, "data": {"dataset": 3}},
        "shape": {**search, "space": {"name": "macro", "input_shape": ["a", None]}},
        "damaged_checkpoint": search,
        "data_gone": {**search, "data": DataConfig(dataset="gone.npz").to_json()},
        "data_changed": {**search, "data": DataConfig(dataset="rgb.npz").to_json()},
        "rnn_search": rnn_search,
        "rnn_retraining": {"command": "retrain", "space": "rnn"},
        "rnn_pictures": {**rnn_search, "data": search["data"]},
        "rnn_output": {**rnn_search, "space": {"name": "rnn", "cell_output": "sum"}},
        "rnn_damaged_checkpoint": rnn_search,
        "rnn_data_gone": {**rnn_search, "data": TextDataConfig(dataset="gone.txt").to_json()},
        "rnn_data_changed": {**rnn_search, "data": TextDataConfig(dataset="other.txt").to_json()},
    }


def write_world(world):
    write_common(world)
    write_npz(world / "rgb.npz", shape=(6, 6, 3))
    (world / "other.txt").write_text(text_of(200).replace("word7", "word8"))
    for name, configuration in configurations().items():
        run = RunDirectory.open(world / "runs" / name, configuration)
        if name in DAMAGED_CHECKPOINTS:
            run.checkpoints.mkdir()
            (run.checkpoints / "checkpoint").write_text('model_checkpoint_path: "ckpt-1"\n')
            (run.checkpoints / "ckpt-1.index").write_text("x")
    found = {
        "search": SPACE,
        "shape": SPACE,
        "micro_search": MICRO_SPACE,
        "rnn_search": RNN_SPACE,
        "rnn_output": RNN_SPACE,
    }
    for name, space in found.items():
        document = architecture_document(space.random_architecture(0))
        (world / "runs" / name / "best_architecture.json").write_text(json.dumps(document))
    for name, text in {"broken": "{", "list": "[]", "foreign": "{}"}.items():
        (world / "runs" / name).mkdir()
        (world / "runs" / name / "config.json").write_text(text)


DERIVE = [
    ("derive", "", "`--run` is required"),
    ("derive", "--run=none", "none is not a folder"),
    ("derive", f"--run={LONG}", "is not a folder"),
    ("derive", "--run=text.txt", "text.txt is not a folder"),
    ("derive", "--run=thesis", "has no config.json"),
    ("derive", "--run=runs/retraining", "is not the run of a search"),
    ("derive", "--run=runs/search", "has no checkpoint yet"),
    ("derive", "--run=runs/search --num_candidates=0", "`--num_candidates` must be at least 1"),
    ("derive", "--run=runs/data_gone --finalists=1000", "`finalists` must be at most"),
    ("derive", "--run=runs/data_gone", "gone.npz does not exist"),
    ("derive", "--run=runs/data_changed", "has changed since the search"),
    ("derive", "--run=runs/no_space", "config.json is damaged: it has no object 'space'"),
    ("derive", "--run=runs/other_space", "config.json is damaged: `space` must be one of"),
    ("derive", "--run=runs/setting", "config.json is damaged: `epochs` must be at least 1"),
    ("derive", "--run=runs/data", "config.json is damaged: `dataset` must be str"),
    ("derive", "--run=runs/broken", "is not valid JSON"),
    ("derive", "--run=runs/list", "holds no JSON object"),
    ("derive", "--run=runs/foreign", "was not written by enas_tf"),
    ("derive", "--run=runs/micro_search", "has no checkpoint yet"),
    ("derive", "--run=runs/micro_shape", "config.json is damaged: The micro space halves"),
    ("derive", "--run=runs/rnn_search", "has no checkpoint yet"),
    ("derive", "--run=runs/rnn_retraining", "is not the run of a search"),
    ("derive", "--run=runs/rnn_pictures", "config.json is damaged: TextDataConfig has no setting"),
    ("derive", "--run=runs/rnn_output", "config.json is damaged: `cell_output` must be one of"),
    ("derive", "--run=runs/rnn_data_gone", "dataset='gone.txt', which is none of them"),
    ("derive", "--run=runs/rnn_data_changed", "has changed since the search"),
    (
        "derive",
        "--run=runs/rnn_damaged_checkpoint --statistics=batch",
        "`--statistics` belongs to --space=macro and --space=micro, not to --space=rnn",
    ),
]

DRAW = [
    ("draw", "--architecture=runs/shape --output=a.svg", "damaged: `input_shape` must be three"),
    ("draw", "--architecture=runs/retraining --space=macro --output=a.svg", "has no best_arch"),
    ("draw", "--architecture=runs/search --space=micro --output=a.svg", "give --space=macro"),
    (
        "draw",
        "--architecture=runs/micro_search --output=a.svg --input_shape=8,8,1",
        "`--input_shape` belongs to --space=macro, not to --space=micro",
    ),
    ("draw", "--architecture=runs/rnn_output --output=a.svg", "damaged: `cell_output` must be one"),
    ("draw", "--architecture=runs/rnn_search --space=macro --output=a.svg", "give --space=rnn"),
]

OUTPUT_FOLDERS = [
    (RETRAIN, ("--architecture=0 3 1", "--output_dir=thesis", "--overwrite"), "no run of enas_tf"),
    (RETRAIN, ("--architecture=0 3 1", "--output_dir=text.txt"), "text.txt is a file"),
    (RNN_RETRAIN, ("--architecture=lstm", "--output_dir=thesis", "--overwrite"), "no run of enas"),
    (RNN_RETRAIN, ("--architecture=lstm", "--output_dir=text.txt/x"), "text.txt is a file"),
]

OTHER_RUNS = [
    (SEARCH, ("--output_dir=runs/search",), "another configuration (space.num_layers: 3 there, 6"),
    (SEARCH, ("--output_dir=runs/retraining",), "holds a run of enas-retrain, which enas-search"),
    (SEARCH, ("--output_dir=runs/broken", "--overwrite"), "config.json is not valid JSON"),
    (SEARCH, ("--output_dir=runs/foreign", "--overwrite"), "was not written by enas_tf"),
    (SEARCH, (f"--output_dir={LONG}",), "file name too long"),
    (
        RETRAIN,
        ("--architecture=0", "--filters=2", "--output_dir=runs/search", "--overwrite"),
        "holds a run of enas-search, which enas-retrain neither resumes nor overwrites",
    ),
    (RNN_SEARCH, ("--output_dir=runs/rnn_search",), "another configuration (space.num_nodes: 2"),
    (RNN_SEARCH, ("--output_dir=runs/search",), "(space.name: macro there, rnn now"),
    (
        RNN_RETRAIN,
        ("--architecture=lstm", "--output_dir=runs/rnn_search", "--overwrite"),
        "holds a run of enas-search, which enas-retrain neither resumes nor overwrites",
    ),
    (("derive",), ("--run=runs/damaged_checkpoint",), "ckpt-1 is damaged"),
    (("derive",), ("--run=runs/rnn_damaged_checkpoint",), "ckpt-1 is damaged"),
]


@cases(split([*DERIVE, *DRAW]))
def test_wrong_runs(argv, message, refused_early):
    refused_early(argv, message)


@cases(((*command, *flags), message) for command, flags, message in OUTPUT_FOLDERS)
def test_folders_that_hold_something_else(argv, message, refused_early):
    refused_early(argv, message)


@cases(((*command, *flags), message) for command, flags, message in OTHER_RUNS)
def test_runs_that_hold_something_else(argv, message, refused):
    refused(argv, message)


@cases([(SEARCH, "permission denied"), (RNN_SEARCH, "permission denied")])
def test_a_folder_without_write_permission(argv, message, refused_early, monkeypatch):
    # Not by permissions, which do not count for a superuser.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    refused_early(argv, message)
