import json

import pytest

from enas_tf.reporting.page.sampled import Epochs, read_sampled
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.rnn.space import RnnSpace

SPACE = RnnSpace(num_nodes=2)


def write(path, samples):
    lines = [
        json.dumps({"epoch": epoch, "reward": reward, "release_string": string})
        for epoch, reward, string in samples
    ]
    path.write_text("".join(line + "\n" for line in lines))
    return path


def test_shares_and_rewards_of_an_epoch(tmp_path):
    samples = [(1, 0.5, "0 0 1 1"), (1, 0.7, "0 0 0 3"), (2, 0.9, "0 2 1 2")]
    sampled, complaints = read_sampled(write(tmp_path / "a.jsonl", samples), SPACE)
    first, second = sampled.columns
    assert first.epochs == Epochs(1, 1)
    assert first.rewards == [0.5, 0.7]
    assert first.shares == {
        "tanh": [1.0, 0.0],
        "relu": [0.0, 0.5],
        "sigmoid": [0.0, 0.0],
        "identity": [0.0, 0.5],
    }
    assert first.mean_shares()["tanh"] == 0.5
    assert second.mean_shares()["sigmoid"] == 1.0
    assert (sampled.total, complaints) == (3, [])


def test_many_epochs_share_columns(tmp_path):
    samples = [(epoch, 0.5, "0 0 1 1") for epoch in range(1, 151)]
    sampled, _ = read_sampled(write(tmp_path / "a.jsonl", samples), SPACE)
    assert len(sampled.columns) == 50
    assert sampled.columns[0].epochs == Epochs(1, 3)
    assert sampled.columns[-1].epochs == Epochs(148, 150)


def test_epochs_that_cannot_be_are_no_trouble(tmp_path):
    samples = [(1, 0.5, "0 0 1 1"), (10**18, 0.5, "0 0 1 1")]
    sampled, _ = read_sampled(write(tmp_path / "a.jsonl", samples), SPACE)
    assert [column.num_read for column in sampled.columns] == [1, 1]


def test_only_some_of_very_many_are_read(tmp_path):
    samples = [(1, 0.5, "0 0 1 1")] * 6000
    sampled, _ = read_sampled(write(tmp_path / "a.jsonl", samples), SPACE)
    assert sampled.total == 6000
    assert sampled.columns[0].num_read == 5000


def test_what_does_not_belong_to_the_space_is_left_out(tmp_path):
    samples = [(1, None, "0 0 1 1"), (1, 0.5, "0 0"), (1, 0.5, "9 9 9 9"), (1, 0.5, "x")]
    sampled, _ = read_sampled(write(tmp_path / "a.jsonl", samples), SPACE)
    assert sampled.columns[0].num_read == 1
    assert sampled.columns[0].rewards == [0.5, 0.5, 0.5]


def test_lines_without_an_architecture_are_damaged(tmp_path):
    samples = [(1, 0.5, "0 0 1 1"), (None, 0.5, "0 0 1 1"), (1, 0.5, 3)]
    sampled, complaints = read_sampled(write(tmp_path / "a.jsonl", samples), SPACE)
    assert sampled.total == 1
    assert complaints == ["2 damaged lines of a.jsonl were left out."]


def test_the_form_by_channels(tmp_path):
    space = MacroSpace(num_layers=2, filters=4, search_whole_channels=False)
    text = space.random_architecture(0).to_release_string()
    sampled, _ = read_sampled(write(tmp_path / "a.jsonl", [(1, 0.5, text)]), space)
    assert sum(sampled.columns[0].mean_shares().values()) == pytest.approx(1.0)


def test_nothing_sampled(tmp_path):
    assert read_sampled(tmp_path / "none", SPACE)[0].total == 0
