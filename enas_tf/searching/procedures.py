"""Which procedure searches, by the name of the strategy. Nothing here imports TensorFlow."""

import importlib
from typing import TYPE_CHECKING, Any

from enas_tf.errors import ConfigurationError
from enas_tf.searching.strategies import STRATEGIES
from enas_tf.settings.arguments import differing_arguments
from enas_tf.settings.costs import CostConfig
from enas_tf.settings.search import OF_ACCURACY, SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.relaxation import RelaxableSpace
from enas_tf.training.prediction_metrics import check_metric

if TYPE_CHECKING:
    from enas_tf.searching.task import SearchTask

# Strategies propose architectures in the alternating search; these search in their own way.
PROCEDURES = {"darts": "enas_tf.searching.darts.search:DartsSearch"}
_ALTERNATING = "enas_tf.searching.search:Search"
# All that `SearchConfig.strategy` admits.
METHODS = (*STRATEGIES, *PROCEDURES)


def build_task(space: SearchSpace, data: Any, config: SearchConfig, run: Any, **others: Any) -> Any:
    """Returns the task that the settings name; arguments as for `SearchTask`."""
    module, class_name = PROCEDURES.get(config.strategy, _ALTERNATING).split(":")
    task: type[SearchTask] = getattr(importlib.import_module(module), class_name)
    return task(space, data, config, run, **others)


def check_procedure(space: SearchSpace, config: SearchConfig) -> None:
    """Raises `ConfigurationError` if the procedure cannot search the space as it shall."""
    for metric in config.metrics.values():
        check_metric(metric)
    if config.strategy not in PROCEDURES:
        return
    if config.costs.counted:
        raise ConfigurationError(
            f"`strategy={config.strategy}` mixes all operations and proposes nothing that could be "
            "kept within a limit or near a target of costs; search with another strategy. "
            f"Received: {', '.join(differing_arguments(config.costs, CostConfig()))}."
        )
    if config.reward_metric not in OF_ACCURACY:
        raise ConfigurationError(
            f"`strategy={config.strategy}` follows the gradient of the loss and has no rewards; "
            "give class_weights for rare classes, and derive_metric for what is logged. Received: "
            f"reward_metric={config.reward_metric}."
        )
    if not isinstance(space, RelaxableSpace):
        raise ConfigurationError(
            f"`strategy={config.strategy}` needs a space that can be relaxed, micro or rnn. "
            f"Received: {space.name}."
        )
    if config.darts.sampling not in space.samplings:
        raise ConfigurationError(
            f"`darts_sampling` must be one of {', '.join(space.samplings)} in the space "
            f"{space.name}. Received: darts_sampling={config.darts.sampling}."
        )
    if config.evaluation != "shared_weights":
        raise ConfigurationError(
            f"`strategy={config.strategy}` learns from the shared weights; it needs "
            f"evaluation=shared_weights. Received: evaluation={config.evaluation}."
        )
    epochs = config.shared_weights.epochs
    if config.darts.warm_up_epochs >= epochs:
        raise ConfigurationError(
            "`darts_warm_up_epochs` must be less than `epochs`, or the mixture learns nothing. "
            f"Received: darts_warm_up_epochs={config.darts.warm_up_epochs}, epochs={epochs}."
        )
