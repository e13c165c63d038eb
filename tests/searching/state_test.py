import numpy as np
import tensorflow as tf

from enas_tf.runs.phases import CONTROLLER, SHARED_WEIGHTS
from enas_tf.searching.state import SearchState
from enas_tf.spaces.macro.decisions import MacroDecisions


def test_phases_alternate_and_end_epochs():
    state = SearchState([])
    seen = []
    for _ in range(4):
        seen.append((state.epoch, state.phase_name))
        state.phase_step = 7
        state.next_phase()
        assert state.phase_step == 0
    assert seen == [(0, SHARED_WEIGHTS), (0, CONTROLLER), (1, SHARED_WEIGHTS), (1, CONTROLLER)]
    assert state.epoch == 2


def test_kept_proposals_are_handed_out_in_order():
    state = SearchState([np.zeros((4, 2), np.int32), np.zeros((4, 2, 2), np.int32)])
    operations = np.arange(8).reshape(4, 2)
    state.keep_proposals(MacroDecisions(operations, np.ones((4, 2, 2), np.int32)))
    decisions = state.proposals_of(MacroDecisions, 1, 2)
    np.testing.assert_array_equal(decisions.operations, operations[1:3])
    assert decisions.skips.shape == (2, 2, 2)


def test_a_short_epoch_repeats_its_last_proposal():
    state = SearchState([np.zeros((3, 1), np.int32)])
    before = state.proposals_of(tuple_of, 0, 3)[0]
    state.keep_proposals([np.array([[3], [4]])])
    assert state.proposals_of(tuple_of, 0, 3)[0].tolist() == [[3], [4], [4]]
    # Which a device may still read.
    assert before.tolist() == [[0], [0], [0]]


def tuple_of(*arrays):
    return arrays


def test_a_checkpoint_holds_everything_under_the_names_of_earlier_versions(tmp_path):
    state = SearchState([np.zeros((2, 1), np.int32)])
    state.keep_proposals([np.array([[3], [4]])])
    state.epoch, state.phase, state.phase_step, state.updates = 5, 1, 7, 9
    state.store()
    path = tf.train.Checkpoint(state=state.variables).write(str(tmp_path / "state"))
    names = {"epoch", "phase", "phase_step", "updates", "proposals/0"}
    reader = tf.train.load_checkpoint(path)
    assert names == {
        name.removeprefix("state/").partition("/.")[0]
        for name in reader.get_variable_to_shape_map()
        if name.startswith("state/")
    }
    other = SearchState([np.zeros((2, 1), np.int32)])
    tf.train.Checkpoint(state=other.variables).read(path).assert_consumed()
    other.load()
    assert (other.epoch, other.phase, other.phase_step, other.updates) == (5, 1, 7, 9)
    assert other.proposals[0].tolist() == [[3], [4]]
