"""Training a derived language model on a text from scratch."""

import contextlib
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from enas_tf.data.sharing import Share
from enas_tf.data.texts.batch import TextBatch
from enas_tf.data.texts.dataset import TextData
from enas_tf.data.texts.segments import positions_of, segments_per_epoch
from enas_tf.data.texts.streams import training_batches
from enas_tf.errors import ArchitectureError
from enas_tf.final_training.averaging import WeightAverage, starts_averaging
from enas_tf.final_training.training import Training, short_training
from enas_tf.models.language_model import TextScorer, evaluate_perplexity
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import TextRetrainConfig
from enas_tf.spaces.base import Architecture
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.decisions import REWARD_CONSTANT
from enas_tf.spaces.rnn.network import LanguageModel, build_rnn_network
from enas_tf.training.carried_state import CarriedState
from enas_tf.training.step import gradient_step
from enas_tf.training.sums import run_and_sum
from enas_tf.training.text_metrics import TextMetrics

# What the history of a run holds.
_PERPLEXITIES = "validation_perplexities"
_STARTED_EPOCH = "averaging_started_epoch"
# As many words of one stream take about as long as this share of a training step of many rows.
_STEPS_OF_TEST = 0.15


class TextTraining(Training):
    """The training of one language model; for the arguments see `retrain`.

    Each row of a batch is a stream of text of its own, whose state is carried from step to step.
    The perplexity on the validation part decides when the average of the weights over all later
    steps becomes the result; if that never happens, the result has the weights of the last step, as
    in the release, even if those of an earlier epoch were better on the validation part, unless
    `config.best_weights` asks for these.

    Attributes:
      carried: the state of every row after the last step.
      average: of the weights; None if averaging never starts.
    """

    metrics = TextMetrics
    config_class = TextRetrainConfig
    network: LanguageModel

    def __init__(
        self,
        architecture: Architecture,
        data: TextData,
        config: TextRetrainConfig,
        network_config: RnnNetworkConfig,
        strategy: tf.distribute.Strategy,
    ) -> None:
        if not isinstance(architecture, (RnnArchitecture, LstmBaseline)):
            raise ArchitectureError(
                "Expected an RnnArchitecture or an LstmBaseline. "
                f"Received: {type(architecture).__name__}."
            )
        data.check_retraining(config)
        self.data = data
        self.rows = config.training.batch_size
        super().__init__(
            architecture,
            config,
            network_config,
            build=self._network_in_training,
            epoch_steps=self._epoch_steps(),
            strategy=strategy,
        )
        self.patience = config.averaging_patience
        self.history = {_PERPLEXITIES: [], _STARTED_EPOCH: None}
        self.carried = CarriedState(self.network.zero_state(self.rows), self.rows, strategy)
        self.average = None
        if self.patience is not None:
            with strategy.scope():
                self.average = WeightAverage(self.network.trainable_variables)
        self._scorer = TextScorer(self.network)

    @property
    def steps_of_test(self) -> float:
        """How long the test takes, which reads the text as one stream."""
        return _STEPS_OF_TEST * len(self.data.test) / self.data.config.sequence_length

    @classmethod
    def short_config(cls, search: SearchConfig) -> TextRetrainConfig:
        """Returns the settings of the short training of a finalist; see `Training`."""
        return TextRetrainConfig(
            seed=search.seed,
            averaging_patience=None,
            precision=search.precision,
            training=short_training(search),
        )

    @classmethod
    def short_score(
        cls, event: Mapping[str, Any], model: Any, data: Any, search: SearchConfig
    ) -> tuple[float, str]:
        """Returns the reward of the perplexity on the validation part; see `Training`."""
        del model, data, search
        return REWARD_CONSTANT / event["validation_perplexity"], "validation_reward"

    @property
    def is_averaging(self) -> bool:
        """Whether the average of the weights is what counts."""
        return self.history[_STARTED_EPOCH] is not None

    def data_identity(self) -> dict[str, Any]:
        """Returns the sizes of the text, and how it is read."""
        data = self.data
        return {
            "dataset": data.name,
            "vocabulary_size": data.vocabulary_size,
            "train_tokens": len(data.train),
            "validation_tokens": len(data.validation),
            "test_tokens": len(data.test),
            "sequence_length": data.config.sequence_length,
            "random_lengths": data.config.random_lengths,
        }

    def assets(self) -> Mapping[str, str]:
        """Returns the vocabulary."""
        return self.data.assets()

    def state(self) -> dict[str, Any]:
        """Returns what a checkpoint must hold."""
        state = super().state() | {"carried": self.carried}
        return state if self.average is None else state | {"average": self.average}

    def batches(self, first_step: int, share: Share) -> tf.data.Dataset:
        """Returns segments of the training part; see `Training.batches`."""
        config = self.data.config
        return training_batches(
            self.data.train,
            rows=self.rows,
            sequence_length=config.sequence_length,
            random_lengths=config.random_lengths,
            seed=self.config.seed,
            first_step=first_step,
            share=share,
        )

    def preview(self) -> str:
        """Returns the beginning of the training part."""
        return self.data.beginning()

    def drawing_options(self) -> dict[str, Any]:
        """Returns how the cell's output is made."""
        return {"cell_output": self.network_config.cell_output}

    def train_step(self, batch: TextBatch) -> TextMetrics:
        """Takes one step and returns its metrics; every device carries its rows' states on."""
        metrics, state = run_and_sum(
            self.strategy, self._replica_step, (batch, self.carried.read())
        )
        self.carried.write(state)
        return metrics

    def after_step(self) -> None:
        """Takes the new weights into their average."""
        if self.is_averaging:
            self.average.update()

    def validate(self, epoch: int) -> dict[str, Any]:
        """Returns the perplexity on the validation part."""
        tokens, length = self.data.validation, self.data.config.sequence_length
        with self.counting_weights():
            rows = min(self.rows, len(tokens) - 1)
            evaluation = self._scorer(tokens, rows=rows, length=length)
        self.check_finite("validation perplexity", evaluation.perplexity, epoch)
        return {
            "validation_perplexity": evaluation.perplexity,
            "averaging": self.is_averaging,
        }

    def after_validation(self, epoch: int, validation: Mapping[str, Any]) -> None:
        """Starts averaging if the perplexity says that it is time."""
        perplexity, earlier = validation["validation_perplexity"], self.history[_PERPLEXITIES]
        if not self.is_averaging and starts_averaging(perplexity, earlier, self.patience):
            self.average.start()
            self.history[_STARTED_EPOCH] = epoch
        earlier.append(perplexity)

    def validation_score(self, validation: Mapping[str, Any]) -> float:
        """Returns the perplexity with its sign changed."""
        return -validation["validation_perplexity"]

    def present_model(self) -> LanguageModel:
        """Returns a language model of its own with the weights as they are."""
        model = self._build()
        model.set_weights(self.network.get_weights())
        return model

    def test(self, model: keras.Model) -> dict[str, Any]:
        """Returns the perplexity on the test part, read as one stream, and the one on validation.

        The latter is that of the last epoch, or of the best one if the model has its weights.
        """
        test = evaluate_perplexity(model, self.data.test)
        return {
            "test_perplexity": test.perplexity,
            "test_loss": test.loss,
            "test_tokens": test.tokens,
            "validation_perplexity": self.history[_PERPLEXITIES][(self.best_epoch or 0) - 1],
            "averaging_started_epoch": self.history[_STARTED_EPOCH],
            "dataset": self.data.name,
            "vocabulary_size": self.data.vocabulary_size,
        }

    def _epoch_steps(self) -> int:
        config = self.data.config
        positions = positions_of(len(self.data.train), self.rows)
        return segments_per_epoch(positions, config.sequence_length, config.random_lengths)

    def _build(self) -> LanguageModel:
        return build_rnn_network(
            self.architecture,
            self.network_config,
            vocabulary_size=self.data.vocabulary_size,
            seed=self.config.seed,
            vocabulary=self.data.vocabulary,
        )

    def _network_in_training(self) -> LanguageModel:
        network = self._build()
        network.set_precision(self.config.precision)
        return network

    def counting_weights(self) -> contextlib.AbstractContextManager[None]:
        """Puts the averages into the network, once they count."""
        if self.is_averaging:
            return self.average.applied()
        return contextlib.nullcontext()

    def _replica_step(self, batch: TextBatch, state: Any) -> tuple[TextMetrics, Any]:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        # Every replica has masks of its own.
        step = tf.cast(self.optimizer.iterations.value, tf.int32)
        number = step * self.strategy.num_replicas_in_sync + replica
        seed = tf.stack([self.config.seed + self.num_rollbacks, number])
        rows = self.carried.rows_of(state, replica)
        outcome, _ = gradient_step(
            lambda: self.network.training_pass(batch, rows, seed),
            self.network.trainable_variables,
            self.optimizer,
            self.config.training,
        )
        return outcome.metrics, outcome.state
