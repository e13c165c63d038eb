"""All that the rest of the package needs of a search space in order not to know which one it is."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from enas_tf.drawing.picture import Picture
from enas_tf.settings.data import DataConfig, TextDataConfig
from enas_tf.settings.setting import Settings
from enas_tf.spaces.base import Architecture, SearchSpace
from enas_tf.spaces.operations import Operation
from enas_tf.spaces.presets import RetrainPreset, SearchPreset

if TYPE_CHECKING:
    from enas_tf.spaces.images.network_form import NetworkForm


@dataclasses.dataclass(frozen=True)
class DataKind:
    """What a space works on.

    Attributes:
      name: `images` or `texts`; it decides how networks are trained from scratch.
      config: the class of the settings that say which data.
      load: reads the data.
      needs_tensorflow: whether `load` imports TensorFlow; raises if there are no such data.
    """

    name: str
    config: type[Settings]
    load: Callable[[Any], Any]
    needs_tensorflow: Callable[[Any], bool]


def _nothing_to_check(architecture: Architecture, config: Settings) -> None:
    """Every network of the space can be built."""
    del architecture, config


@dataclasses.dataclass(frozen=True)
class SpaceEntry:
    """A search space and what goes with it; `ENTRY` in `entry.py` of the space's folder.

    Attributes:
      space: the class of its settings.
      data: what it works on.
      network: the class of a derived network's settings.
      operations: what its architectures choose from; those of users come to them.
      search_presets: by name; `default` is there always.
      retrain_presets: by name, the same names.
      published: published architectures by name.
      from_json: reads an architecture from the dictionary of `Architecture.to_json`.
      from_release_string: reads one from the release's integers.
      draw: draws an architecture; takes the options of `SearchSpace.drawing_options`.
      place_names: takes the number of places at which `SearchSpace.operation_counts` counts, and
        returns what they are called, as in the drawings.
      places_note: what these names mean, in a sentence.
      earlier_search_presets: those that have changed since version 0.1.0, as it had them.
      network_form: of a space for pictures: returns how its networks are trained; imports
        TensorFlow.
      check_network: raises unless a network's settings fit an architecture.
      fit_network: takes an architecture and a network's settings, and returns the settings that are
        nearest to them of those that fit.
      unused_flags: settings of every search that change nothing in this space, by their flags.
    """

    space: type[SearchSpace]
    data: DataKind
    network: type[Settings]
    operations: type[Operation]
    search_presets: Mapping[str, SearchPreset]
    retrain_presets: Mapping[str, RetrainPreset]
    published: Mapping[str, Architecture]
    from_json: Callable[[Mapping[str, Any]], Architecture]
    from_release_string: Callable[[str], Architecture]
    draw: Callable[..., Picture]
    place_names: Callable[[int], list[str]]
    places_note: str
    earlier_search_presets: Mapping[str, SearchPreset] = dataclasses.field(default_factory=dict)
    network_form: "Callable[[], NetworkForm] | None" = None
    check_network: Callable[..., None] = _nothing_to_check
    fit_network: Callable[..., Any] = lambda architecture, config: config
    unused_flags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the space, as in `--space`."""
        return self.space.name

    def check_data(self, data: Any) -> None:
        """Raises `ConfigurationError` if no network of the space can take the data.

        Args:
          data: what `data.load` returned.
        """
        self.space().for_data(data)


def _load_images(config: Any) -> Any:
    from enas_tf.data.images.loading import load_images

    return load_images(config)


def _images_need_tensorflow(config: Any) -> bool:
    from enas_tf.data.images.loading import needs_tensorflow

    return needs_tensorflow(config)


def _load_texts(config: Any) -> Any:
    from enas_tf.data.texts.dataset import load_texts

    return load_texts(config)


IMAGES = DataKind("images", DataConfig, _load_images, _images_need_tensorflow)
TEXTS = DataKind("texts", TextDataConfig, _load_texts, lambda config: False)
