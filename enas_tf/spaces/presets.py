"""What a preset is: every setting of a search, or of a retraining, under one name."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from typing_extensions import Self

from enas_tf.settings.data import DataConfig, TextDataConfig
from enas_tf.settings.search import SearchConfig, TrainedConfig
from enas_tf.settings.setting import Settings
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.settings.training import RetrainConfig, TextRetrainConfig, TrainingConfig
from enas_tf.spaces.base import SearchSpace

# The defaults of a dataset give the release's values for CIFAR-10 (5,000 validation pictures, 4
# pixels of padding, mirrored pictures), and fit any other dataset too.
CIFAR10 = DataConfig(dataset="cifar10")
DIGITS = DataConfig(dataset="digits")

# What all four scripts of the release have in common; each adds its length, batch and weight decay.
RELEASE_TRAINING = TrainingConfig(
    learning_rate=0.05,
    final_learning_rate=0.0005,
    restart_epochs=10,
    restart_multiplier=2,
    momentum=0.9,
)
# Likewise of both searches; each adds its rate and its numbers of samples and updates.
RELEASE_POLICY = PolicyConfig(
    adam_beta_1=0.0, adam_epsilon=1e-3, baseline_decay=0.99, entropy_weight=1e-4
)
# Zoph and Le (2017, arXiv 1611.01578), convolutional networks: every child is trained alone for 50
# epochs with Nesterov momentum 0.9, a rate of 0.1 and weight decay 1e-4; the reward is the highest
# validation accuracy of the last 5 epochs, cubed; Adam with 0.0006; 12,800 children, 8 in a
# gradient; weights start in ± 0.08. The 50 epochs, the weight decay and the 8 children were not
# found again in a text that could be searched. Their controller has two layers of 35 units, ours
# has one.
NAS_TRAINING = TrainingConfig(
    learning_rate=0.1, final_learning_rate=0.1, restart_epochs=0, weight_decay=1e-4
)
NAS_SEARCH = SearchConfig(
    evaluation="trained",
    shared_weights=NAS_TRAINING.replace(epochs=32),
    policy=PolicyConfig(
        learning_rate=6e-4,
        adam_beta_1=0.9,
        adam_epsilon=1e-8,
        samples_per_update=8,
        updates_per_epoch=50,
        entropy_weight=0.0,
    ),
    trained=TrainedConfig(epochs=50, best_of_epochs=5, reward_power=3.0),
)
NAS_CONTROLLER: Mapping[str, Any] = {
    "lstm_size": 35,
    "initial_range": 0.08,
    "temperature": None,
    "tanh_constant": None,
}
# DARTS (Liu et al., 2019, arXiv 1806.09055, and the authors' `cnn/train_search.py`). Their weight
# decays are those of the gradient, twice the factor of the sum of squares.
DARTS_TRAINING = TrainingConfig(
    epochs=50,
    batch_size=64,
    learning_rate=0.025,
    final_learning_rate=0.001,
    restart_epochs=0,
    weight_decay=1.5e-4,
    clip_norm=5.0,
)
# One cosine period over a few epochs on a small dataset.
SMOKE_TRAINING = TrainingConfig(
    batch_size=64,
    learning_rate=0.05,
    final_learning_rate=0.0005,
    restart_epochs=0,
    weight_decay=1e-4,
)


@dataclasses.dataclass(frozen=True)
class SearchPreset:
    """Settings of a whole search.

    Attributes:
      summary: one line for `--help`.
      space: size of the space; what depends on the data (shape, classes, vocabulary) is filled in
        later.
      data: which data and how they are prepared.
      search: training of the shared weights and of the controller, and deriving.
    """

    summary: str
    space: SearchSpace
    data: DataConfig | TextDataConfig
    search: SearchConfig

    def with_search(self, search: SearchConfig, space: SearchSpace | None = None) -> Self:
        """Returns the preset with other settings of the search, and of the space if given."""
        return dataclasses.replace(self, search=search, space=space or self.space)


@dataclasses.dataclass(frozen=True)
class RetrainPreset:
    """Settings of the training of a derived network from scratch.

    Attributes:
      summary: one line for `--help`.
      network: width, form and regularisation of the network; a class of the space.
      data: as in `SearchPreset`.
      retrain: schedule and optimiser.
      in_studies: what a study trains with instead, if differences between architectures show better
        (and at less cost) before the training has brought all of them to the same end.
    """

    summary: str
    network: Settings
    data: DataConfig | TextDataConfig
    retrain: RetrainConfig | TextRetrainConfig
    in_studies: Self | None = None

    def shorter_in_studies(self, epochs: int, **network: Any) -> Self:
        """Returns the preset, which in studies has so many epochs and such networks."""
        training = self.retrain.training.replace(epochs=epochs)
        cheap = dataclasses.replace(
            self,
            network=self.network.replace(**network),
            retrain=self.retrain.replace(training=training),
        )
        return dataclasses.replace(self, in_studies=cheap)
