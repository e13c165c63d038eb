"""Files of runs that were damaged, cut off, edited or taken away."""

import importlib
import json
import shutil

import numpy as np
import pytest

from tests.cli.bad_input.refusals import cases, write_common

NUM_FINISHED = 6  # The number of the last checkpoint of the search.
SEARCH = (
    "--space=macro --preset=smoke --dataset=good.npz --batch_size=8 --validation_size=20 "
    "--num_layers=2 --filters=4 --epochs=2 --strategy=random --controller_updates_per_epoch=1 "
    "--controller_samples_per_update=2 --derive_num_candidates=2"
)
RETRAIN = (
    "--space=rnn --preset=smoke --dataset=good.txt --batch_size=8 --architecture=lstm "
    "--hidden_size=4 --epochs=1"
)
DERIVE = "derive --run={run}"
GO_ON = f"search {SEARCH} --output_dir={{run}}"
GO_ON_RETRAINING = f"retrain {RETRAIN} --output_dir={{run}}"
RETRAIN_FOUND = (
    "retrain --space=macro --preset=smoke --dataset=good.npz --architecture={run} --output_dir=out"
)
DRAW = "draw --architecture={run} --space=macro --output=a.svg"
EVALUATE = "evaluate --model={run} --dataset=good.txt"
EXPORT = "export --run={run} --format=tflite"
GENERATE = "generate --model={run}/saved_model --num_words=2"


