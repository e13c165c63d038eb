"""What two processes agree on; they run `exercise_machines.py`, one pair for all tests."""

import json

import pytest
import tensorflow as tf

from enas_tf.errors import DataError
from enas_tf.training.devices import mirrored_cpus
from enas_tf.training.machines.agreement import Machines
from tests.loopback import run_machines


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    folder = tmp_path_factory.mktemp("machines")
    arguments = ("-m", "tests.training.exercise_machines", folder)
    ends = run_machines(folder, arguments, arguments)
    for end in ends:
        assert end.code == 0, end.errors[-3000:]
    return ends


@pytest.fixture(scope="module")
def seen(ends):
    """What the two processes saw, the chief first."""
    return [json.loads(end.output.splitlines()[0]) for end in ends]


def both(seen, *names):
    """Returns a value that both processes must have seen alike."""
    for name in names:
        seen = [one[name] for one in seen]
    assert seen[0] == seen[1]
    return seen[0]


def test_places(seen):
    assert [one["place"] for one in seen] == [[0, 2, True, True], [1, 2, False, True]]


def test_the_numbers_of_all(seen):
    assert both(seen, "of_all") == [[5, -1], [6, -1]]


def test_the_chiefs_numbers_arrive_bit_for_bit(seen):
    assert both(seen, "of_chief") == seen[0]["own"]
    assert seen[1]["own"] != seen[0]["own"]


def test_the_chief_decides(seen):
    answer = {"text": "größer\n", "numbers": [1, 0.1, None, True], "index": 0}
    assert both(seen, "decide", "answer") == answer
    assert [one["decide"]["called"] for one in seen] == [1, 0]
    assert both(seen, "decide", "long") == 10_000
    assert both(seen, "decide", "nothing") is None


def test_the_chiefs_error_is_raised_everywhere(seen):
    kinds, messages = zip(*both(seen, "decide", "errors"))
    assert kinds == (
        "EnasError",
        "ArchitectureError",
        "ConfigurationError",
        "DataError",
        "NumericalError",
        "RunDirectoryError",
    )
    assert set(messages) == {"of machine 0"}


def test_variables_of_all_types_get_the_chiefs_values(seen):
    values = both(seen, "variables")
    assert values[:-1] == seen[0]["own"][: len(values) - 1]
    assert values[-1] == ["float32", [1], "0000c03f"]


def test_equal_configurations(seen):
    assert both(seen, "check_same", "same") is None
    assert both(seen, "check_same", "order") is None


@pytest.mark.parametrize(
    ("name", "difference"),
    [
        ("other", "search.seed: 3 there, 4 now"),
        ("longer", f"search.name: a there, {'a' * 31} now"),
    ],
)
def test_other_configurations_are_refused_everywhere(seen, name, difference):
    (chief, message), (other, at_other) = (one["check_same"][name] for one in seen)
    assert chief == other == "ConfigurationError"
    assert "with other settings or other data than the machines 1" in message
    assert "start the same command on every machine" in message
    assert f"({difference})" in at_other


def test_only_the_chief_has_a_run_directory(seen):
    assert [one["open_run"]["log"] for one in seen] == [[{"step": 0}], [{"step": 1}]]
    assert [one["open_run"]["is_own"] for one in seen] == [True, False]
    assert [one["open_run"]["is_there"] for one in seen] == [True, False]
    assert both(seen, "open_run", "overwritten") is None
    assert "same/metrics.jsonl" in seen[0]["open_run"]["files"]
    # What stands there was made before.
    made = ["done/config.json", "done/metrics.jsonl", "full/novel.txt"]
    assert seen[1]["open_run"]["files"] == made


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("not_a_run", "full is not empty and is no run of enas_tf"),
        ("another_run", "done holds a run with another configuration (seed: 1 there, 2 now)"),
    ],
)
def test_what_is_wrong_with_the_chiefs_folder_is_told_everywhere(seen, name, message):
    kind, text = both(seen, "open_run", name)
    assert kind == "RunDirectoryError"
    assert message in text


def test_machines_with_other_settings_touch_no_folder(seen):
    for one in seen:
        assert one["open_run"]["differ"][0] == "ConfigurationError"
        assert not [name for name in one["open_run"]["files"] if name.startswith("differ")]


def test_the_chiefs_checkpoints_are_restored_everywhere(seen):
    latest, best = [0.5, {"value": 0.5, "index": 0}], [0.25, {"value": 0.25, "index": 0}]
    assert both(seen, "checkpoints", "found") == [False, True, True]
    assert both(seen, "checkpoints", "values") == [latest, best]
    files = [one["checkpoints"]["files"] for one in seen]
    assert files == [["ckpt-1.index", "ckpt-2.index"], []]


def test_a_checkpoint_of_another_configuration_is_refused_everywhere(seen):
    kind, message = both(seen, "checkpoints", "another")
    assert kind == "RunDirectoryError"
    assert "seed: 1 there, 2 now" in message


@pytest.mark.parametrize("name", ["reinforce", "evolution"])
def test_the_chiefs_strategy_proposes_and_learns(seen, name):
    proposed, metrics = both(seen, "strategies", name)
    assert len(proposed) == 4 + 3 + 2 + 1
    assert metrics["reward"] == pytest.approx(0.1)


def test_there_may_be_no_favourite(seen):
    assert both(seen, "strategies", "no favourite") is True


def test_a_strategys_error_is_raised_everywhere(seen):
    kind, message = both(seen, "strategies", "not finite")
    assert (kind, "not finite" in message) == ("NumericalError", True)


def test_all_pause_at_the_same_step_for_one(seen):
    assert both(seen, "pauses", "answers") == ["save", "none", "none", "none", "stop"]
    assert both(seen, "pauses", "number") == 15


def test_sums_over_machines(seen):
    sums, _ = both(seen, "sums")
    assert sums == {"whole": 1 + 2, "real": [1.5, 6.0]}


def test_machines_share_moving_statistics(seen):
    _, (mean, variance) = both(seen, "sums")
    # Half of the old one, and half of the mean of 0 and 1.
    assert mean == [0.25]
    assert variance == [0.5]


def test_a_lost_machine_is_told(ends):
    kind, message = json.loads(ends[1].output.splitlines()[1])
    assert kind == "WorkerLostError"
    assert message.startswith("Machine 1 of 2 lost touch with another one (")
    assert "\n" not in message


@pytest.fixture
def alone():
    return Machines(tf.distribute.get_strategy())


def test_one_machine_is_the_chief(alone):
    assert (alone.count, alone.index, alone.is_chief, alone.are_several) == (1, 0, True, False)


def test_one_machine_exchanges_nothing(alone):
    assert alone.of_all([3, 4]).tolist() == [[3, 4]]
    assert [array.tolist() for array in alone.of_chief([[1, 2], 0.5])] == [[1, 2], 0.5]
    result = object()
    assert alone.decide(lambda: result) is result
    variable = tf.Variable(2.0)
    alone.assign_of_chief([variable])
    assert variable.numpy() == 2.0
    alone.check_same({"seed": 1})


def test_one_machine_raises_its_own_errors(alone):
    def fail():
        raise DataError("none")

    with pytest.raises(DataError, match="none"):
        alone.decide(fail)
    with pytest.raises(tf.errors.UnavailableError), alone.together():
        raise tf.errors.UnavailableError(None, None, "of another kind")


def test_several_devices_are_one_machine(two_devices):
    assert Machines(mirrored_cpus(two_devices)).count == 1
