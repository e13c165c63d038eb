import json
import os
import subprocess
import sys

import pytest

from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.spaces.architectures import (
    architecture_document,
    architecture_from_document,
    load_architecture,
    space_of_architecture,
)
from enas_tf.spaces.base import MOST_PARTS
from enas_tf.spaces.macro.architecture import (
    MacroArchitecture,
    MacroChannelArchitecture,
)
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.registry import get_space
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture

ARCHITECTURE = MacroArchitecture.from_release_string("0 | 3 1 | 5 0 1")
MICRO = MicroArchitecture.from_release_string("0 0 1 2 2 4 0 3 1 1 1 0 0 4 2 1")
RNN = RnnArchitecture.from_release_string("0 2 1 0 1 3")
CHANNELS = MacroChannelArchitecture.from_release_string("0 1 1 2", num_branches=2, channels=4)


def test_document_has_the_entries_of_the_contract():
    document = architecture_document(
        ARCHITECTURE, score=0.5, score_kind="shared_weights_validation_accuracy", epoch=3
    )
    assert document == {
        "space": "macro",
        "format_version": 1,
        "architecture": ARCHITECTURE.to_json(),
        "release_string": "0 3 1 5 0 1",
        "score": 0.5,
        "score_kind": "shared_weights_validation_accuracy",
        "epoch": 3,
    }


@pytest.mark.parametrize("architecture", [ARCHITECTURE, CHANNELS, MICRO, RNN, LstmBaseline()])
def test_document_is_read_back(architecture):
    document = json.loads(json.dumps(architecture_document(architecture)))
    assert architecture_from_document(document, architecture.space_name) == architecture


def test_loads_a_run_directory(tmp_path):
    document = architecture_document(ARCHITECTURE, score=0.5, score_kind="x")
    (tmp_path / "best_architecture.json").write_text(json.dumps(document))
    assert load_architecture(tmp_path, "macro") == ARCHITECTURE


def test_loads_a_file(tmp_path):
    path = tmp_path / "found.json"
    path.write_text(json.dumps(architecture_document(CHANNELS)))
    assert load_architecture(str(path), "macro") == CHANNELS


@pytest.mark.parametrize("architecture", [ARCHITECTURE, MICRO, RNN, LstmBaseline()])
def test_loads_a_file_with_nothing_but_the_architecture(architecture, tmp_path):
    path = tmp_path / "found.json"
    path.write_text(json.dumps(architecture.to_json()))
    assert load_architecture(path, architecture.space_name) == architecture


def test_loads_a_release_string():
    assert load_architecture(" 0 | 3 1 | 5 0 1 ", "macro") == ARCHITECTURE
    assert load_architecture(MICRO.to_release_string(), "micro") == MICRO
    assert load_architecture(RNN.to_release_string(), "rnn") == RNN


def test_a_release_string_can_be_longer_than_a_path():
    text = get_space("macro").published["enas_macro_release"].to_release_string()
    assert load_architecture(text, "macro").num_layers == 24


def test_loads_a_folder_whose_name_is_a_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "7").mkdir()
    document = architecture_document(ARCHITECTURE)
    (tmp_path / "7" / "best_architecture.json").write_text(json.dumps(document))
    assert load_architecture("7", "macro") == ARCHITECTURE


@pytest.mark.parametrize(
    ("space", "name"),
    [
        ("macro", "enas_macro_release"),
        ("micro", "enas_micro_release"),
        ("rnn", "enas_rnn_release"),
        ("rnn", "darts"),
        ("rnn", "lstm"),
    ],
)
def test_loads_published_architectures_by_name(space, name):
    assert load_architecture(name, space) == get_space(space).published[name]


