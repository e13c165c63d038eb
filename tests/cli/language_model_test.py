"""The commands that take a trained language model."""

import json
import zipfile

import pytest

from enas_tf.cli import evaluate, export, generate
from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.spaces.rnn.architecture import LstmBaseline
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.network import build_rnn_network

WORDS = ("<unk>", "<eos>", *"abcdefgh")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder with a language model and a text."""
    folder = tmp_path_factory.mktemp("world")
    model = build_rnn_network(
        LstmBaseline(),
        RnnNetworkConfig(hidden_size=4),
        vocabulary_size=len(WORDS),
        vocabulary=Vocabulary(WORDS),
    )
    model.embedding.assign(model.embedding * 0.0)
    (folder / "out").mkdir()
    model.save(folder / "out" / "model.keras")
    (folder / "texts").mkdir()
    for part, text in (("train", "x y x y\n"), ("valid", "x y\n"), ("test", "a b zzz\nc d\n")):
        (folder / "texts" / f"{part}.txt").write_text(text)
    with zipfile.ZipFile(folder / "pictures.keras", "w") as archive:
        archive.writestr("config.json", '{"class_name": "Functional"}')
    return folder


@pytest.fixture(autouse=True)
def _inside(world, monkeypatch):
    monkeypatch.chdir(world)


def test_evaluation_reads_a_text_with_the_models_vocabulary(capsys):
    assert evaluate.main(["--model=out", "--dataset=texts"]) == 0
    expected = "Test perplexity: 10.00 (loss 2.3026, 6 words of texts, 1 of them unknown)\n"
    assert capsys.readouterr().out == expected


def test_evaluation_of_the_first_words_as_json(capsys):
    argv = ["--model=out/model.keras", "--dataset=texts", "--max_test_tokens=3", "--json"]
    assert evaluate.main(argv) == 0
    results = json.loads(capsys.readouterr().out)
    assert (results["test_tokens"], results["test_unknown_tokens"]) == (2, 1)
    assert results["test_perplexity"] == pytest.approx(10.0, rel=1e-5)


def test_evaluation_of_another_part(capsys):
    """Neither word of it is known."""
    assert evaluate.main(["--model=out", "--dataset=texts", "--part=validation"]) == 0
    expected = "Validation perplexity: 10.00 (loss 2.3026, 2 words of texts, 1 of them unknown)\n"
    assert capsys.readouterr().out == expected


def test_what_was_exported_speaks(tmp_path, capsys):
    # A name that TensorFlow would take for a pattern.
    path = tmp_path / "lr=[0.05]*?"
    assert export.main(["--run=out", f"--output={path}"]) == 0
    argv = [f"--model={path}", "--text=a zebra", "--num_words=7", "--seed=3"]
    assert generate.main(argv) == 0
    out, errors = capsys.readouterr()
    assert out.partition("\n")[2].startswith("a zebra")
    assert errors == "enas-generate: the model does not know: zebra\n"


@pytest.mark.parametrize(
    ("command", "argv", "message"),
    [
        (evaluate, "--model=out --dataset=none", "`dataset` must be a text: pydoc, ptb"),
        (evaluate, "--model=out --dataset=texts --batch_size=3", "is a language model"),
        (evaluate, "--model=out --dataset=texts --max_test_tokens=1", "must be at least 2"),
        (evaluate, "--model=out --dataset=texts --predictions=a.csv", "is a language model"),
        (evaluate, "--model=out --dataset=texts --part=train --max_test_tokens=9", "for --part=t"),
        (evaluate, "--model=pictures.keras --dataset=x --max_test_tokens=9", "is a classifier"),
        (generate, "--model=pictures.keras", "is no language model"),
        (generate, "--model=texts", "holds neither"),
    ],
)
def test_bad_input_is_one_line(command, argv, message, capsys):
    assert command.main(argv.split()) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1
