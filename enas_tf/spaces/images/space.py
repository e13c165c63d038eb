"""What the search spaces for pictures have in common."""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from typing_extensions import Self

from enas_tf.environment.keras_settings import under_own_settings
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.settings.data import DataConfig
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.base import TRAINING_SHARE, SearchSpace
from enas_tf.spaces.costs import Costs
from enas_tf.spaces.images.layer_counter import LayerCounter
from enas_tf.spaces.images.layer_list import Layer, LayerList
from enas_tf.spaces.images.network_layers import Features, NetworkLayers
from enas_tf.spaces.images.stem import chosen_stem


class ImageSpace(SearchSpace):
    """A space of networks that classify pictures.

    Attributes:
      filters: channels of the first layers; even.
      input_shape: height, width and channels of a picture.
      num_classes: number of classes.
    """

    filters: int
    input_shape: tuple[int, ...]
    num_classes: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_input_shape(self.input_shape)
        check_filters(self.filters)

    def for_data(self, data: Any) -> Self:
        """Returns the space with the shape of the pictures and the number of their classes."""
        from enas_tf.data.images.dataset import ImageData

        if not isinstance(data, ImageData):
            raise DataError(
                "A space for pictures needs an ImageData; see enas_tf.load_images and "
                f"enas_tf.ImageData.from_arrays. Received: {type(data).__name__}."
            )
        return self.replace(input_shape=data.input_shape, num_classes=data.num_classes)

    def to_json(self) -> dict[str, Any]:
        """Returns the settings; for a stem `auto` what it stands for: it may mean another later."""
        values = super().to_json()
        if "stem" in values:
            values["stem"] = chosen_stem(values["stem"], self.input_shape)
        return values

    @abc.abstractmethod
    def add_network(
        self, layers: NetworkLayers, images: Features, architecture: Any, config: Any = None
    ) -> Any:
        """Adds the layers of an architecture's network.

        Args:
          layers: makes or counts them.
          images: what they read.
          architecture: of any size that the kind of space can have.
          config: settings of the network; default: as for `build_network`.

        Returns:
          The logits; a list of them if the layers are for training with an auxiliary head.
        """

    def costs(self, architecture: Any, config: Any = None, *, portable: bool = True) -> Costs:
        """Returns what the network of an architecture costs; see `SearchSpace.costs`."""
        layers = LayerCounter(self.input_shape, portable=portable)
        self.add_network(layers, layers.images, architecture, config)
        return layers.costs

    def layers(self, architecture: Any, config: Any = None) -> Mapping[Layer, int]:
        """Returns how often a network has each kind of layer; see `SearchSpace.layers`."""
        layers = LayerList(self.input_shape)
        self.add_network(layers, layers.images, architecture, config)
        return layers.layers

    def layer_latency(self, layer: Layer) -> float:
        """Returns the milliseconds of a layer; see `SearchSpace.layer_latency`."""
        from enas_tf.spaces.images.latency import layer_latency

        return under_own_settings(layer_latency)(layer)

    def build_static_step(
        self, architecture: Any, config: TrainingConfig, *, precision: str = "float32"
    ) -> Callable[[Any], NamedTuple]:
        """Returns a training step of an architecture's plain network, with all its parts."""
        from enas_tf.spaces.images.network_precision import set_network_precision
        from enas_tf.training.image_metrics import image_pass
        from enas_tf.training.step import static_step

        network = self.build_static_network(architecture)
        set_network_precision(network, precision)
        # Not every space has an auxiliary head.
        auxiliary_weight = getattr(self, "auxiliary_weight", 0.0)
        return static_step(
            lambda batch, state, seed: image_pass(
                lambda images: network(images, training=True), batch, auxiliary_weight
            ),
            network.trainable_variables,
            config,
            precision=precision,
        )

    def random_data(self, config: SearchConfig, steps: int = 1) -> Any:
        """Returns an `ImageData` of random pictures; see `SearchSpace.random_data`."""
        from enas_tf.data.images.dataset import ImageData

        batch_size = config.shared_weights.batch_size
        largest = max(batch_size, config.reward_batch_size or 0)
        held_out = max(largest, steps * batch_size // TRAINING_SHARE)
        number = steps * batch_size + held_out
        generator = np.random.default_rng(config.seed)
        images = generator.integers(0, 256, (number, *self.input_shape), np.uint8)
        labels = np.arange(number) % self.num_classes
        return ImageData.from_arrays(
            images,
            labels,
            images[:largest],
            labels[:largest],
            # Of few pictures not every class has one.
            label_names=[str(number) for number in range(self.num_classes)],
            name="random",
            config=DataConfig(dataset="random", validation_size=held_out),
        )


def check_input_shape(input_shape: Sequence[int]) -> None:
    """Raises `ConfigurationError` unless it is the height, width and channels of a picture."""
    whole = [isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in input_shape]
    if len(whole) != 3 or not all(whole):
        raise ConfigurationError(
            "`input_shape` must be three positive integers (height, width, channels). "
            f"Received: input_shape={tuple(input_shape)!r}."
        )


def check_filters(filters: int) -> None:
    """Raises `ConfigurationError` unless a factorised reduction can have that many channels."""
    if filters % 2:
        raise ConfigurationError(
            "`filters` must be even, since a reduction computes half of them on each of two "
            f"grids. Received: filters={filters}."
        )


def check_num_classes(num_classes: int) -> None:
    """Raises `ConfigurationError` unless there is something to tell apart."""
    if num_classes < 2:
        raise ConfigurationError(
            f"`num_classes` must be at least 2. Received: num_classes={num_classes}."
        )
