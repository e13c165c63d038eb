"""What the functions that a caller gives to a search or a retraining answer."""

from typing import Any

import numpy as np

from enas_tf.training.machines.workers import Workers


def asks_to_stop(answer: Any, workers: Workers) -> bool:
    """Returns whether the function that is called after each epoch wants no further one.

    Only True does: what other functions happen to return, as `list.append` and `file.write` do,
    shall not end a training.

    Args:
      answer: what the function returned on this machine.
      workers: the machines, which all ask; the chief's answer counts.
    """
    return workers.decide(lambda: isinstance(answer, bool | np.bool_) and bool(answer))
