"""The macro search space: what builds its supernet, its controller and its networks."""

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from enas_tf.environment.keras_settings import under_own_settings
from enas_tf.spaces.images.network_layers import Features, NetworkLayers
from enas_tf.spaces.images.space import ImageSpace
from enas_tf.spaces.macro.architecture import AnyMacroArchitecture
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.decisions import MacroDecisions, MacroDecisionSpace
from enas_tf.spaces.macro.network_layers import add_macro_network

if TYPE_CHECKING:
    import keras

    from enas_tf.spaces.macro.controller import MacroController
    from enas_tf.spaces.macro.supernet import MacroSupernet


@dataclasses.dataclass(frozen=True)
class MacroSpace(MacroDecisionSpace, ImageSpace):
    """Whole convolutional networks: an operation and skip connections for every layer."""

    sizes: ClassVar[tuple[str, ...]] = ("num_layers", "filters")

    def network_config(self) -> MacroNetworkConfig:
        """Returns the settings of a derived network that is about as large as in the search."""
        return MacroNetworkConfig(
            filters=self.filters, widen=False, stem=self.stem, dropout_rate=self.dropout_rate
        )

    def build_static_network(self, architecture: AnyMacroArchitecture) -> "keras.Model":
        """Returns the plain network that computes what the supernet computes."""
        config = self.network_config().replace(merge="add")
        return self.build_network(architecture, config, portable=False)

    def benchmark_architectures(self) -> list[AnyMacroArchitecture]:
        """Returns architectures that take the operations in turn, with 0.4 of all skips.

        Number `k` begins with operation `k`, so that together they have each operation in each
        layer once.
        """
        generator = np.random.default_rng(0)
        number = len(self.searched_operations)
        shape = (number, self.num_layers)
        skips = generator.random((*shape, self.num_layers)) < 0.4
        if not self.search_whole_channels:
            return [self.random_architecture(generator) for _ in range(number)]
        operations = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) % number
        return self.decode(MacroDecisions(operations, skips))

    def drawing_options(self) -> dict[str, Any]:
        """Returns what a drawing of an architecture needs to know of the space."""
        return {"input_shape": self.body_shape}

    @under_own_settings
    def build_supernet(self, seed: int = 0) -> "MacroSupernet":
        """Returns the supernet, a `MacroSupernet`, with fresh weights."""
        from enas_tf.spaces.macro.supernet import MacroSupernet

        return MacroSupernet(self, seed=seed)

    @under_own_settings
    def build_controller(self, seed: int = 0) -> "MacroController":
        """Returns the controller, a `MacroController`, with fresh weights."""
        from enas_tf.spaces.macro.controller import MacroController

        return MacroController(self, seed=seed)

    @under_own_settings
    def build_network(
        self,
        architecture: AnyMacroArchitecture,
        config: MacroNetworkConfig | None = None,
        *,
        portable: bool = True,
        seed: int = 0,
    ) -> "keras.Model":
        """Returns the network of one architecture as a plain Keras model with fresh weights.

        Args:
          architecture: any macro architecture; its number of layers need not be the space's.
          config: width, form and dropout (default: `MacroNetworkConfig()`).
          portable: only stock Keras layers, so that a saved model loads without this package;
            False: the same network with faster layers of this package, for training.
          seed: of the initial weights and of dropout.

        Returns:
          A functional `keras.Model` from normalised float32 pictures
          `[batch, height, width, channels]` to logits `[batch, num_classes]`.
        """
        from enas_tf.spaces.macro.network import build_macro_network

        return build_macro_network(
            architecture,
            config or MacroNetworkConfig(),
            input_shape=self.input_shape,
            num_classes=self.num_classes,
            portable=portable,
            seed=seed,
        )

    def add_network(
        self,
        layers: NetworkLayers,
        images: Features,
        architecture: AnyMacroArchitecture,
        config: MacroNetworkConfig | None = None,
    ) -> Any:
        """See `ImageSpace.add_network`."""
        return add_macro_network(
            layers, images, architecture, config or MacroNetworkConfig(), self.num_classes
        )
