"""The search spaces by name: all that commands need in order not to know which space they run.

A new space is a folder of its own and one entry here.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from enas_tf.errors import ConfigurationError
from enas_tf.settings.config import (
    DataConfig,
    RetrainConfig,
    SearchConfig,
    TextDataConfig,
    TextRetrainConfig,
)
from enas_tf.settings.setting import Settings
from enas_tf.spaces.base import Architecture, SearchSpace
from enas_tf.spaces.images.space import ImageSpace
from enas_tf.spaces.macro import config as macro_config
from enas_tf.spaces.macro import presets as macro_presets
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro import presets as micro_presets
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.presets import RetrainPreset, SearchPreset
from enas_tf.spaces.rnn import presets as rnn_presets
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.space import REWARD_CONSTANT, RnnSpace

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class SpaceEntry:
    """A search space and what goes with it.

    Attributes:
      name: as in `--space`.
      space: the class of its settings.
      network: the class of a derived network's settings.
      data_config: the class of the settings that say which data.
      search_presets: by name; `default` is there always.
      retrain_presets: by name, the same names.
      load_data: reads the data that the space works on.
      needs_tensorflow: whether `load_data` imports TensorFlow; raises if there are no such data.
      check_network: raises unless a network's settings fit an architecture.
      fit_network: takes an architecture and a network's settings, and returns the settings that are
        nearest to them of those that fit.
      retrain: trains the network of an architecture from scratch; imports TensorFlow.
      short_retraining: trains the network of a finalist of a search briefly; takes the space, the
        architecture, the data, the search's settings and, by the name `distribution`, the
        `tf.distribute` strategy of its devices (default: `default_strategy()`); returns a score,
        higher is better, and what it is called; imports TensorFlow.
      unused_flags: settings of every search that change nothing in this space, by their flags.
    """

    name: str
    space: type[SearchSpace]
    network: type[Settings]
    data_config: type[Settings]
    search_presets: Mapping[str, SearchPreset]
    retrain_presets: Mapping[str, RetrainPreset]
    load_data: Callable[[Any], Any]
    needs_tensorflow: Callable[[Any], bool]
    check_network: Callable[..., None]
    retrain: Callable[..., "keras.Model"]
    short_retraining: Callable[..., tuple[float, str]]
    fit_network: Callable[..., Any] = lambda architecture, config: config
    unused_flags: tuple[str, ...] = ()

    def check_data(self, data: Any) -> None:
        """Raises `ConfigurationError` if no network of the space can take the data.

        Args:
          data: what `load_data` returned.
        """
        self.space().for_data(data)


def space_names() -> tuple[str, ...]:
    """Returns the names of all search spaces."""
    return tuple(_SPACES)


def get_space(name: str) -> SpaceEntry:
    """Returns the search space of a name.

    Raises:
      ConfigurationError: there is none of that name.
    """
    if name not in _SPACES:
        raise ConfigurationError(
            f"`space` must be one of {', '.join(_SPACES)}. Received: space={name!r}."
        )
    return _SPACES[name]


def _load_images(config: DataConfig) -> Any:
    from enas_tf.data.images.dataset import load_images

    return load_images(config)


def _needs_tensorflow(config: DataConfig) -> bool:
    from enas_tf.data.images.dataset import needs_tensorflow

    return needs_tensorflow(config)


def _retrain_on_images(
    architecture: Architecture,
    data: Any,
    config: RetrainConfig,
    **options: Any,
) -> "keras.Model":
    from enas_tf.final_training.images import retrain

    return retrain(architecture, data, config, **options)


def _short_retraining_on_images(
    space: SearchSpace,
    architecture: Architecture,
    data: Any,
    config: SearchConfig,
    *,
    distribution: "tf.distribute.Strategy | None" = None,
) -> tuple[float, str]:
    training = config.shared_weights.replace(epochs=config.derive.finalist_epochs, restart_epochs=0)
    retraining = RetrainConfig(seed=config.seed, use_validation=True, training=training)
    last = _last_event(
        _retrain_on_images, space, architecture, data, retraining, distribution=distribution
    )
    return last["validation_accuracy"], "short_retraining_validation_accuracy"


def _load_texts(config: TextDataConfig) -> Any:
    from enas_tf.data.texts.dataset import load_texts

    return load_texts(config)


def _retrain_on_texts(
    architecture: Any,
    data: Any,
    config: TextRetrainConfig,
    **options: Any,
) -> "keras.Model":
    from enas_tf.final_training.texts import retrain

    return retrain(architecture, data, config, **options)


def _short_retraining_on_texts(
    space: SearchSpace,
    architecture: Architecture,
    data: Any,
    config: SearchConfig,
    *,
    distribution: "tf.distribute.Strategy | None" = None,
) -> tuple[float, str]:
    training = config.shared_weights.replace(epochs=config.derive.finalist_epochs, restart_epochs=0)
    retraining = TextRetrainConfig(seed=config.seed, averaging_patience=None, training=training)
    last = _last_event(
        _retrain_on_texts, space, architecture, data, retraining, distribution=distribution
    )
    reward = REWARD_CONSTANT / last["validation_perplexity"]
    return reward, "short_retraining_validation_reward"


def _last_event(
    retrain: Callable[..., Any],
    space: SearchSpace,
    architecture: Architecture,
    data: Any,
    config: Settings,
    *,
    distribution: "tf.distribute.Strategy | None",
) -> Mapping[str, Any]:
    """Trains a network as large as in the search; returns the event of the last epoch."""
    events: list[Mapping[str, Any]] = []
    retrain(
        architecture,
        data,
        config,
        network=space.network_config(),
        distribution=distribution,
        on_event=events.append,
    )
    return events[-1]


def _image_space(
    space: type[ImageSpace],
    network: type[Settings],
    search_presets: Mapping[str, SearchPreset],
    retrain_presets: Mapping[str, RetrainPreset],
    check_network: Callable[..., None],
    **options: Any,
) -> SpaceEntry:
    """Returns the entry of a space of networks for pictures; for the arguments see `SpaceEntry`."""
    return SpaceEntry(
        name=space.name,
        space=space,
        network=network,
        data_config=DataConfig,
        search_presets=search_presets,
        retrain_presets=retrain_presets,
        load_data=_load_images,
        needs_tensorflow=_needs_tensorflow,
        check_network=check_network,
        retrain=_retrain_on_images,
        short_retraining=_short_retraining_on_images,
        **options,
    )


def _nothing_to_check(architecture: Architecture, config: Settings) -> None:
    """Every network of the space can be built."""
    del architecture, config


_SPACES: dict[str, SpaceEntry] = {
    entry.name: entry
    for entry in (
        _image_space(
            MacroSpace,
            macro_config.MacroNetworkConfig,
            macro_presets.SEARCH_PRESETS,
            macro_presets.RETRAIN_PRESETS,
            macro_config.check_network,
            fit_network=macro_config.fit_network,
        ),
        _image_space(
            MicroSpace,
            MicroNetworkConfig,
            micro_presets.SEARCH_PRESETS,
            micro_presets.RETRAIN_PRESETS,
            _nothing_to_check,
        ),
        SpaceEntry(
            name=RnnSpace.name,
            space=RnnSpace,
            network=RnnNetworkConfig,
            data_config=TextDataConfig,
            search_presets=rnn_presets.SEARCH_PRESETS,
            retrain_presets=rnn_presets.RETRAIN_PRESETS,
            load_data=_load_texts,
            needs_tensorflow=lambda config: False,
            check_network=_nothing_to_check,
            retrain=_retrain_on_texts,
            short_retraining=_short_retraining_on_texts,
            # There is no batch normalisation.
            unused_flags=("reward_statistics", "derive_statistics"),
        ),
    )
}
