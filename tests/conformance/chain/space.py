import dataclasses
from typing import Any, ClassVar, NamedTuple

import numpy as np

from enas_tf.errors import ArchitectureError
from enas_tf.settings.setting import Settings, section, setting
from enas_tf.spaces.images.space import ImageSpace
from tests.conformance.chain.architecture import ChainArchitecture, ChainOperation


class ChainDecisions(NamedTuple):
    operations: Any


@dataclasses.dataclass(frozen=True)
class ChainControllerConfig(Settings):
    lstm_size: int = setting(8, "Units of the LSTM.", minimum=1)
    temperature: float | None = setting(None, "Divides the logits.", above=0.0)
    tanh_constant: float | None = setting(2.0, "Bounds the logits.", above=0.0)
    initial_range: float = setting(0.1, "Weights start between minus and plus this.", above=0.0)


@dataclasses.dataclass(frozen=True)
class ChainNetworkConfig(Settings):
    filters: int = setting(8, "Channels of every layer.", minimum=2)


@dataclasses.dataclass(frozen=True)
class ChainSpace(ImageSpace):
    num_layers: int = setting(3, "Layers.", minimum=1)
    filters: int = setting(4, "Channels of every layer.", minimum=2)
    input_shape: tuple[int, ...] = setting((8, 8, 1), "Of a picture.", flag=False)
    num_classes: int = setting(2, "Number of classes.", minimum=2, flag=False)
    controller: ChainControllerConfig = section(ChainControllerConfig(), prefix="controller_")

    name: ClassVar[str] = "chain"

    @property
    def num_architectures(self):
        return len(ChainOperation) ** self.num_layers

    def random_architecture(self, seed=None):
        generator = np.random.default_rng(seed)
        operations = generator.integers(0, len(ChainOperation), (1, self.num_layers))
        return self.decode(ChainDecisions(operations))[0]

    def mutate(self, architecture, generator):
        (operations,) = self.encode([architecture])
        layer = generator.integers(self.num_layers)
        shift = generator.integers(1, len(ChainOperation))
        operations[0, layer] = (operations[0, layer] + shift) % len(ChainOperation)
        return self.decode(ChainDecisions(operations))[0]

    def check(self, architecture):
        if not isinstance(architecture, ChainArchitecture):
            raise ArchitectureError(
                f"Expected a ChainArchitecture. Received: {type(architecture).__name__}."
            )
        if len(architecture.operations) != self.num_layers:
            raise ArchitectureError(f"Expected {self.num_layers} layers.")

    def encode(self, architectures):
        for architecture in architectures:
            self.check(architecture)
        rows = [architecture.operations for architecture in architectures]
        return ChainDecisions(np.array(rows, np.int32).reshape(-1, self.num_layers))

    def decode(self, decisions):
        rows = np.asarray(decisions.operations).tolist()
        return [ChainArchitecture(tuple(map(ChainOperation, row))) for row in rows]

    def decision_options(self):
        return ChainDecisions(np.full(self.num_layers, len(ChainOperation)))

    def operation_counts(self, architectures):
        (operations,) = self.encode(architectures)
        return {o.label: np.sum(operations == o, axis=0).tolist() for o in ChainOperation}

    def network_config(self):
        return ChainNetworkConfig(filters=self.filters)

    def build_static_network(self, architecture):
        return self.build_network(architecture, self.network_config(), portable=False)

    def benchmark_architectures(self):
        first = np.arange(len(ChainOperation))[:, None]
        return self.decode(
            ChainDecisions((first + np.arange(self.num_layers)) % len(ChainOperation))
        )

    def build_supernet(self, seed=0):
        from tests.conformance.chain.supernet import ChainSupernet

        return ChainSupernet(self, seed)

    def build_controller(self, seed=0):
        from tests.conformance.chain.controller import ChainController

        return ChainController(self, seed)

    def build_network(self, architecture, config=None, *, portable=True, seed=0):
        from tests.conformance.chain.network import build_chain_network

        return build_chain_network(
            architecture,
            config or ChainNetworkConfig(),
            input_shape=self.input_shape,
            num_classes=self.num_classes,
            portable=portable,
            seed=seed,
        )

    def add_network(self, layers, images, architecture, config=None):
        from tests.conformance.chain.network import add_chain_network

        config = config or ChainNetworkConfig()
        return add_chain_network(layers, images, architecture, config, self.num_classes)
