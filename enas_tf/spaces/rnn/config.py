"""Settings that only the rnn space has."""

import dataclasses

from enas_tf.settings.setting import Settings, section, setting


@dataclasses.dataclass(frozen=True)
class RnnControllerConfig(Settings):
    """The controller's size and the shape of its distributions (release, `controller.py`)."""

    lstm_size: int = setting(64, "Units of the LSTM (the paper: 100).", minimum=1)
    temperature: float | None = setting(
        5.0, "Divides the logits before the tanh; unset: no division.", above=0.0
    )
    tanh_constant: float | None = setting(
        2.25, "Logits become this times their tanh; unset: no squashing.", above=0.0
    )
    distance_divisor: float | None = setting(
        6.0,
        "The logit of an earlier node falls by its squared distance divided by this, so that near "
        "nodes are preferred; unset: it does not.",
        above=0.0,
    )
    entropy: str = setting(
        "full",
        "Entropy in the reward: of the whole distributions, or the release's term of the sampled "
        "choice only.",
        choices=("full", "release"),
    )
    initial_range: float = setting(
        0.01, "Weights start uniform between minus and plus this.", above=0.0
    )


@dataclasses.dataclass(frozen=True)
class RnnRegularization(Settings):
    """What keeps a language model from learning its text by heart.

    All dropout masks are *variational* (Gal and Ghahramani, arXiv 1512.05287): drawn once for a
    segment of text, the same at all its places. The defaults are those of the release's search.
    """

    word_dropout: float = setting(
        0.1, "Share of the vocabulary's words whose embedding is zero.", minimum=0.0, below=1.0
    )
    embedding_dropout: float = setting(
        0.2, "Share of the embedding's features dropped.", minimum=0.0, below=1.0
    )
    input_dropout: float = setting(
        0.75, "Share of the cell's input features dropped.", minimum=0.0, below=1.0
    )
    node_dropout: float = setting(
        0.25,
        "Share of features dropped where a node reads the state or another node.",
        minimum=0.0,
        below=1.0,
    )
    output_dropout: float = setting(
        0.75,
        "Share of the features dropped before the words are predicted.",
        minimum=0.0,
        below=1.0,
    )
    slowness_penalty: float = setting(
        1.0, "Weight of the mean squared change of the state from word to word.", minimum=0.0
    )
    activation_penalty: float = setting(0.0, "Weight of the mean square of the state.", minimum=0.0)


CELL_OUTPUTS = ("mean", "loose_ends")
CELL_OUTPUT_HELP = (
    "The new state is the mean of all computed nodes (release), or of those that no node reads "
    "(paper)."
)


@dataclasses.dataclass(frozen=True)
class RnnNetworkConfig(Settings):
    """The derived language model that is trained from scratch (release, `fixed_lib.py`)."""

    hidden_size: int = setting(800, "Features of a word's embedding and of the state.", minimum=1)
    cell_output: str = setting("mean", CELL_OUTPUT_HELP, choices=CELL_OUTPUTS)
    initial_range: float = setting(
        0.05, "Weights start uniform between minus and plus this.", above=0.0
    )
    regularization: RnnRegularization = section(
        RnnRegularization(
            word_dropout=0.125,
            embedding_dropout=0.175,
            input_dropout=0.725,
            node_dropout=0.225,
            output_dropout=0.75,
            slowness_penalty=0.0,
            activation_penalty=0.7,
        )
    )
