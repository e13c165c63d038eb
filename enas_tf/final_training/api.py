"""Training a derived network of any search space from scratch."""

import os
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.texts.dataset import TextData
from enas_tf.environment.progress import progress_shown
from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.final_training.images import ImageTraining
from enas_tf.final_training.task import OnEvent, OnProgress
from enas_tf.final_training.texts import TextTraining
from enas_tf.final_training.training import Training
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.setting import Settings
from enas_tf.settings.training import RetrainConfig, TextRetrainConfig
from enas_tf.spaces.base import Architecture, SearchSpace
from enas_tf.spaces.registry import get_space, space_names
from enas_tf.training.devices import training_strategy
from enas_tf.training.placement import placed

# By the kind of the data of a space.
_TRAININGS: Mapping[str, type[Training]] = {"images": ImageTraining, "texts": TextTraining}


def retrain(
    architecture: Architecture,
    data: ImageData | TextData,
    config: RetrainConfig | TextRetrainConfig | None = None,
    network: Settings | None = None,
    output_dir: str | os.PathLike[str] | None = None,
    *,
    overwrite: bool = False,
    distribution: tf.distribute.Strategy | None = None,
    on_event: OnEvent | None = None,
    on_progress: OnProgress | None = None,
    preset: str | None = None,
    verbose: bool = True,
) -> keras.Model:
    """Trains the network of an architecture from scratch and evaluates it on the test part.

    Called again with the same arguments and `output_dir`, it goes on where it was interrupted, with
    the same result to the last bit (on the same devices). What the kinds of networks have of their
    own is said at `enas_tf.final_training.images.ImageTraining` and
    `enas_tf.final_training.texts.TextTraining`.

    ```python
    final = enas_tf.retrain_presets("macro")["smoke"]
    data = enas_tf.load_images(final.data)
    architecture = enas_tf.MacroArchitecture.from_release_string("0 | 3 0 | 0 1 0")
    model = enas_tf.retrain(architecture, data, final.retrain, final.network, "runs/digits_final")
    model.predict(data.x_test[:4])  # logits of raw pixels
    ```

    Args:
      architecture: for example a `MacroArchitecture` or an `RnnArchitecture`.
      data: an `ImageData`, or for a language model a `TextData`.
      config: schedule and optimiser. Default: `RetrainConfig()`, or for a language model
        `TextRetrainConfig()`.
      network: width and form, for example a `MacroNetworkConfig`. Default: of the space.
      output_dir: folder for checkpoints, `metrics.jsonl`, `architecture.json`, `results.json` and
        `model.keras`. Default: nothing is written.
      overwrite: start anew if another run is in `output_dir`.
      distribution: which devices train. Default: `default_strategy()`.
      on_event: called with the line of every epoch in `metrics.jsonl`, when the state is saved: a
        dictionary with `epoch` (from 1), `step`, `seconds`, `loss`, `learning_rate`, `accuracy`
        (of pictures, while training), and `validation_accuracy` (with
        `RetrainConfig(use_validation=True)`) or `validation_perplexity`. When it returns True, the
        training ends there for good, and the model is tested and written as it is.
      on_progress: called every few steps and after every epoch.
      preset: name of the preset that the settings come from; it is written into the run for the
        commands that go on from it, such as `enas-retrain`. Default: it is guessed there.
      verbose: whether progress is shown on stderr; warnings are logged either way.

    Returns:
      The trained classifier, from pixels 0 to 255, `[batch, height, width, channels]`, to logits;
      or the trained `LanguageModel`, from tokens `[batch, time]` to logits of each next token.

    Raises:
      ArchitectureError: there is no network for such an architecture.
      ConfigurationError: the settings are those of something else, or do not fit together.
      DataError: the data are of another kind, or fewer than one batch.
      RunDirectoryError: `output_dir` holds something else, or cannot be written.
      NumericalError: the loss became infinite or undefined.
      KeyboardInterrupt: on Ctrl-C, after saving.
    """
    with progress_shown(verbose), training_strategy(distribution) as strategy:
        training = _training(architecture, data, config, network, strategy)
        return training.run(
            output_dir,
            overwrite=overwrite,
            on_event=on_event,
            on_progress=on_progress,
            preset=preset,
        )


def short_score(
    space: SearchSpace,
    architecture: Architecture,
    data: ImageData | TextData,
    config: SearchConfig,
    distribution: tf.distribute.Strategy | None = None,
) -> tuple[float, str]:
    """Trains the network of a finalist of a search briefly, about as large as in the search.

    Args:
      space: the search space.
      architecture: of the finalist.
      data: what was searched on.
      config: the settings of the search.
      distribution: which devices train. Default: `default_strategy()`.

    Returns:
      How good it is on the validation part, higher is better, and what the score is called.

    Raises:
      NumericalError: the loss became infinite or undefined.
    """
    kind = _TRAININGS[get_space(space.name).data.name]
    events: list[Mapping[str, Any]] = []
    model = retrain(
        architecture,
        data,
        kind.short_config(config),
        space.network_config(),
        distribution=distribution,
        on_event=events.append,
    )
    score, name = kind.short_score(events[-1], model, data, config)
    return score, f"short_retraining_{name}"


def _training(
    architecture: Architecture,
    data: Any,
    config: Settings | None,
    network: Settings | None,
    strategy: tf.distribute.Strategy,
) -> Training:
    """Returns the training of an architecture; see `retrain`."""
    space_name = getattr(architecture, "space_name", None)
    if space_name not in space_names():
        raise ArchitectureError(
            f"Expected an architecture of {', '.join(space_names())}. "
            f"Received: {type(architecture).__name__}."
        )
    entry = get_space(space_name)
    entry.check_data(data)
    kind = _TRAININGS[entry.data.name]
    kinds = {"config": (config, kind.config_class), "network": (network, entry.network)}
    for name, (value, expected) in kinds.items():
        if value is not None and not isinstance(value, expected):
            raise ConfigurationError(
                f"`{name}` must be a {expected.__name__}. Received: {type(value).__name__}."
            )
    config, network = config or kind.config_class(), network or entry.network()
    entry.check_network(architecture, network)
    return kind(architecture, placed(data, strategy), config, network, strategy)
