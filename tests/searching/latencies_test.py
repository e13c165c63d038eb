import json

import pytest

from enas_tf.errors import RunDirectoryError
from enas_tf.searching.latencies import Latencies


def table(path, **options):
    """Returns a table, in which a layer takes as long as its name, and the measured ones."""
    measured = []

    def measure(layer):
        measured.append(layer)
        return float(len(layer))

    return Latencies(path, measure, **options), measured


def test_a_network_is_the_sum_of_its_layers_each_measured_once(tmp_path):
    latencies, measured = table(tmp_path / "latencies.json")
    assert latencies.of({"a": 2, "bbb": 1}) == 5.0
    assert latencies.of({"bbb": 2, "cc": 1}) == 8.0
    assert measured == ["a", "bbb", "cc"]


def test_what_was_measured_is_kept(tmp_path):
    path = tmp_path / "latencies.json"
    table(path)[0].of({"a": 1})
    assert json.loads(path.read_text())["layers"] == {"a": 1.0}
    again, measured = table(path)
    assert again.of({"a": 3}) == 3.0
    assert measured == []


def test_what_is_asked_by_others_is_not_kept(tmp_path):
    path = tmp_path / "latencies.json"
    assert table(path, keep=False)[0].of({"a": 1}) == 1.0
    assert not path.exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"layers": {"a": "b"}}', '{"layers": 3}'])
def test_a_damaged_table_is_told(tmp_path, text):
    path = tmp_path / "latencies.json"
    path.write_text(text)
    with pytest.raises(RunDirectoryError, match="is damaged"):
        table(path)
