"""The search spaces by name: all that commands need in order not to know which space they run.

A new space is a folder of its own and one entry here.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from enas_tf.config import DataConfig, RetrainConfig
from enas_tf.errors import ConfigurationError
from enas_tf.settings import Settings
from enas_tf.spaces.base import Architecture, SearchSpace
from enas_tf.spaces.image_space import ImageSpace
from enas_tf.spaces.macro import config as macro_config
from enas_tf.spaces.macro import presets as macro_presets
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro import config as micro_config
from enas_tf.spaces.micro import presets as micro_presets
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.presets import RetrainPreset, SearchPreset

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class SpaceEntry:
    """A search space and what goes with it.

    Attributes:
      name: as in `--space`.
      space: the class of its settings.
      network: the class of a derived network's settings.
      search_presets: by name; `default` is there always.
      retrain_presets: by name, the same names.
      load_data: reads the data that the space works on.
      needs_tensorflow: whether `load_data` imports TensorFlow; raises if there are no such data.
      check_network: raises unless a network's settings fit an architecture.
      fit: returns the space with what depends on the data filled in.
      retrain: trains the network of an architecture from scratch; imports TensorFlow.
    """

    name: str
    space: type[SearchSpace]
    network: type[Settings]
    search_presets: Mapping[str, SearchPreset]
    retrain_presets: Mapping[str, RetrainPreset]
    load_data: Callable[[DataConfig], Any]
    needs_tensorflow: Callable[[DataConfig], bool]
    check_network: Callable[..., None]
    fit: Callable[[SearchSpace, Any], SearchSpace]
    retrain: Callable[..., "keras.Model"]

    def check_data(self, data: Any) -> None:
        """Raises `ConfigurationError` if no network of the space can take the data.

        Args:
          data: what `load_data` returned.
        """
        self.fit(self.space(), data)


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
    from enas_tf.data.images import load_images

    return load_images(config)


def _needs_tensorflow(config: DataConfig) -> bool:
    from enas_tf.data.images import needs_tensorflow

    return needs_tensorflow(config)


def _fit_to_images(space: SearchSpace, data: Any) -> SearchSpace:
    return space.replace(input_shape=data.input_shape, num_classes=data.num_classes)


def _retrain_on_images(
    architecture: Architecture,
    data: Any,
    config: RetrainConfig,
    **options: Any,
) -> "keras.Model":
    from enas_tf.retrain.images import retrain

    return retrain(architecture, data, config, **options)


def _image_space(
    space: type[ImageSpace],
    network: type[Settings],
    search_presets: Mapping[str, SearchPreset],
    retrain_presets: Mapping[str, RetrainPreset],
    check_network: Callable[..., None],
) -> SpaceEntry:
    """Returns the entry of a space of networks for pictures; for the arguments see `SpaceEntry`."""
    return SpaceEntry(
        name=space.name,
        space=space,
        network=network,
        search_presets=search_presets,
        retrain_presets=retrain_presets,
        load_data=_load_images,
        needs_tensorflow=_needs_tensorflow,
        check_network=check_network,
        fit=_fit_to_images,
        retrain=_retrain_on_images,
    )


_SPACES: dict[str, SpaceEntry] = {
    entry.name: entry
    for entry in (
        _image_space(
            MacroSpace,
            macro_config.MacroNetworkConfig,
            macro_presets.SEARCH_PRESETS,
            macro_presets.RETRAIN_PRESETS,
            macro_config.check_network,
        ),
        _image_space(
            MicroSpace,
            micro_config.MicroNetworkConfig,
            micro_presets.SEARCH_PRESETS,
            micro_presets.RETRAIN_PRESETS,
            micro_config.check_network,
        ),
    )
}
