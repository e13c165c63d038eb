"""Folders of which no report can be made."""

import json

from enas_tf.runs.directory import RunDirectory
from tests.cli.bad_input.refusals import LONG, cases, split
from tests.reporting.page.example_runs import (
    search_configuration,
    write_retraining,
    write_search,
)


def configurations():
    """Returns the configurations of runs by their names."""
    search = search_configuration("macro")
    retraining = {"command": "retrain", "space": "macro", "network": {}, "retrain": {}}
    retraining["data"] = {"dataset": "digits"}
    no_layers = {**retraining, "architecture": {"layers": []}}
    return {
        "other_command": {"command": "benchmark"},
        "no_space": {"command": "search"},
        "other_space": {**search, "space": {"name": "cube"}},
        "setting": {**search, "search": {"shared_weights": {"epochs": 0}}},
        "unknown": {**search, "data": {"colour": "red"}},
        "no_architecture": retraining,
        "no_layers": no_layers,
        "no_space_retrained": {**no_layers, "space": ["macro"]},
        "network": {**no_layers, "network": {"filters": "many"}},
    }


def write_world(world):
    write_search(world / "run")
    write_retraining(world / "final")
    write_retraining(world / "rnn_final", "rnn")
    for name, configuration in configurations().items():
        RunDirectory.open(world / name, configuration)
    for name, text in {"broken": "{", "foreign": "{}", "list": "[1]"}.items():
        (world / name).mkdir()
        (world / name / "config.json").write_text(text)
    damaged = {"configuration": {"command": "search", "space": 3}}
    (world / "damaged").mkdir()
    (world / "damaged" / "config.json").write_text(json.dumps(damaged))
    (world / "text.txt").write_text("hello")
    (world / "thesis").mkdir()
    (world / "thesis" / "thesis.tex").write_text("years of work")


RUNS = {
    "none": "none is not a folder",
    LONG: "is not a folder",
    "text.txt": "text.txt is not a folder",
    "thesis": "thesis has no config.json; expected the output_dir of enas-search or enas-retrain",
    "broken": "broken/config.json is not valid JSON",
    "list": "holds no JSON object",
    "foreign": "was not written by enas_tf",
    "other_command": "holds neither a search nor a retraining",
    "no_space": "damaged: it has no object 'space'",
    "damaged": "damaged: it has no object 'space'",
    "other_space": "damaged: `space` must be one of macro, micro, rnn. Received: space='cube'",
    "setting": "damaged: `epochs` must be at least 1",
    "unknown": "damaged: DataConfig has no setting 'colour'",
    "no_architecture": "damaged: it has no object 'architecture'",
    "no_layers": "damaged: its architecture",
    "no_space_retrained": "damaged: `space` must be one of",
    "network": "damaged: `filters` must be int",
}

FLAGS = [
    ("report", "", "`--run` is required"),
    ("report", "run --run=run", "given twice"),
    ("report", "run final", "Unexpected argument 'final'"),
    ("report", "run --last=final", "Unknown command line flag 'last'"),
    ("report", "run --final=run", "run is not the run of a retraining"),
    ("report", "run --final=final --final=none", "none is not a folder"),
    ("report", "run --final=rnn_final", "of the rnn space, not of the macro space"),
    ("report", "run --final", "Missing value for flag --final"),
    ("report", "run --output=run/config.json", "`--output` must be a file name that ends in .html"),
    ("report", "run --output=none/page.html", "Cannot write none/page.html: no such file"),
    ("report", "run --output=text.txt/page.html", "Cannot write text.txt/page.html"),
]


@cases([(("report", path), message) for path, message in RUNS.items()])
def test_folders_that_are_no_runs(argv, message, refused_early):
    refused_early(argv, message)


@cases(split(FLAGS))
def test_wrong_flags(argv, message, refused_early):
    refused_early(argv, message)
