import numpy as np
import pytest
import tensorflow as tf

from enas_tf.training.machines.agreement import Machines
from enas_tf.training.trainer import asks_to_stop


@pytest.mark.parametrize(
    ("answer", "stops"),
    [(True, True), (np.bool_(True), True), (False, False), (None, False), (17, False), ("", False)],
)
def test_only_true_ends_a_training(answer, stops):
    assert asks_to_stop(answer, Machines(tf.distribute.get_strategy())) is stops
