"""`enas-generate`: goes on with a text."""

import sys
from collections.abc import Sequence

from enas_tf.cli.app import run_command
from enas_tf.cli.common import add_model_flag
from enas_tf.cli.flags import CommandFlags
from enas_tf.cli.start_up import load_tensorflow
from enas_tf.environment.console import say
from enas_tf.errors import ExportError
from enas_tf.models.files import LANGUAGE_MODEL, kind_of
from enas_tf.settings.groups import Group

NAME = "enas-generate"
SUMMARY = "goes on with a text, word by word, as a trained language model would."
_MOST_UNKNOWN_WORDS = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _generate, argv)


def _generate(argv: Sequence[str]) -> None:
    command = _flags()
    command.parse(argv)
    path = command["model"]
    if kind_of(path) != LANGUAGE_MODEL:
        raise ExportError(f"{path} is no language model; give the output folder of one.")

    load_tensorflow()
    from enas_tf.models.export import load_model
    from enas_tf.models.generation import generate, unknown_words

    model = load_model(path)
    text = command["text"] or ""
    unknown = unknown_words(model, text)
    if unknown:
        listed = ", ".join(unknown[:_MOST_UNKNOWN_WORDS])
        more = ", ..." if len(unknown) > _MOST_UNKNOWN_WORDS else ""
        say(f"{NAME}: the model does not know: {listed}{more}")
    print(
        generate(
            model,
            text,
            num_words=command["num_words"],
            temperature=command["temperature"],
            top_k=command["top_k"],
            allow_unknown=command["allow_unknown"],
            seed=command["seed"],
        )
    )


def _flags() -> CommandFlags:
    command = CommandFlags(NAME, SUMMARY)
    add_model_flag(command, of="the retraining of a language model")
    command.add(
        Group.START,
        "text",
        str | None,
        None,
        "The beginning of the text (default: none, a new line).",
    )
    command.add(Group.GENERATION, "num_words", int, 50, "Words and line ends to add.", minimum=1)
    command.add(
        Group.GENERATION,
        "temperature",
        float,
        0.8,
        "Below 1 likely words become likelier, above 1 less likely; 0: always the most likely one.",
        minimum=0.0,
    )
    command.add(
        Group.GENERATION,
        "top_k",
        int | None,
        None,
        "Draw from so many of the most likely words only (default: from all).",
        minimum=1,
    )
    command.add(Group.GENERATION, "allow_unknown", bool, False, "Whether <unk> may be drawn.")
    largest = 2**31 - 1
    command.add(Group.GENERATION, "seed", int, 0, "Seed of the draws.", minimum=0, maximum=largest)
    return command


if __name__ == "__main__":
    sys.exit(main())
