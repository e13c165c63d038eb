"""What the functions that a caller gives to a search or a retraining answer."""

from typing import Any

import numpy as np

from enas_tf.training.machines.agreement import Machines


def asks_to_stop(answer: Any, machines: Machines) -> bool:
    """Returns whether the function that is called after each epoch wants no further one.

    Only True does: what other functions happen to return, as `list.append` and `file.write` do,
    shall not end a training.

    Args:
      answer: what the function returned on this machine.
      machines: the machines, which all ask; the chief's answer counts.
    """
    return machines.decide(lambda: isinstance(answer, bool | np.bool_) and bool(answer))
