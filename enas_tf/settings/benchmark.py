"""The settings of what `enas-benchmark` measures besides single steps."""

import dataclasses

from enas_tf.errors import ConfigurationError
from enas_tf.settings.groups import Group
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.setting import Settings, setting


@dataclasses.dataclass(frozen=True)
class WholeConfig(Settings):
    """A short search that is measured as a whole."""

    epochs: int = setting(
        2,
        "Epochs of --whole. In the first one functions are traced and compiled; the shares are "
        "those of the others.",
        minimum=2,
        group=Group.DURATION,
    )
    steps: int = setting(
        100,
        "Training steps of an epoch of --whole, for which random data are made, and a ninth as "
        "much to score on. Updates are as many as in any search (controller_updates_per_epoch).",
        # Of fewer, a search by gradient has none for its other part.
        minimum=2,
        group=Group.DURATION,
    )

    def of_search(self, config: SearchConfig) -> SearchConfig:
        """Returns the settings of a search all of whose epochs are as those after the warm-up.

        Args:
          config: of the search that is meant.

        Raises:
          ConfigurationError: it has a time budget, which would decide the epochs.
        """
        if config.time_budget is not None:
            raise ConfigurationError(
                "`time_budget` decides how many epochs a search has; --whole measures whole_epochs "
                f"of them. Leave it out. Received: time_budget={config.time_budget}."
            )
        return config.replace(
            warm_up=0.0,
            policy_start_epoch=0,
            shared_weights=config.shared_weights.replace(epochs=self.epochs),
            darts=config.darts.replace(warm_up_epochs=0, stop=None),
        )
