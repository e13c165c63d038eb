"""What a preset is: every setting of a search, or of a retraining, under one name."""

import dataclasses

from enas_tf.config import DataConfig, RetrainConfig, SearchConfig
from enas_tf.settings import Settings
from enas_tf.spaces.base import SearchSpace


@dataclasses.dataclass(frozen=True)
class SearchPreset:
    """Settings of a whole search.

    Attributes:
      summary: one line for `--help`.
      space: size of the space; what depends on the data (shape, classes) is filled in later.
      data: which data and how they are augmented.
      search: training of the shared weights and of the controller, and deriving.
    """

    summary: str
    space: SearchSpace
    data: DataConfig
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
    data: DataConfig
    retrain: RetrainConfig
