"""Presets of the macro space.

`release` holds the numbers of the authors' scripts `cifar10_macro_search.sh` and
`cifar10_macro_final.sh`, `paper` those of arXiv 1802.03268, section 3.2, where they differ.
"""

from collections.abc import Mapping

from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.settings.training import RetrainConfig
from enas_tf.spaces.macro.config import MacroControllerConfig, MacroNetworkConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.presets import (
    CIFAR10,
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

# 310 epochs are the five cosine periods of 10, 20, 40, 80 and 160 epochs.
_SEARCH_TRAINING = RELEASE_TRAINING.replace(epochs=310, batch_size=128, weight_decay=2.5e-4)
_FINAL_TRAINING = RELEASE_TRAINING.replace(
    epochs=310, batch_size=100, final_learning_rate=0.001, weight_decay=2e-4
)
_SEARCH_POLICY = RELEASE_POLICY.replace(
    learning_rate=1e-3, samples_per_update=20, updates_per_epoch=50
)
_RELEASE_DERIVE = DeriveConfig(num_candidates=10, scoring="minibatch", statistics="moving")

SEARCH_PRESETS: Mapping[str, SearchPreset] = {
    "default": SearchPreset(
        "CIFAR-10 at the release's size on one GPU, with true entropy, rewards on batch "
        "statistics, and candidates ranked on the whole validation set.",
        MacroSpace(),
        CIFAR10,
        SearchConfig(
            shared_weights=_SEARCH_TRAINING,
            policy=_SEARCH_POLICY,
            derive=DeriveConfig(num_candidates=100),
        ),
    ),
    "release": SearchPreset(
        "The authors' macro search on CIFAR-10, number for number.",
        MacroSpace(
            moving_statistics="release", controller=MacroControllerConfig(entropy="release")
        ),
        CIFAR10,
        SearchConfig(
            reward_statistics="moving",
            shared_weights=_SEARCH_TRAINING,
            policy=_SEARCH_POLICY,
            derive=_RELEASE_DERIVE,
        ),
    ),
    # Looked up where others wrote them down: 310 epochs, weight decay 1e-4, rates 0.05 to 0.001 in
    # periods of 10 that double, temperature 5, tanh constant 2.5 in the authors' first script
    # (`scripts/cifar10.sh` of melodyguan/enas at 026817d, 2018); LSTM of 100 units, Adam at 3.5e-4
    # and entropy weight 0.1 in `config.py` and the README of carpedm20/ENAS-pytorch, which follow
    # the paper.
    "paper": SearchPreset(
        "The paper's macro search on CIFAR-10: LSTM of 100 units, temperature 5, tanh constant "
        "2.5, entropy weight 0.1.",
        MacroSpace(
            controller=MacroControllerConfig(lstm_size=100, temperature=5.0, tanh_constant=2.5)
        ),
        CIFAR10,
        SearchConfig(
            reward_statistics="moving",
            shared_weights=_SEARCH_TRAINING.replace(final_learning_rate=0.001, weight_decay=1e-4),
            policy=_SEARCH_POLICY.replace(learning_rate=3.5e-4, entropy_weight=0.1),
            derive=_RELEASE_DERIVE,
        ),
    ),
    "nas": SearchPreset(
        "NAS of Zoph and Le on these networks: every child is trained alone (12,800 of them).",
        MacroSpace(controller=MacroControllerConfig(skip_weight=0.0, **NAS_CONTROLLER)),
        CIFAR10,
        NAS_SEARCH,
    ),
    "smoke": SearchPreset(
        "A small search on the embedded digits: minutes on two cores.",
        MacroSpace(num_layers=6, filters=16),
        DIGITS,
        SearchConfig(
            # The controller begins when the weights tell architectures apart, and then learns from
            # a hundred updates; at a rate that stays high it would forget again what it learned.
            warm_up=0.25,
            reward_metric="loss",
            reward_minibatches="one",
            shared_weights=SMOKE_TRAINING.replace(epochs=30),
            policy=PolicyConfig(
                learning_rate=5e-3,
                final_learning_rate=0.0,
                advantage="normalized",
                samples_per_update=10,
                updates_per_epoch=5,
            ),
            derive=DeriveConfig(num_candidates=20),
        ),
    ),
}

# Of version 0.1.0, whose runs go on with them.
EARLIER_SEARCH_PRESETS: Mapping[str, SearchPreset] = {
    "smoke": SEARCH_PRESETS["smoke"].with_search(
        SearchConfig(
            shared_weights=SMOKE_TRAINING.replace(epochs=20),
            policy=PolicyConfig(learning_rate=3e-3, samples_per_update=5, updates_per_epoch=10),
            derive=DeriveConfig(num_candidates=20),
        )
    )
}

RETRAIN_PRESETS: Mapping[str, RetrainPreset] = {
    "default": RetrainPreset(
        "CIFAR-10 at the release's size on one GPU, with real separable convolutions.",
        MacroNetworkConfig(),
        CIFAR10,
        RetrainConfig(training=_FINAL_TRAINING),
    ),
    "release": RetrainPreset(
        "The authors' final macro run on CIFAR-10, number for number (plain convolutions in place "
        "of separable ones included).",
        MacroNetworkConfig(separable=False),
        CIFAR10,
        RetrainConfig(training=_FINAL_TRAINING),
    ),
    "paper": RetrainPreset(
        "The paper's final training on CIFAR-10.",
        MacroNetworkConfig(),
        CIFAR10,
        RetrainConfig(training=_FINAL_TRAINING.replace(weight_decay=1e-4)),
    ),
    "nas": RetrainPreset(
        "CIFAR-10 with the constants of Zoph and Le.",
        MacroNetworkConfig(),
        CIFAR10,
        RetrainConfig(training=NAS_TRAINING.replace(epochs=300)),
    ),
    "smoke": RetrainPreset(
        "A small network on the embedded digits: a minute or two on two cores.",
        MacroNetworkConfig(filters=32, dropout_rate=0.2),
        DIGITS,
        RetrainConfig(training=SMOKE_TRAINING.replace(epochs=20)),
    ).shorter_in_studies(epochs=6, filters=16),
}
