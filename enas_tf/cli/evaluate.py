"""`enas-evaluate`: tests a trained classifier or language model."""

import contextlib
import sys
from collections.abc import Sequence

from enas_tf.cli.app import run_command
from enas_tf.cli.common import add_model_flag, check_output_file
from enas_tf.cli.flags import CommandFlags
from enas_tf.cli.start_up import load_tensorflow
from enas_tf.data.images.loading import are_files, brought_to, load_images, needs_tensorflow
from enas_tf.data.images.pictures import as_pictures
from enas_tf.data.texts.sources_by_name import read_source
from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.files.places import user_path
from enas_tf.files.writing import to_json_text, write_text
from enas_tf.models.files import LANGUAGE_MODEL, kind_of, run_folder
from enas_tf.records.run import run_named
from enas_tf.reporting.evaluation import evaluation_document, evaluation_text, predictions_csv
from enas_tf.runs.phases import RETRAIN
from enas_tf.settings.data import DataConfig, TextDataConfig
from enas_tf.settings.groups import Group

NAME = "enas-evaluate"
SUMMARY = "tests a trained classifier or language model on a part of a dataset."

# Flags that only one kind of model has.
_CLASSIFIER_FLAGS = ("max_test_examples", "validation_size", "batch_size", "predictions")
_LANGUAGE_MODEL_FLAGS = ("max_test_tokens",)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _evaluate, argv)


def _evaluate(argv: Sequence[str]) -> None:
    command = _flags()
    command.parse(argv)
    for name in ("max_test_examples", "max_test_tokens"):
        if command["part"] != "test" and command.given(name):
            raise ConfigurationError(
                f"`--{name}` is for --part=test. Received: --part={command['part']}."
            )
    if kind_of(command["model"]) == LANGUAGE_MODEL:
        _refuse(command, _CLASSIFIER_FLAGS, "a language model")
        _evaluate_language_model(command)
    else:
        _refuse(command, _LANGUAGE_MODEL_FLAGS, "a classifier of pictures")
        _evaluate_classifier(command)


def _flags() -> CommandFlags:
    command = CommandFlags(NAME, SUMMARY)
    add_model_flag(command)
    command.add(
        Group.DATA,
        "dataset",
        str,
        None,
        "For a classifier: name of an embedded or TensorFlow Datasets dataset, a .npz file, or a "
        "folder of class folders. For a language model, which reads it with its own vocabulary: "
        "pydoc, ptb, a text file, or a folder of text files.",
        required=True,
    )
    command.add(Group.DATA, "data_dir", str | None, None, "Folder that holds the dataset's files.")
    command.add(
        Group.DATA,
        "part",
        str,
        "test",
        "Which part to test on. The final training has seen the pictures of train, and without "
        "--use_validation those of validation too.",
        choices=("test", "validation", "train"),
    )
    command.add(
        Group.DATA,
        "validation_size",
        int | None,
        None,
        "Number of training examples, the last ones, that are the validation part (classifier; "
        "default: as in the retraining, if the model lies in its folder, else one tenth).",
        minimum=1,
    )
    command.add(
        Group.DATA,
        "max_test_examples",
        int | None,
        None,
        "Use only this many examples of the test set (classifier).",
        minimum=1,
    )
    command.add(
        Group.DATA,
        "max_test_tokens",
        int | None,
        None,
        "Use only this many words of the test part (language model).",
        minimum=2,
    )
    command.add(
        Group.HARDWARE, "batch_size", int, 200, "Pictures in one pass (classifier).", minimum=1
    )
    command.add(
        Group.OUTPUT,
        "predictions",
        str | None,
        None,
        "File to write, in CSV: class, most likely class and probabilities of each example, in the "
        "order of the data, and its file if it has one (classifier).",
    )
    command.add(Group.OUTPUT, "json", bool, False, "Print a JSON object instead of text.")
    return command


def _refuse(command: CommandFlags, names: Sequence[str], kind: str) -> None:
    for name in names:
        if command.given(name):
            raise ConfigurationError(f"`--{name}` does not apply: {command['model']} is {kind}.")


def _evaluate_classifier(command: CommandFlags) -> None:
    part, output = command["part"], command["predictions"]
    if output is not None:
        check_output_file("predictions", output)
    config = _data_config(command)
    if are_files(config):
        # Each is read once.
        config = config.replace(memory_limit=0)
    # Bad data are told before the seconds that TensorFlow takes, unless it must read them, or the
    # model tells what files are brought to.
    is_later = needs_tensorflow(config) or are_files(config)
    early = None if is_later else load_images(config)

    load_tensorflow()
    from enas_tf.models.classifier import evaluate
    from enas_tf.models.export import load_model
    from enas_tf.models.remembered import picture_settings_of

    model = load_model(command["model"])
    data = early or load_images(brought_to(config, picture_settings_of(model)))
    evaluation = evaluate(model, data, part, batch_size=command["batch_size"])
    if command["json"]:
        print(to_json_text(evaluation_document(evaluation, part)))
    else:
        print(evaluation_text(evaluation, part, command["dataset"]))
    if output is not None:
        paths = as_pictures(data.part(part)[0]).paths()
        write_text(user_path(output), predictions_csv(evaluation, paths))


def _data_config(command: CommandFlags) -> DataConfig:
    """Returns which pictures: divided as for the training of the model, if they are the same."""
    base = DataConfig()
    run = None
    # The folder of a model that is no run may hold anything.
    with contextlib.suppress(RunDirectoryError):
        run = run_named(run_folder(command["model"]), (RETRAIN,))
    if run is not None and run.data.dataset == command["dataset"]:
        # Nothing is trained on them.
        base = run.data.replace(data_dir=None, max_test_examples=None, augmentation_layer=None)
    names = ("dataset", "data_dir", "validation_size", "max_test_examples")
    return base.replace(**{name: command[name] for name in names if command.given(name)})


def _evaluate_language_model(command: CommandFlags) -> None:
    part = command["part"]
    parts = read_source(
        TextDataConfig(dataset=command["dataset"], data_dir=command["data_dir"])
    ).parts

    load_tensorflow()
    from enas_tf.models.export import load_model
    from enas_tf.models.language_model import encode_for, evaluate_perplexity, vocabulary_of

    model = load_model(command["model"])
    tokens = encode_for(model, getattr(parts, part), max_tokens=command["max_test_tokens"])
    result = evaluate_perplexity(model, tokens)
    unknown = tokens[1:].tolist().count(vocabulary_of(model).unknown_id)
    if command["json"]:
        numbers = {**result._asdict(), "unknown_tokens": unknown}
        print(to_json_text({f"{part}_{name}": number for name, number in numbers.items()}))
        return
    print(
        f"{part.capitalize()} perplexity: {result.perplexity:.2f} (loss {result.loss:.4f}, "
        f"{result.tokens:,} words of {command['dataset']}, {unknown:,} of them unknown)"
    )


if __name__ == "__main__":
    sys.exit(main())
