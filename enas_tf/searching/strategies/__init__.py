"""How architectures are proposed during a search.

A strategy is registered here, by a name that `SearchConfig.strategy` admits. Nothing here imports
TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING

from enas_tf.errors import ConfigurationError
from enas_tf.searching.limits import NO_LIMITS, Limits
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace

if TYPE_CHECKING:
    from enas_tf.searching.strategies.base import Strategy

STRATEGIES = {
    "reinforce": "enas_tf.searching.strategies.reinforce:Reinforce",
    "random": "enas_tf.searching.strategies.random_search:RandomSearch",
    "frozen": "enas_tf.searching.strategies.frozen:Frozen",
    "evolution": "enas_tf.searching.strategies.evolution:Evolution",
    "surrogate": "enas_tf.searching.strategies.surrogate:Surrogate",
}


def build_strategy(
    name: str, space: SearchSpace, config: SearchConfig, limits: Limits = NO_LIMITS
) -> "Strategy":
    """Returns a new strategy.

    Args:
      name: a key of `STRATEGIES`.
      space: the search space.
      config: the settings of the search.
      limits: what the networks of proposals may cost.

    Raises:
      ConfigurationError: there is no strategy of this name.
    """
    if name not in STRATEGIES:
        raise ConfigurationError(
            f"`strategy` must be one of {', '.join(sorted(STRATEGIES))}. Received: {name!r}."
        )
    module, class_name = STRATEGIES[name].split(":")
    return getattr(importlib.import_module(module), class_name)(space, config, limits)
