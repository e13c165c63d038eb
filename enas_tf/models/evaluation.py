"""How good a trained model is, whatever it was trained on."""

from typing import Any, overload

import keras

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.matching import match
from enas_tf.data.texts.dataset import TextData
from enas_tf.environment.keras_settings import under_own_settings
from enas_tf.errors import DataError
from enas_tf.models import classifier
from enas_tf.models.language_model import TextEvaluation, evaluate_perplexity
from enas_tf.models.language_model_export import AnyLanguageModel
from enas_tf.models.scores import Evaluation


@overload
def evaluate(model: keras.Model, data: ImageData, part: str = "test") -> Evaluation: ...


@overload
def evaluate(model: AnyLanguageModel, data: TextData, part: str = "test") -> TextEvaluation: ...


@under_own_settings
def evaluate(
    model: keras.Model | AnyLanguageModel, data: ImageData | TextData, part: str = "test"
) -> Evaluation | TextEvaluation:
    """Returns how good a model is on a part of a dataset.

    ```python
    enas_tf.evaluate(model, data).accuracy  # of a language model: .perplexity
    enas_tf.evaluate(enas_tf.load_model("runs/digits_final"), data)
    ```

    Args:
      model: as `retrain` returns it, or as `load_model` reads it.
      data: an `ImageData` with the model's classes, or for a language model a `TextData` with the
        model's words; what has the same name is the same, in whatever order. Numbers for names are
        taken in their order, and a warning says so.
      part: `"test"`, `"validation"` or `"train"`.

    Returns:
      An `Evaluation` with `accuracy`, `balanced_accuracy`, `top_5_accuracy`, `loss` (the mean
      cross-entropy in nats), the scores of all `classes`, the `confusion_matrix` and the
      probabilities themselves; or a `TextEvaluation` with `perplexity`, `loss` and `tokens`, of the
      part read as one stream.

    Raises:
      DataError: the data are of another kind or size than what the model takes, or do not have the
        classes or words that it knows; those that differ are listed.
      ConfigurationError: there is no such part.
    """
    if not isinstance(model, AnyLanguageModel):
        if not isinstance(data, ImageData):
            raise _wrong_kind("A classifier", ImageData, data)
        return classifier.evaluate(model, data, part)
    if not isinstance(data, TextData):
        raise _wrong_kind("A language model", TextData, data)
    numbers = match(
        None if model.vocabulary is None else model.vocabulary.words,
        model.vocabulary_size,
        data.vocabulary.words,
        kind="words",
        dataset=data.name,
    )
    return evaluate_perplexity(model, numbers[data.part(part)])


def _wrong_kind(what: str, kind: type, data: Any) -> DataError:
    return DataError(
        f"{what} needs data of the kind {kind.__name__}. Received: {type(data).__name__}."
    )
