"""Presets of the micro space.

`release` holds the numbers of the authors' scripts `cifar10_micro_search.sh` and
`cifar10_micro_final.sh`, `paper` those of arXiv 1802.03268, section 3.2, where they differ.
"""

from collections.abc import Mapping

from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.settings.strategies import DartsConfig, PolicyConfig
from enas_tf.settings.training import RetrainConfig
from enas_tf.spaces.micro.config import MicroControllerConfig, MicroNetworkConfig
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.presets import (
    CIFAR10,
    DARTS_TRAINING,
    DIGITS,
    NAS_CONTROLLER,
    NAS_SEARCH,
    NAS_TRAINING,
    RELEASE_POLICY,
    RELEASE_TRAINING,
    SMOKE_TRAINING,
    RetrainPreset,
    SearchPreset,
)

# The defaults of the space's and of its network's settings are the release's sizes.

# Squares of 16 x 16 pixels on CIFAR-10.
_CIFAR10_CUTOUT = CIFAR10.replace(cutout=0.5)

# 150 epochs are the four cosine periods of 10, 20, 40 and 80 epochs; 630 are those and two more.
_SEARCH_TRAINING = RELEASE_TRAINING.replace(epochs=150, batch_size=160, weight_decay=1e-4)
_FINAL_TRAINING = RELEASE_TRAINING.replace(
    epochs=630, batch_size=144, final_learning_rate=0.0001, weight_decay=2e-4
)
_SEARCH_POLICY = RELEASE_POLICY.replace(
    learning_rate=3.5e-3, samples_per_update=10, updates_per_epoch=30
)
_RELEASE_NETWORK = MicroNetworkConfig()
# The paper says nothing of how many candidates are ranked; the release prints ten.
_RELEASE_DERIVE = DeriveConfig(num_candidates=10, scoring="minibatch", statistics="batch")

SEARCH_PRESETS: Mapping[str, SearchPreset] = {
    "default": SearchPreset(
        "CIFAR-10 at the release's size on one GPU, with He-normal shared weights, and candidates "
        "ranked on the whole validation set.",
        MicroSpace(),
        CIFAR10,
        SearchConfig(
            shared_weights=_SEARCH_TRAINING,
            policy=_SEARCH_POLICY,
            derive=DeriveConfig(num_candidates=100, statistics="batch"),
        ),
    ),
    "release": SearchPreset(
        "The authors' micro search on CIFAR-10, number for number.",
        MicroSpace(bank_initialization="release"),
        CIFAR10,
        SearchConfig(
            reward_statistics="batch",
            shared_weights=_SEARCH_TRAINING,
            policy=_SEARCH_POLICY,
            derive=_RELEASE_DERIVE,
        ),
    ),
    # Where these constants were looked up: see the macro space's presets; the first script searches
    # micro cells.
    "paper": SearchPreset(
        "The paper's training and controller on CIFAR-10 (310 epochs, LSTM of 100 units, "
        "temperature 5, tanh constant 2.5, entropy weight 0.1); what it leaves open is the "
        "release's.",
        MicroSpace(
            controller=MicroControllerConfig(lstm_size=100, temperature=5.0, tanh_constant=2.5)
        ),
        CIFAR10,
        SearchConfig(
            shared_weights=_SEARCH_TRAINING.replace(epochs=310, final_learning_rate=0.001),
            policy=_SEARCH_POLICY.replace(learning_rate=3.5e-4, entropy_weight=0.1),
            derive=_RELEASE_DERIVE,
        ),
    ),
    "nas": SearchPreset(
        "NAS of Zoph and Le on these cells: every child is trained alone (12,800 of them).",
        MicroSpace(
            controller=MicroControllerConfig(
                separable_start_bias=0.0, separable_fixed_bias=0.0, **NAS_CONTROLLER
            )
        ),
        CIFAR10,
        NAS_SEARCH,
    ),
    # `cnn/train_search.py` of the authors: 8 cells (6 and the reductions), 16 channels, 4 nodes, no
    # auxiliary head, no dropout. Ours differs in Nesterov's momentum, in pairs of operands in the
    # place of edges, and has neither dilated convolutions nor "none" among the mixed operations.
    "darts": SearchPreset(
        "The search of DARTS on CIFAR-10, on these cells: by gradient, second order.",
        MicroSpace(num_layers=6, filters=16, num_nodes=4, dropout_rate=0.0, auxiliary_weight=0.0),
        CIFAR10,
        SearchConfig(strategy="darts", shared_weights=DARTS_TRAINING, darts=DartsConfig(order=2)),
    ),
    "smoke": SearchPreset(
        "A small search on the embedded digits: minutes on two cores.",
        # With the release's tanh constants, 1.1 and for operations 1.1 / 2.5, no distribution can
        # become sharp: meant for many updates, they leave a small search next to where it began.
        # Nor would it come away from the separable convolutions that their start favours.
        MicroSpace(
            num_layers=1,
            filters=16,
            num_nodes=2,
            controller=MicroControllerConfig(
                tanh_constant=2.5,
                operation_tanh_reduction=1.0,
                separable_start_bias=0.0,
                separable_fixed_bias=0.0,
            ),
        ),
        DIGITS,
        SearchConfig(
            # Cells are told apart only when the weights are trained well: a high rate, a warm-up;
            # and on the same pictures.
            warm_up=0.3,
            reward_metric="loss",
            reward_minibatches="one",
            shared_weights=SMOKE_TRAINING.replace(epochs=30, learning_rate=0.2),
            policy=PolicyConfig(
                learning_rate=0.01,
                final_learning_rate=0.0,
                advantage="normalized",
                samples_per_update=10,
                updates_per_epoch=6,
            ),
            derive=DeriveConfig(num_candidates=20),
            # In so few steps the authors' rate would not move it, and where all pictures are
            # learned, Adam would make as much of weight decay as of the loss. Mixtures of some
            # channels, as PC-DARTS has them, are as fast again and leave weights that single cells
            # can be scored with.
            darts=DartsConfig(
                learning_rate=0.1,
                adam_beta_1=0.9,
                weight_decay=0.0,
                sampling="partial",
            ),
        ),
    ),
}

