"""`enas-evaluate`: tests a trained classifier or language model."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from enas_tf.cli.app import run_command
from enas_tf.cli.common import add_model_flag
from enas_tf.cli.flags import CommandFlags
from enas_tf.cli.start_up import load_tensorflow
from enas_tf.data.images.dataset import load_images, needs_tensorflow
from enas_tf.data.texts.sources_by_name import read_source
from enas_tf.errors import ConfigurationError
from enas_tf.files.writing import to_json_text
from enas_tf.models.files import LANGUAGE_MODEL, kind_of
from enas_tf.settings.config import DataConfig, TextDataConfig

NAME = "enas-evaluate"
SUMMARY = "tests a trained classifier or language model on the test part of a dataset."

# Flags that only one kind of model has.
_CLASSIFIER_FLAGS = ("max_test_examples", "batch_size")
_LANGUAGE_MODEL_FLAGS = ("max_test_tokens",)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _evaluate, argv)


def _evaluate(argv: Sequence[str]) -> None:
    command = _flags()
    command.parse(argv)
    if kind_of(command["model"]) == LANGUAGE_MODEL:
        _refuse(command, _CLASSIFIER_FLAGS, "a language model")
        results = _evaluate_language_model(command)
        sentence = (
            f"Test perplexity: {results['test_perplexity']:.2f} "
            f"(loss {results['test_loss']:.4f}, {results['test_tokens']:,} words of "
            f"{command['dataset']}, {results['test_unknown_tokens']:,} of them unknown)"
        )
    else:
        _refuse(command, _LANGUAGE_MODEL_FLAGS, "a classifier of pictures")
        results = _evaluate_classifier(command)
        sentence = (
            f"Test accuracy: {results['test_accuracy']:.4f} (loss {results['test_loss']:.4f}, "
            f"{results['test_examples']:,} examples of {command['dataset']})"
        )
    print(to_json_text(results) if command["json"] else sentence)


def _flags() -> CommandFlags:
    command = CommandFlags(NAME, SUMMARY)
    add_model_flag(command, "Model")
    command.add(
        "Data",
        "dataset",
        str,
        None,
        "For a classifier: name of an embedded or TensorFlow Datasets dataset, a .npz file, or a "
        "folder of class folders. For a language model, which reads it with its own vocabulary: "
        "pydoc, ptb, a text file, or a folder of text files.",
        required=True,
    )
    command.add("Data", "data_dir", str | None, None, "Folder that holds the dataset's files.")
    command.add(
        "Data",
        "max_test_examples",
        int | None,
        None,
        "Use only this many examples of the test set (classifier).",
        minimum=1,
    )
    command.add(
        "Data",
        "max_test_tokens",
        int | None,
        None,
        "Use only this many words of the test part (language model).",
        minimum=2,
    )
    command.add(
        "Evaluation", "batch_size", int, 200, "Pictures in one pass (classifier).", minimum=1
    )
    command.add("Evaluation", "json", bool, False, "Print a JSON object instead of a sentence.")
    return command


def _refuse(command: CommandFlags, names: Sequence[str], kind: str) -> None:
    for name in names:
        if command.given(name):
            raise ConfigurationError(f"`--{name}` does not apply: {command['model']} is {kind}.")


def _evaluate_classifier(command: CommandFlags) -> Mapping[str, Any]:
    config = DataConfig(
        dataset=command["dataset"],
        data_dir=command["data_dir"],
        max_test_examples=command["max_test_examples"],
    )
    # Bad data are told before the seconds that TensorFlow takes, unless it must read them.
    early = None if needs_tensorflow(config) else load_images(config)

    load_tensorflow()
    from enas_tf.models.classifier import evaluate
    from enas_tf.models.export import load_model

    model = load_model(command["model"])
    data = early or load_images(config)
    test = evaluate(model, data, batch_size=command["batch_size"])
    return {
        "test_accuracy": float(test.accuracy),
        "test_loss": float(test.loss),
        "test_examples": len(data.y_test),
    }


def _evaluate_language_model(command: CommandFlags) -> Mapping[str, Any]:
    text = read_source(
        TextDataConfig(dataset=command["dataset"], data_dir=command["data_dir"])
    ).parts.test

    load_tensorflow()
    from enas_tf.models.export import load_model
    from enas_tf.models.language_model import encode_for, evaluate_perplexity, vocabulary_of

    model = load_model(command["model"])
    tokens = encode_for(model, text, max_tokens=command["max_test_tokens"])
    test = evaluate_perplexity(model, tokens)
    return {
        "test_perplexity": test.perplexity,
        "test_loss": test.loss,
        "test_tokens": test.tokens,
        "test_unknown_tokens": tokens[1:].tolist().count(vocabulary_of(model).unknown_id),
    }


if __name__ == "__main__":
    sys.exit(main())
