import json

import numpy as np
import pytest

from enas_tf.reporting.page.mixtures import mixture_view, read_mixtures
from enas_tf.settings.strategies import DartsConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.registry import get_space
from enas_tf.spaces.rnn.space import RnnSpace

SPACES = pytest.mark.parametrize("space", [MicroSpace(num_nodes=2), RnnSpace(num_nodes=2)], ids=str)


def weights_of(space, seed=0):
    """Weights like those of a search: distributions over what is permitted."""
    permitted = space.permitted()
    logits = np.random.default_rng(seed).normal(size=permitted.shape)
    exponentials = np.where(permitted, np.exp(logits), 0.0)
    return exponentials / exponentials.sum(axis=(-1, -2), keepdims=True)


def written(path, space, epochs):
    lines = [{"epoch": e, "weights": weights_of(space, seed=e).tolist()} for e in epochs]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@SPACES
def test_the_mixture_of_every_epoch_is_read(space, tmp_path):
    mixtures, complaints = read_mixtures(written(tmp_path / "m.jsonl", space, [1, 2]), space)
    assert [one.epoch for one in mixtures] == [1, 2]
    np.testing.assert_allclose(mixtures[1].mixture.weights, weights_of(space, 2), rtol=1e-6)
    assert complaints == []


@pytest.mark.parametrize("weights", [None, "x", [1.0], [[1.0], [2.0, 3.0]], [[[float("nan")]]]])
def test_what_is_no_mixture_is_left_out(weights, tmp_path):
    space = RnnSpace(num_nodes=1)
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps({"epoch": 1, "weights": weights}) + "\n")
    mixtures, complaints = read_mixtures(path, space)
    assert mixtures == []
    assert complaints == ["1 damaged lines of m.jsonl were left out."]


def test_spaces_without_mixtures_have_none(tmp_path):
    assert read_mixtures(tmp_path / "m.jsonl", MacroSpace()) == ([], [])
    assert mixture_view(get_space("macro"), MacroSpace(), DartsConfig(), []) is None


@SPACES
def test_the_last_cell_is_shown_with_the_strengths_of_its_edges(space, tmp_path):
    mixtures, _ = read_mixtures(written(tmp_path / "m.jsonl", space, [1, 2, 3]), space)
    view = mixture_view(get_space(space.name), space, DartsConfig(read_off="argmax"), mixtures)
    assert view["epoch"] == 3
    np.testing.assert_allclose(
        view["drawing_options"]["strengths"], weights_of(space, 3).max(axis=(-1, -2)), rtol=1e-6
    )


@SPACES
def test_heat_maps_show_the_first_and_the_last_epoch(space, tmp_path):
    mixtures, _ = read_mixtures(written(tmp_path / "m.jsonl", space, [1, 2, 3]), space)
    view = mixture_view(get_space(space.name), space, DartsConfig(), mixtures)
    assert [one.title for one in view["heat_maps"]] == [
        "Operations by decision, epoch 1",
        "Operations by decision, epoch 3",
        "Inputs by decision, epoch 1",
        "Inputs by decision, epoch 3",
    ]
    for one in view["heat_maps"]:
        (trace,) = one.figure["data"]
        np.testing.assert_allclose(np.sum(trace["z"], axis=0), 100.0, rtol=1e-5)
        assert len(trace["x"]) == weights_of(space)[..., 0, 0].size


def test_a_search_of_one_epoch_has_each_heat_map_once(tmp_path):
    space = RnnSpace(num_nodes=2)
    mixtures, _ = read_mixtures(written(tmp_path / "m.jsonl", space, [1]), space)
    assert len(mixture_view(get_space("rnn"), space, DartsConfig(), mixtures)["heat_maps"]) == 2
