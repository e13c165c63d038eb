"""Settings that only the macro space has."""

import dataclasses
import math

from enas_tf.errors import ConfigurationError
from enas_tf.settings.setting import Settings, setting
from enas_tf.spaces.images.space import check_filters
from enas_tf.spaces.images.stem import AUTO, CIFAR, HELP, STEMS
from enas_tf.spaces.macro.architecture import AnyMacroArchitecture, MacroChannelArchitecture

# How often a strided stem halves pictures.
STEM_HALVINGS = 2


@dataclasses.dataclass(frozen=True)
class MacroControllerConfig(Settings):
    """The controller's size and the shape of its distributions (release, `macro_controller.py`)."""

    lstm_size: int = setting(64, "Units of the LSTM (the paper: 100).", minimum=1)
    temperature: float | None = setting(
        None, "Divides the logits before the tanh; unset: no division.", above=0.0
    )
    tanh_constant: float | None = setting(
        1.5, "Logits become this times their tanh; unset: no squashing.", above=0.0
    )
    skip_target: float = setting(
        0.4, "Share of skip connections that the penalty pulls to.", above=0.0, below=1.0
    )
    skip_weight: float = setting(0.8, "Weight of the skip penalty in the loss.", minimum=0.0)
    entropy: str = setting(
        "full",
        "Entropy in the reward: of the whole distributions, or the release's term of the sampled "
        "choice only.",
        choices=("full", "release"),
    )
    initial_range: float = setting(
        0.1, "Weights start uniform between minus and plus this.", above=0.0
    )


@dataclasses.dataclass(frozen=True)
class MacroNetworkConfig(Settings):
    """The derived network that is trained from scratch (release, `macro_child.py`, fixed arc)."""

    filters: int = setting(96, "Channels of the first layers.", minimum=2)
    widen: bool = setting(True, "Double the channels at each reduction.")
    merge: str = setting(
        "concatenate",
        "Skip connections are concatenated and projected (the release's final network) or added "
        "(the supernet's form).",
        choices=("concatenate", "add"),
    )
    separable: bool = setting(
        True,
        "Operations 1 and 3 are separable convolutions; no: plain ones, as in the release's final "
        "script.",
    )
    stem: str = setting(AUTO, HELP, choices=STEMS, before=CIFAR)
    dropout_rate: float = setting(
        0.5, "Share of features dropped before the classifier.", minimum=0.0, below=1.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_filters(self.filters)


def check_network(architecture: AnyMacroArchitecture, config: MacroNetworkConfig) -> None:
    """Raises `ConfigurationError` unless there is a network of these settings.

    Args:
      architecture: of either form.
      config: settings of its network.
    """
    if isinstance(architecture, MacroChannelArchitecture):
        channels = architecture.channels
        if config.filters % channels:
            raise ConfigurationError(
                f"`filters` must be a multiple of {channels}, the channels that the architecture's "
                f"ranges refer to, for example {fit_network(architecture, config).filters}. "
                f"Received: filters={config.filters}."
            )


def fit_network(
    architecture: AnyMacroArchitecture, config: MacroNetworkConfig
) -> MacroNetworkConfig:
    """Returns settings with which there is a network: those given, with `filters` that fit.

    Args:
      architecture: of either form.
      config: settings of its network.
    """
    if not isinstance(architecture, MacroChannelArchitecture):
        return config
    # Filters are even, and a multiple of the channels that the ranges refer to.
    unit = math.lcm(2, architecture.channels)
    return config.replace(filters=max(1, round(config.filters / unit)) * unit)
