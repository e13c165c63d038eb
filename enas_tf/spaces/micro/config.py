"""Settings that only the micro space has."""

import dataclasses

from enas_tf.settings.setting import Settings, setting
from enas_tf.spaces.images.space import check_filters
from enas_tf.spaces.images.stem import AUTO, CIFAR, HELP, STEMS


@dataclasses.dataclass(frozen=True)
class MicroControllerConfig(Settings):
    """The controller's size and the shape of its distributions (release, `micro_controller.py`)."""

    lstm_size: int = setting(64, "Units of the LSTM (the paper: 100).", minimum=1)
    temperature: float | None = setting(
        None, "Divides the logits before the tanh; unset: no division.", above=0.0
    )
    tanh_constant: float | None = setting(
        1.1, "Logits become this times their tanh; unset: no squashing.", above=0.0
    )
    operation_tanh_reduction: float = setting(
        2.5, "The tanh constant of operations is divided by this.", above=0.0
    )
    separable_start_bias: float = setting(
        10.0,
        "Start value of the trained bias of the separable convolutions' logits (and of others', if "
        "there are any, and of your own operations'); it keeps the first architectures from being "
        "all poolings.",
        minimum=0.0,
    )
    separable_fixed_bias: float = setting(
        0.25,
        "Added to the logits of the same operations in the normal cell, and taken from all others.",
        minimum=0.0,
    )
    initial_range: float = setting(
        0.1, "Weights start uniform between minus and plus this.", above=0.0
    )


@dataclasses.dataclass(frozen=True)
class MicroNetworkConfig(Settings):
    """The derived network that is trained from scratch (release, `micro_child.py`, fixed arc)."""

    num_layers: int = setting(
        15, "Number of cells without the two reduction cells that come on top.", minimum=1
    )
    filters: int = setting(36, "Channels of the nodes in the first cells; even.", minimum=2)
    form: str = setting(
        "final",
        "The release's final network (strides inside the reduction cells, loose ends "
        "concatenated), the supernet's form (reductions before the cells, loose ends merged by "
        "a 1 x 1 convolution), or the final network of DARTS (all nodes concatenated, both inputs "
        "convolved in every cell, a classifier with bias).",
        choices=("final", "supernet", "darts"),
    )
    stem: str = setting(AUTO, HELP, choices=STEMS, before=CIFAR)
    dropout_rate: float = setting(
        0.2, "Share of features dropped before the classifier.", minimum=0.0, below=1.0
    )
    drop_path_rate: float = setting(
        0.4,
        "Probability that an operand of the last cell is dropped at the end of the training; it "
        "rises linearly with depth and time. In the form of DARTS it is that of all cells, and "
        "rises from epoch to epoch.",
        minimum=0.0,
        below=1.0,
    )
    auxiliary_weight: float = setting(
        0.4,
        "Weight of the auxiliary classifier's cross-entropy in the training; 0: there is none.",
        minimum=0.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_filters(self.filters)
