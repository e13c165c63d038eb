"""What a preset is: every setting of a search, or of a retraining, under one name."""

import dataclasses

from enas_tf.settings.config import (
    DataConfig,
    PolicyConfig,
    RetrainConfig,
    SearchConfig,
    TextDataConfig,
    TextRetrainConfig,
    TrainingConfig,
)
from enas_tf.settings.setting import Settings
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


@dataclasses.dataclass(frozen=True)
class RetrainPreset:
    """Settings of the training of a derived network from scratch.

    Attributes:
      summary: one line for `--help`.
      network: width, form and regularisation of the network; a class of the space.
      data: as in `SearchPreset`.
      retrain: schedule and optimiser.
    """

    summary: str
    network: Settings
    data: DataConfig | TextDataConfig
    retrain: RetrainConfig | TextRetrainConfig
