import json
import math

import numpy as np
import pytest

from enas_tf.benchmark import benchmark
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.space import MicroSpace
from tests.smallest_search import CONFIG, SPACE

# The measurements that the benchmark's users rely on.
NUMBERS = (
    "supernet_step_seconds",
    "static_step_seconds",
    "ratio",
    "reward_pass_seconds",
    "controller_update_seconds",
    "sample_seconds",
    "first_step_seconds",
    "examples_per_second",
    "peak_memory_bytes",
)


@pytest.fixture(scope="module")
def measured():
    lines = []
    results = benchmark(SPACE, CONFIG, repeats=1, report=lines.append)
    return results, lines


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_is_positive_and_finite(measured, name):
    assert math.isfinite(measured[0][name])
    assert measured[0][name] > 0


def test_there_is_nothing_else_but_details(measured):
    assert set(measured[0]) == {*NUMBERS, "by_architecture", "settings", "device"}


def test_results_are_json(measured):
    assert json.loads(json.dumps(measured[0])) == measured[0]


def test_every_benchmark_architecture_is_measured(measured):
    names = [row["architecture"] for row in measured[0]["by_architecture"]]
    expected = [one.to_release_string() for one in SPACE.benchmark_architectures()]
    assert names == expected


def test_a_ratio_is_that_of_its_own_architecture(measured):
    for row in measured[0]["by_architecture"]:
        quotient = row["supernet_step_seconds"] / row["static_step_seconds"]
        assert row["ratio"] == pytest.approx(quotient)


def test_throughput_counts_the_examples_of_a_batch(measured):
    expected = 6 / measured[0]["supernet_step_seconds"]
    assert measured[0]["examples_per_second"] == pytest.approx(expected)


def test_settings_say_what_was_measured(measured):
    settings = measured[0]["settings"]
    assert settings["space"] == {"name": "macro", **SPACE.to_json()}
    assert settings["search"] == CONFIG.to_json()


def test_stages_are_reported(measured):
    # The first step, three stages, and every architecture.
    assert len(measured[1]) == 1 + 3 + 2


def test_the_plain_network_trains_its_auxiliary_head_too(monkeypatch):
    space = MicroSpace(num_layers=1, filters=2, num_nodes=1, input_shape=(4, 4, 1), num_classes=2)
    architecture = MicroArchitecture.from_release_string("0 4 1 4 0 4 1 4")
    network = space.build_static_network(architecture)
    monkeypatch.setattr(MicroSpace, "build_static_network", lambda self, architecture: network)
    config = TrainingConfig(batch_size=2, weight_decay=0.0)
    images = np.random.default_rng(0).normal(size=(2, 4, 4, 1)).astype(np.float32)
    kernel = network.get_layer("auxiliary_classifier").kernel
    before = kernel.numpy()
    step = space.build_static_step(architecture, config)
    step((images, np.array([0, 1], np.int32)))
    assert np.abs(kernel.numpy() - before).max() > 0.0