def test_a_published_architecture_of_another_space_is_unknown():
    with pytest.raises(ArchitectureError, match=r"of the micro space\..*enas_micro_release"):
        load_architecture("enas_macro_release", "micro")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("no_such_thing", "no_such_thing.*enas_macro_release"),
        ("no_such_file.json", "does not exist"),
        ("0 1", "fit no number of layers"),
        ("9", "from 0 to 6"),
        ("0 1.5 0", "Expected a run directory"),
        ("long " * 2000, "No architecture is known"),
    ],
)
def test_other_texts_are_refused(text, message):
    with pytest.raises(ArchitectureError, match=message):
        load_architecture(text, "macro")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[1]", "no JSON object"),
        ('{"space": "macro"}', "no entry 'format_version'"),
        ('{"space": "macro", "format_version": 99, "architecture": {}}', "newer"),
        ('{"space": "macro", "format_version": "1", "architecture": {}}', "positive integer"),
        ('{"space": "micro", "format_version": 1, "architecture": {}}', "--space=micro"),
        ('{"space": "macro", "format_version": 1, "architecture": 5}', "must be a JSON object"),
        ('{"space": "macro", "format_version": 1, "architecture": {"layers": 5}}', "`layers`"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, content, message):
    path = tmp_path / "wrong.json"
    path.write_text(content)
    with pytest.raises(ArchitectureError, match=message) as error:
        load_architecture(path, "macro")
    assert str(path) in str(error.value)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "wrong.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArchitectureError, match="not valid JSON"):
        load_architecture(path, "macro")


def test_a_folder_without_an_architecture_is_refused(tmp_path):
    with pytest.raises(ArchitectureError, match="no best_architecture"):
        load_architecture(tmp_path, "macro")


def test_an_unknown_space_is_refused():
    with pytest.raises(ConfigurationError, match="`space` must be one of macro"):
        load_architecture("0", "makro")


def test_needs_no_tensorflow():
    code = "import sys, enas_tf.spaces.architectures; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "space"),
    [("enas_macro_release", "macro"), ("lstm", "rnn"), ("0 1 0", None), (None, None)],
)
def test_a_published_name_says_its_space(name, space):
    assert space_of_architecture(name) == space


@pytest.mark.parametrize(
    ("name", "make", "named"),
    [
        ("found.json", os.mkfifo, "found.json"),
        ("found", os.mkfifo, "found"),
        ("best_architecture.json", os.mkfifo, "."),
        ("architecture.json", os.mkfifo, "."),
        ("best_architecture.json", os.mkdir, "."),
    ],
)
def test_what_is_no_regular_file_is_not_read(name, make, named, tmp_path):
    make(tmp_path / name)
    with pytest.raises(ArchitectureError, match="not a regular file"):
        load_architecture(tmp_path / named, "macro")


LARGEST = {
    "macro": " ".join(f"0{' 1' * layer}" for layer in range(MOST_PARTS)),
    "micro": "0 0 1 1 " * 2 * MOST_PARTS,
    "rnn": "0 1 " * MOST_PARTS,
}


@pytest.mark.parametrize("space", LARGEST)
def test_the_largest_architecture_is_read(space):
    architecture = load_architecture(LARGEST[space], space)
    assert architecture.to_release_string().split() == LARGEST[space].split()


@pytest.mark.parametrize(
    ("space", "most", "one_more"), [("macro", 8256, "0"), ("micro", 1024, "0"), ("rnn", 256, "0")]
)
def test_an_integer_more_is_refused(space, most, one_more):
    with pytest.raises(ArchitectureError, match=f"at most {most} integers. Received: {most + 1}"):
        load_architecture(f"{LARGEST[space]} {one_more}", space)


@pytest.mark.parametrize("space", LARGEST)
def test_a_text_that_is_far_too_long_is_refused_before_a_number_of_it_is_read(space):
    with pytest.raises(ArchitectureError, match="at most"):
        load_architecture(f"{'0 ' * 60_000}-", space)


@pytest.mark.parametrize("space", LARGEST)
def test_a_document_has_the_same_bound(space):
    value = load_architecture(LARGEST[space], space).to_json()
    for parts in (value, *value.values()):
        for name in ("layers", "nodes"):
            if name in parts:
                parts[name].append(parts[name][-1])
    with pytest.raises(ArchitectureError, match=f"at most {MOST_PARTS} (layers|nodes)"):
        architecture_from_document(value, space)
