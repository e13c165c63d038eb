"""What enas-retrain says of a network that is beyond the limits of its search."""

import pytest

from enas_tf.cli.retrain import _tell_limits
from enas_tf.records.run import recorded_run
from enas_tf.runs.directory import RunDirectory
from enas_tf.spaces.registry import get_space
from tests.reporting.page.example_runs import search_configuration

ENTRY = get_space("macro")
SPACE = ENTRY.search_presets["smoke"].space
NETWORK = ENTRY.retrain_presets["smoke"].network
ARCHITECTURE = SPACE.random_architecture(0)
PARAMETERS = SPACE.costs(ARCHITECTURE, NETWORK).parameters


@pytest.fixture
def run(tmp_path):
    configuration = search_configuration("macro")
    configuration["search"]["costs"]["max_parameters"] = PARAMETERS
    configuration["network"] = NETWORK.to_json()
    RunDirectory.open(tmp_path / "run", configuration, origin={"preset": "smoke"}).close()
    return recorded_run(tmp_path / "run")


def test_the_networks_that_a_search_was_about_are_trained_without_a_word(run, capsys):
    assert run.retraining("smoke", ARCHITECTURE).network == NETWORK
    _tell_limits(run, SPACE, ARCHITECTURE, NETWORK)
    assert capsys.readouterr().err == ""


def test_a_larger_one_is_told_with_what_makes_it_larger(run, capsys):
    wider = NETWORK.replace(filters=NETWORK.filters + 2)
    number = SPACE.costs(ARCHITECTURE, wider).parameters
    _tell_limits(run, SPACE, ARCHITECTURE, wider)
    assert capsys.readouterr().err == (
        f"enas-retrain: beyond the limits of the search in {run.path}: the network has "
        f"{number:,} parameters, more than max_parameters={PARAMETERS:,}; the search was about "
        f"networks without --filters={wider.filters}\n"
    )
