"""Whether a run can have more epochs than it was begun with.

It can if all that was done so far would have been done in the same way.
"""

import copy
from collections.abc import Mapping
from typing import Any

from enas_tf.runs.differences import differences
from enas_tf.runs.phases import RETRAIN, SEARCH
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import TrainingConfig

# Where a configuration has its epochs.
_EPOCHS = {SEARCH: ("search", "shared_weights"), RETRAIN: ("retrain", "training")}


def without_epochs(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a configuration without the number of epochs, which may grow."""
    rest = copy.deepcopy(dict(configuration))
    _training(rest).pop("epochs", None)
    return rest


def is_longer(there: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a configuration differs from another one by more epochs, and by nothing else."""
    old, new = (_training(one).get("epochs") for one in (there, now))
    if not isinstance(old, int) or not isinstance(new, int) or new <= old:
        return False
    return not differences(without_epochs(there), without_epochs(now))


def obstacle(there: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Returns why a run cannot have more epochs; None: it can.

    Args:
      there: the configuration of the run.
      now: the one with more epochs, see `is_longer`.
    """
    if now["command"] == SEARCH:
        return _obstacle_of_search(*(SearchConfig.from_json(one["search"]) for one in (there, now)))
    if now["retrain"].get("time_budget"):
        return _BUDGET
    if now["network"].get("drop_path_rate"):
        return "drop_path_rate rises over all of them"
    return _obstacle_of_rate(TrainingConfig.from_json(now["retrain"]["training"]))


_BUDGET = "with a time_budget it has as many as fit"


def _obstacle_of_search(there: SearchConfig, now: SearchConfig) -> str | None:
    if now.time_budget is not None:
        return _BUDGET
    if there.warm_up_epochs != now.warm_up_epochs:
        return f"warm_up={now.warm_up:g} is a share of all of them"
    final = now.policy.final_learning_rate
    if now.strategy == "reinforce" and final not in (None, now.policy.learning_rate):
        return "the controller's learning rate falls over all of them"
    darts = now.darts
    is_sampled = now.strategy == "darts" and darts.sampling == "gumbel"
    if is_sampled and darts.temperature != darts.final_temperature:
        return "darts_temperature falls over all of them"
    # Where architectures are trained alone, the rate is that of their trainings.
    return _obstacle_of_rate(now.shared_weights) if now.evaluation == "shared_weights" else None


def _obstacle_of_rate(training: TrainingConfig) -> str | None:
    if training.restart_epochs or training.learning_rate == training.final_learning_rate:
        return None
    return "with restart_epochs=0 the learning rate falls over all of them"


def _training(configuration: Mapping[str, Any]) -> Any:
    """Returns the settings that have the epochs, not a copy; `{}`: there are none."""
    places = _EPOCHS.get(str(configuration.get("command")))
    for name in places or ():
        configuration = configuration.get(name) or {}
    return configuration if places else {}
