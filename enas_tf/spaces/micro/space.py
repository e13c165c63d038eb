"""The micro search space: what builds its supernet, its controller and its networks."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from enas_tf.environment.keras_settings import under_own_settings
from enas_tf.spaces.images.network_layers import Features, NetworkLayers
from enas_tf.spaces.images.space import ImageSpace
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.decisions import MicroDecisions, MicroDecisionSpace
from enas_tf.spaces.micro.network_layers import add_micro_network

if TYPE_CHECKING:
    import keras

    from enas_tf.spaces.micro.controller import MicroController
    from enas_tf.spaces.micro.supernet import MicroSupernet


@dataclasses.dataclass(frozen=True)
class MicroSpace(MicroDecisionSpace, ImageSpace):
    """Networks made of copies of a normal cell and a reduction cell."""

    sizes: ClassVar[tuple[str, ...]] = ("num_layers", "filters", "num_nodes")

    def network_config(self) -> MicroNetworkConfig:
        """Returns the settings of a derived network that is about as large as in the search."""
        return MicroNetworkConfig(
            num_layers=self.num_layers,
            filters=self.filters,
            stem=self.stem,
            dropout_rate=self.dropout_rate,
            drop_path_rate=0.0,
            auxiliary_weight=self.auxiliary_weight,
        )

    def build_static_network(self, architecture: MicroArchitecture) -> "keras.Model":
        """Returns the plain network that computes what the supernet computes."""
        config = self.network_config().replace(form="supernet")
        return self.build_network(architecture, config, portable=False)

    def benchmark_architectures(self) -> list[MicroArchitecture]:
        """Returns architectures whose operands take the operations in turn.

        Number `k` begins with operation `k`, so that together they have each operation at each
        operand once; the inputs are random.
        """
        generator = np.random.default_rng(0)
        number = len(self.searched_operations)
        shape = (number, *self._decisions_shape)
        inputs = generator.integers(0, np.broadcast_to(self._num_inputs, shape))
        places = np.arange(math.prod(self._decisions_shape)).reshape(self._decisions_shape)
        first = np.arange(number)[:, None, None, None]
        return self.decode(MicroDecisions(inputs, (first + places) % number))

    @under_own_settings
    def build_supernet(self, seed: int = 0) -> "MicroSupernet":
        """Returns the supernet, a `MicroSupernet`, with fresh weights."""
        from enas_tf.spaces.micro.supernet import MicroSupernet

        return MicroSupernet(self, seed=seed)

    @under_own_settings
    def build_controller(self, seed: int = 0) -> "MicroController":
        """Returns the controller, a `MicroController`, with fresh weights."""
        from enas_tf.spaces.micro.controller import MicroController

        return MicroController(self, seed=seed)

    @under_own_settings
    def build_network(
        self,
        architecture: MicroArchitecture,
        config: MicroNetworkConfig | None = None,
        *,
        portable: bool = True,
        seed: int = 0,
    ) -> "keras.Model":
        """Returns the network of one architecture as a plain Keras model with fresh weights.

        Args:
          architecture: any micro architecture, of any number of nodes.
          config: depth, width, form and regularisation (default: `MicroNetworkConfig()`).
          portable: only stock Keras layers, so that a saved model loads without this package;
            False: faster layers of this package, with drop path and the auxiliary head, for
            training.
          seed: of the initial weights, of dropout and of drop path.

        Returns:
          A functional `keras.Model` from normalised float32 pictures
          `[batch, height, width, channels]` to logits `[batch, num_classes]`; with
          `portable=False` and an auxiliary head to a list of the logits and the auxiliary logits.
        """
        from enas_tf.spaces.micro.network import build_micro_network

        return build_micro_network(
            architecture,
            config or MicroNetworkConfig(),
            input_shape=self.input_shape,
            num_classes=self.num_classes,
            portable=portable,
            seed=seed,
        )

    def add_network(
        self,
        layers: NetworkLayers,
        images: Features,
        architecture: MicroArchitecture,
        config: MicroNetworkConfig | None = None,
    ) -> Any:
        """See `ImageSpace.add_network`."""
        return add_micro_network(
            layers, images, architecture, config or MicroNetworkConfig(), self.num_classes
        )
