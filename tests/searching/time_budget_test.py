"""Searches with a time budget, on a clock that only work moves."""

import pytest

from enas_tf.searching.api import search
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.settings.strategies import PolicyConfig
from tests.clocks import goes
from tests.searching.made_up_data import CONFIG, SPACE, lines_of

BUDGET = CONFIG.replace(
    time_budget="100s",
    warm_up=0.3,
    policy=PolicyConfig(samples_per_update=3, updates_per_epoch=2, final_learning_rate=0.0),
)


@pytest.fixture
def clock(monkeypatch):
    """Steps take a second, the rewards of an update two, a score half a one."""
    with goes(monkeypatch) as clock:
        for name, seconds in (("train", 1.0), ("rewards", 2.0), ("validation_scores", 0.5)):
            method = getattr(SharedWeights, name)

            def slow(self, *args, method=method, seconds=seconds, **keywords):
                clock.seconds += seconds
                return method(self, *args, **keywords)

            monkeypatch.setattr(SharedWeights, name, slow)
        yield clock


def events_of(run, *phases):
    lines = ({k: v for k, v in line.items() if k != "seconds"} for line in lines_of(run))
    return [line for line in lines if not phases or line["phase"] in phases]


class Ended(Exception):  # noqa: N818 (what a caller might raise)
    """Ends a search from outside."""


def check_interrupted(data, folder, clock):
    """Searches at once and with an interruption, and returns the events, which must be the same."""
    begun = clock.seconds
    whole = search(SPACE, data, BUDGET, folder / "whole")
    used = clock.seconds - begun
    assert 90.0 <= used <= 110.0

    def end(metrics):
        if metrics["epoch"] == 4:
            raise Ended

    with pytest.raises(Ended):
        search(SPACE, data, BUDGET, folder / "resumed", on_epoch_end=end)
    # What lies between two processes takes no time of the search.
    clock.seconds += 1000.0
    resumed = search(SPACE, data, BUDGET, folder / "resumed")
    events = events_of(whole.run)
    assert events_of(resumed.run) == events
    assert lines_of(resumed.run, "architectures.jsonl") == lines_of(
        whole.run, "architectures.jsonl"
    )
    return events


@pytest.mark.long
def test_a_search_ends_in_its_time_also_when_it_is_resumed(data, tmp_path, without_training, clock):
    events = check_interrupted(data, tmp_path, clock)
    plans = [event for event in events if event["phase"] == "plan"]
    assert plans[0]["epoch"] == 1
    ends = [event["epoch"] for event in events if event["phase"] == "derive"]
    assert max(ends) == plans[-1]["epochs"]
    updated = [event["epoch"] for event in events if event["phase"] == "controller"]
    assert min(updated) == pytest.approx(1 + 0.3 * max(ends), abs=2)


@pytest.mark.long
def test_a_search_that_trains_does_so_with_its_final_rate(data, tmp_path, clock):
    events = check_interrupted(data, tmp_path, clock)
    *_, last = (event for event in events if event["phase"] == "shared_weights")
    assert last["learning_rate"] == pytest.approx(BUDGET.shared_weights.final_learning_rate)


def test_a_budget_that_is_used_up_is_told_and_a_short_epoch_follows(
    data, tmp_path, without_training, clock
):
    config = BUDGET.replace(time_budget="1s", warm_up=0.0)
    result = search(SPACE, data, config, tmp_path / "run")
    (plan,) = events_of(result.run, "plan")
    assert (plan["epochs"], plan["steps_per_epoch"], plan["updates_per_epoch"]) == (2, 1, 1)
    assert "time_budget=1s is used up" in (result.run.path / "log.txt").read_text()


@pytest.mark.long
def test_a_finished_search_goes_on_with_more_epochs_where_its_past_is_the_same(
    data, tmp_path, without_training
):
    def epochs(number):
        return CONFIG.replace(shared_weights=CONFIG.shared_weights.replace(epochs=number))

    search(SPACE, data, epochs(2), tmp_path / "run")
    longer = search(SPACE, data, epochs(3), tmp_path / "run")
    whole = search(SPACE, data, epochs(3), tmp_path / "whole")
    document = longer.run.read_json("best_architecture.json")
    assert document["ranked_by"]["epochs"] == 3
    assert document["ranking"] == whole.run.read_json("best_architecture.json")["ranking"]
    rank_free = [line for line in events_of(longer.run) if "rank" not in line]
    assert rank_free == [line for line in events_of(whole.run) if "rank" not in line]