@pytest.fixture(scope="module", autouse=True)
def without_training():
    """Replaces what takes time in a search: training and scores of shared weights."""
    import tensorflow as tf

    from enas_tf.searching.shared_weights import SharedWeights
    from enas_tf.training.image_metrics import ImageMetrics

    def share(architecture):
        return float(np.mean([layer.operation == 0 for layer in architecture.layers]))

    metrics = ImageMetrics(tf.constant(8.0), tf.constant(4.0), tf.constant(8.0))
    replacements = {
        "train": lambda *args: metrics,
        "rewards": lambda self, batches, proposed: list(map(share, proposed)),
        "validation_scores": lambda self, batches, one, **how: [(share(one), 1.0)],
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, replacement in replacements.items():
            patch.setattr(SharedWeights, name, replacement)
        yield


def run(line):
    name, *flags = line.split()
    return importlib.import_module(f"enas_tf.cli.{name}").main(flags)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def become_a_folder(path):
    path.unlink()
    path.mkdir()


def become_binary(path):
    path.write_bytes(b"\xff\xfe\x00\x01")


def add(text):
    """Returns what adds a text at the end of a file."""
    return lambda path: path.write_bytes(path.read_bytes() + text.encode())


def edit(*keys, to):
    """Returns what changes an entry of a JSON file."""

    def change(path):
        document = json.loads(path.read_text())
        entry = document
        for key in keys[:-1]:
            entry = entry[key]
        entry[keys[-1]] = to
        path.write_text(json.dumps(document))

    return change


def setting(*keys, to):
    return edit("configuration", *keys, to=to)


FOUND, WORDS = "found", "words"
DATA, INDEX = "checkpoints/*.data*", "checkpoints/*.index"
NEWEST = f"checkpoints/ckpt-{NUM_FINISHED}"
VARIABLES = "saved_model/1/variables/variables"
NO_OTHER = "), and there is no other one to go on from; use --overwrite to start anew"
OPERATION = ("architecture", "layers", 0, "operation")

# The run that is copied, which of its files are harmed and how, a command, its message.
EARLY = [
    (FOUND, "config.json", cut, DERIVE, "config.json is not valid JSON"),
    (FOUND, "config.json", empty, DERIVE, "config.json is not valid JSON"),
    (FOUND, "config.json", become_binary, DERIVE, "config.json is not valid JSON"),
    (FOUND, "config.json", become_a_folder, DERIVE, "has no config.json"),
    (FOUND, "config.json", remove, GO_ON, "is not empty and is no run of enas_tf"),
    (FOUND, "config.json", edit("configuration", to=[]), DERIVE, "was not written by enas_tf"),
    (FOUND, "config.json", setting("search", to=3), DERIVE, "it has no object 'search'"),
    (FOUND, "checkpoints", remove, DERIVE, "has no checkpoint yet"),
    (FOUND, INDEX, remove, DERIVE, "has no checkpoint yet"),
    (FOUND, "best_architecture.json", cut, RETRAIN_FOUND, "best_architecture.json is not valid"),
    (FOUND, "best_architecture.json", become_binary, DRAW, "best_architecture.json is not valid"),
    (FOUND, "best_architecture.json", edit(*OPERATION, to="x"), DRAW, "best_architecture.json: "),
    (FOUND, "best_architecture.json", edit("space", to="rnn"), DRAW, "give --space=rnn"),
    (FOUND, "best_architecture.json", edit("format_version", to=9), RETRAIN_FOUND, "newer than"),
    (WORDS, "model.keras", empty, EVALUATE, "is not a Keras model file"),
    (WORDS, "model.keras", cut, EXPORT, "is not a Keras model file"),
]
LATE = [
    (FOUND, "config.json", cut, GO_ON, "config.json is not valid JSON"),
    (FOUND, "config.json", become_a_folder, GO_ON, "config.json"),
    (
        FOUND,
        "config.json",
        setting("search", "seed", to=5),
        GO_ON,
        "another configuration (search.seed: 5 there, 0 now)",
    ),
    (
        FOUND,
        "config.json",
        setting("search", "seed", to=5),
        DERIVE,
        f"{NEWEST} belongs to another configuration (search.seed: 0 there, 5 now)",
    ),
    (
        FOUND,
        "config.json",
        setting("space", "filters", to=8),
        DERIVE,
        f"{NEWEST} belongs to another configuration (space.filters: 4 there, 8 now)",
    ),
    (FOUND, DATA, cut, DERIVE, f"{NEWEST} is damaged (read less bytes than requested{NO_OTHER}"),
    (FOUND, DATA, cut, GO_ON, f"{NEWEST} is damaged (read less bytes than requested{NO_OTHER}"),
    (FOUND, DATA, remove, GO_ON, f"{NEWEST} is damaged (no such file or directory{NO_OTHER}"),
    (FOUND, DATA, flip, GO_ON, f"{NEWEST} is damaged ("),
    (FOUND, INDEX, empty, GO_ON, f"{NEWEST} is damaged (file is too short"),
    (FOUND, INDEX, cut, GO_ON, f"{NEWEST} is damaged (not an sstable"),
    (FOUND, "metrics.jsonl", become_a_folder, GO_ON, "{run}/metrics.jsonl: is a directory"),
    (WORDS, DATA, cut, GO_ON_RETRAINING, "ckpt-2 is damaged (read less bytes"),
    (WORDS, "vocabulary.txt", cut, GO_ON_RETRAINING, "The dataset has changed since the run"),
    (WORDS, "vocabulary.txt", become_a_folder, GO_ON_RETRAINING, "Cannot read {run}/vocabulary.t"),
    (
        WORDS,
        "config.json",
        setting("network", "hidden_size", to=5),
        GO_ON_RETRAINING,
        "another configuration (network.hidden_size: 5 there, 4 now)",
    ),
    (WORDS, "saved_model/1/saved_model.pb", remove, GENERATE, "holds neither"),
    (WORDS, f"{VARIABLES}.index", remove, GENERATE, "is not a SavedModel"),
    (WORDS, "model.keras", flip, EVALUATE, "Bad CRC-32"),
]
# Here the message is a warning, and the command goes on.
GOING_ON = [
    (FOUND, f"{NEWEST}.data*", cut, DERIVE, f"{NEWEST} is damaged"),
    (FOUND, f"{NEWEST}.index", flip, GO_ON, f"{NEWEST} is damaged"),
    (WORDS, "checkpoints/ckpt-2.data*", remove, GO_ON_RETRAINING, "ckpt-2 is damaged"),
]


def write_world(world):
    write_common(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(world)
        assert run(GO_ON.format(run=FOUND)) == 0
        assert run(GO_ON_RETRAINING.format(run=WORDS)) == 0
        for number, (base, pattern, harm, *_) in enumerate([*EARLY, *LATE, *GOING_ON]):
            copy = world / f"{base}{number}"
            shutil.copytree(base, copy)
            for path in list(copy.glob(pattern)):
                harm(path)


def commands(table, first):
    """Returns the cases of a table whose copies of runs are numbered from `first` on."""
    for number, (base, _, _, line, message) in enumerate(table, first):
        copy = f"{base}{number}"
        yield line.format(run=copy).split(), message.format(run=copy)


@cases(commands(EARLY, 0))
def test_broken_files_that_need_no_tensorflow(argv, message, refused_early):
    refused_early(argv, message)


@cases(commands(LATE, len(EARLY)))
def test_broken_files(argv, message, refused):
    refused(argv, message)


@cases(commands(GOING_ON, len(EARLY) + len(LATE)))
def test_broken_files_that_others_stand_in_for(argv, message, world, capfd, monkeypatch):
    monkeypatch.chdir(world)
    assert run(" ".join(argv)) == 0
    (warning,) = [line for line in capfd.readouterr().err.splitlines() if "WARNING" in line]
    assert warning.startswith(f"enas-{argv[0]}: WARNING: The checkpoint ")
    assert message in warning
    assert warning.endswith("is restored instead.")


@pytest.fixture
def found(world, tmp_path):
    """A copy of the search, in whose folder the data are too."""
    shutil.copy(world / "good.npz", tmp_path)
    return shutil.copytree(world / FOUND, tmp_path / FOUND)


@pytest.mark.parametrize("name", ["metrics.jsonl", "architectures.jsonl"])
def test_half_a_line_of_a_log_is_taken_back(found, name, monkeypatch):
    monkeypatch.chdir(found.parent)
    before = (found / name).read_bytes()
    add('{"phase": "deri')(found / name)
    assert run(GO_ON.format(run=FOUND)) == 0
    assert (found / name).read_bytes() == before


@pytest.mark.parametrize("name", ["log.txt", "best_architecture.svg", "tensorboard"])
def test_files_that_nothing_depends_on_may_be_missing(found, name, monkeypatch):
    monkeypatch.chdir(found.parent)
    remove(found / name)
    assert run(GO_ON.format(run=FOUND)) == 0
