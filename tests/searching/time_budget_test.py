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
        for name, seconds in (("train", 1.0), ("rewards", 2.0), ("validation_sums", 0.5)):
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


def test_a_search_ends_in_its_time_with_its_final_rates_however_often_it_is_resumed(
    data, tmp_path, clock
):
    begun = clock.seconds
    whole = search(SPACE, data, BUDGET, tmp_path / "whole")
    used = clock.seconds - begun
    assert 90.0 <= used <= 110.0
    (plan, *_), (*_, last) = events_of(whole.run, "plan"), events_of(whole.run, "shared_weights")
    assert last["epoch"] == events_of(whole.run, "plan")[-1]["epochs"]
    assert plan["epoch"] == 1
    assert last["learning_rate"] == pytest.approx(BUDGET.shared_weights.final_learning_rate)
    warm = [line["epoch"] for line in events_of(whole.run, "controller")]
    assert min(warm) == pytest.approx(1 + 0.3 * last["epoch"], abs=2)

    def end_in(epoch):
        def tell(metrics):
            if metrics["epoch"] == epoch:
                raise Ended

        return tell

    for epoch in (1, 4):
        with pytest.raises(Ended):
            search(SPACE, data, BUDGET, tmp_path / "resumed", on_epoch_end=end_in(epoch))
        # What lies between two processes takes no time of the search.
        clock.seconds += 1000.0
    resumed = search(SPACE, data, BUDGET, tmp_path / "resumed")
    assert events_of(resumed.run) == events_of(whole.run)
    assert lines_of(resumed.run, "architectures.jsonl") == lines_of(
        whole.run, "architectures.jsonl"
    )


def test_a_budget_that_is_used_up_is_told_and_a_short_epoch_follows(
    data, tmp_path, without_training, clock
):
    config = BUDGET.replace(time_budget="1s", warm_up=0.0)
    result = search(SPACE, data, config, tmp_path / "run")
    (plan,) = events_of(result.run, "plan")
    assert (plan["epochs"], plan["steps_per_epoch"], plan["updates_per_epoch"]) == (2, 1, 1)
    assert "time_budget=1s is used up" in (result.run.path / "log.txt").read_text()


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