# Of version 0.1.0, whose runs go on with them.
EARLIER_SEARCH_PRESETS: Mapping[str, SearchPreset] = {
    "smoke": SEARCH_PRESETS["smoke"].with_search(
        SearchConfig(
            shared_weights=SMOKE_TRAINING.replace(epochs=15, batch_size=32),
            policy=PolicyConfig(learning_rate=3.5e-3, samples_per_update=5, updates_per_epoch=10),
            derive=DeriveConfig(num_candidates=20),
        ),
        MicroSpace(num_layers=1, filters=16, num_nodes=3),
    )
}

RETRAIN_PRESETS: Mapping[str, RetrainPreset] = {
    "default": RetrainPreset(
        "CIFAR-10 at the release's size on one GPU, with CutOut (16 x 16 pixels).",
        _RELEASE_NETWORK,
        _CIFAR10_CUTOUT,
        RetrainConfig(training=_FINAL_TRAINING),
    ),
    "release": RetrainPreset(
        "The authors' final micro run on CIFAR-10, number for number (without CutOut).",
        _RELEASE_NETWORK,
        CIFAR10,
        RetrainConfig(training=_FINAL_TRAINING),
    ),
    "paper": RetrainPreset(
        "The paper's final training on CIFAR-10 (310 epochs, weight decay 1e-4) with CutOut; what "
        "it leaves open is the release's.",
        _RELEASE_NETWORK,
        _CIFAR10_CUTOUT,
        RetrainConfig(
            training=_FINAL_TRAINING.replace(
                epochs=310, final_learning_rate=0.001, weight_decay=1e-4
            )
        ),
    ),
    "nas": RetrainPreset(
        "CIFAR-10 with the constants of Zoph and Le.",
        _RELEASE_NETWORK,
        CIFAR10,
        RetrainConfig(training=NAS_TRAINING.replace(epochs=300)),
    ),
    # `cnn/train.py`: 20 cells, 36 channels, auxiliary head 0.4, drop path 0.2, CutOut of 16 pixels.
    "darts": RetrainPreset(
        "CIFAR-10 with the constants of DARTS's final training.",
        MicroNetworkConfig(num_layers=18, dropout_rate=0.0, drop_path_rate=0.2, form="darts"),
        _CIFAR10_CUTOUT,
        RetrainConfig(
            training=DARTS_TRAINING.replace(epochs=600, batch_size=96, final_learning_rate=0.0)
        ),
    ),
    "smoke": RetrainPreset(
        "A small network on the embedded digits: a minute or two on two cores.",
        MicroNetworkConfig(num_layers=3, filters=16, drop_path_rate=0.1),
        DIGITS,
        RetrainConfig(training=SMOKE_TRAINING.replace(epochs=15)),
    ).shorter_in_studies(epochs=6, filters=8),
}
