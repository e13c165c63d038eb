"""The rnn search space: what builds its supernet, its controller and its networks."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from typing_extensions import Self

from enas_tf.environment.keras_settings import under_own_settings
from enas_tf.errors import DataError
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.base import TRAINING_SHARE, SearchSpace
from enas_tf.spaces.costs import Costs
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.decisions import RnnDecisions, RnnDecisionSpace, perplexity_of_reward
from enas_tf.spaces.rnn.sizes import language_model_costs

if TYPE_CHECKING:
    import keras

    from enas_tf.spaces.rnn.controller import RnnController
    from enas_tf.spaces.rnn.supernet import RnnSupernet


@dataclasses.dataclass(frozen=True)
class RnnSpace(RnnDecisionSpace, SearchSpace):
    """Language models with one recurrent cell, whose embedding also predicts the words."""

    sizes: ClassVar[tuple[str, ...]] = ("hidden_size", "num_nodes", "vocabulary_size")

    @staticmethod
    def score_note(score: float) -> str:
        """Returns the perplexity that belongs to a reward."""
        return f"perplexity {perplexity_of_reward(score):.2f}"

    def for_data(self, data: Any) -> Self:
        """Returns the space with the number of words of a text."""
        from enas_tf.data.texts.dataset import TextData

        if not isinstance(data, TextData):
            raise DataError(
                "A space of recurrent cells needs a TextData; see enas_tf.load_texts and "
                f"enas_tf.TextData.from_text. Received: {type(data).__name__}."
            )
        return self.replace(vocabulary_size=data.vocabulary_size)

    def network_config(self) -> RnnNetworkConfig:
        """Returns the settings of a derived network that is about as large as in the search."""
        return RnnNetworkConfig(
            hidden_size=self.hidden_size,
            cell_output=self.cell_output,
            initial_range=self.initial_range,
            regularization=self.regularization,
        )

    def build_static_network(self, architecture: RnnArchitecture) -> "keras.Model":
        """Returns the plain language model that computes what the supernet computes."""
        return self.build_network(architecture, self.network_config())

    def build_static_step(
        self, architecture: RnnArchitecture, config: TrainingConfig, *, precision: str = "float32"
    ) -> Callable[[Any], NamedTuple]:
        """Returns a training step of an architecture's plain language model."""
        from enas_tf.training.step import static_step

        network = self.build_static_network(architecture)
        network.set_precision(precision)
        state = network.zero_state(config.batch_size)
        return static_step(
            network.training_pass, network.trainable_variables, config, state, precision
        )

    def benchmark_architectures(self) -> list[RnnArchitecture]:
        """Returns cells whose nodes take the functions in turn.

        Number `k` begins with function `k`, so that together they have each function in each node
        once; the earlier nodes are random.
        """
        generator = np.random.default_rng(0)
        nodes = np.arange(self.num_nodes)
        shape = (len(self.searched_operations), self.num_nodes)
        previous = generator.integers(0, np.broadcast_to(nodes + 1, shape))
        first = np.arange(len(self.searched_operations))[:, None]
        return self.decode(RnnDecisions(previous, (first + nodes) % len(self.searched_operations)))

    def random_data(self, config: SearchConfig, steps: int = 1) -> Any:
        """Returns a `TextData` of random words; see `SearchSpace.random_data`."""
        from enas_tf.data.texts.dataset import TextData

        batch_size = config.shared_weights.batch_size
        held_out = max(batch_size, config.reward_batch_size or 0)
        return TextData.random(
            vocabulary_size=self.vocabulary_size,
            rows=batch_size,
            seed=config.seed,
            segments=steps,
            held_out=max(held_out, steps * batch_size // TRAINING_SHARE),
        )

    def drawing_options(self) -> dict[str, Any]:
        """Returns what a drawing of a cell needs to know: what its new state is made of."""
        return {"cell_output": self.cell_output}

    @under_own_settings
    def build_supernet(self, seed: int = 0) -> "RnnSupernet":
        """Returns the supernet, an `RnnSupernet`, with fresh weights."""
        from enas_tf.spaces.rnn.supernet import RnnSupernet

        return RnnSupernet(self, seed=seed)

    @under_own_settings
    def build_controller(self, seed: int = 0) -> "RnnController":
        """Returns the controller, an `RnnController`, with fresh weights."""
        from enas_tf.spaces.rnn.controller import RnnController

        return RnnController(self, seed=seed)

    @under_own_settings
    def build_network(
        self,
        architecture: RnnArchitecture | LstmBaseline,
        config: RnnNetworkConfig | None = None,
        *,
        portable: bool = True,
        seed: int = 0,
    ) -> "keras.Model":
        """Returns the language model of one architecture as a Keras model with fresh weights.

        Args:
          architecture: any recurrent cell, of any number of nodes, or the LSTM.
          config: width, form and regularisation (default: `RnnNetworkConfig()`).
          portable: has no effect; a language model has only one kind.
          seed: of the initial weights and of dropout.

        Returns:
          A `LanguageModel` from int32 tokens `[batch, time]` to the logits of each next token,
          `[batch, time, vocabulary_size]`.
        """
        del portable
        from enas_tf.spaces.rnn.network import build_rnn_network

        return build_rnn_network(
            architecture,
            config or RnnNetworkConfig(),
            vocabulary_size=self.vocabulary_size,
            seed=seed,
        )

    def costs(
        self,
        architecture: RnnArchitecture | LstmBaseline,
        config: RnnNetworkConfig | None = None,
        *,
        portable: bool = True,
    ) -> Costs:
        """Returns what the language model costs for one word; see `SearchSpace.costs`."""
        del portable
        hidden_size = (config or RnnNetworkConfig()).hidden_size
        return language_model_costs(architecture, hidden_size, self.vocabulary_size)
