import numpy as np
import tensorflow as tf

from enas_tf.runs.phases import CONTROLLER, SHARED_WEIGHTS
from enas_tf.searching.state import SearchState
from enas_tf.spaces.macro.decisions import MacroDecisions


def test_phases_alternate_and_end_epochs():
    state = SearchState([])
    seen = []
    for _ in range(4):
        seen.append((int(state.epoch), state.phase_name))
        state.phase_step.assign(7)
        state.next_phase()
        assert int(state.phase_step) == 0
    assert seen == [(0, SHARED_WEIGHTS), (0, CONTROLLER), (1, SHARED_WEIGHTS), (1, CONTROLLER)]
    assert int(state.epoch) == 2


def test_kept_proposals_are_handed_out_in_order():
    state = SearchState([np.zeros((4, 2), np.int32), np.zeros((4, 2, 2), np.int32)])
    operations = np.arange(8).reshape(4, 2)
    state.keep_proposals(MacroDecisions(operations, np.ones((4, 2, 2), np.int32)))
    decisions = state.proposals_of(MacroDecisions, 1, 2)
    np.testing.assert_array_equal(decisions.operations, operations[1:3])
    assert decisions.skips.shape == (2, 2, 2)


def test_a_checkpoint_holds_everything(tmp_path):
    state = SearchState([np.zeros((2, 1), np.int32)])
    state.keep_proposals([np.array([[3], [4]])])
    for number, variable in enumerate((state.epoch, state.phase, state.phase_step, state.updates)):
        variable.assign(number % 2)
    path = tf.train.Checkpoint(state=state).write(str(tmp_path / "state"))
    other = SearchState([np.zeros((2, 1), np.int32)])
    tf.train.Checkpoint(state=other).read(path).assert_consumed()
    for variable, expected in zip(other.variables, state.variables, strict=True):
        np.testing.assert_array_equal(variable, expected)
