"""Texts that are missing, too short, no text, or lack a part."""

import os
import pickle

import numpy as np

from tests.cli.bad_input.refusals import (
    LONG,
    RNN_RETRAIN,
    RNN_SEARCH,
    Command,
    cases,
    text_of,
    write_common,
)

TEXT = text_of(100)
ITSELF = [1]
ITSELF.append(ITSELF)
LATIN_1 = "café ".encode("latin-1")


def write_files(world):
    files = {
        "empty": b"",
        "blank": b" \n\n \t\n",
        "one_word": b"word",
        "two_words": b"two words\n",
        "long_word": LONG.encode(),
        "one_kind": 2000 * b"the ",
        "one_kind_in_lines": 500 * b"the the\n",
        "no_kind": 2000 * b"<unk> ",
        "all_different": " ".join(map(str, range(3000))).encode(),
        "short": text_of(20).encode(),
        "latin_1": 500 * LATIN_1,
        "utf_16": TEXT.encode("utf-16"),
        "utf_16_le": TEXT.encode("utf-16-le"),
        "zero_byte": TEXT[:1000].encode() + b"\0" + TEXT[1000:].encode(),
        "binary": 20 * bytes(range(256)),
    }
    for name, content in files.items():
        (world / f"{name}.txt").write_bytes(content)
    os.mkfifo(world / "pipe.txt")
    (world / "zeros.txt").symlink_to("/dev/zero")
    (world / "packed.tokens.gz").write_bytes(b"\x1f\x8b")


def write_folders(world):
    three = {"train": TEXT, "valid": TEXT, "test": TEXT}
    folders = {
        "no_train": {"valid": TEXT, "test": TEXT},
        "no_valid": {"train": TEXT, "test": TEXT},
        "no_test": {"train": TEXT, "valid": TEXT},
        "several": {**three, "train2": TEXT},
        "ambiguous": {"train_test": TEXT, "valid": TEXT, "test": TEXT},
        "empty_train": {**three, "train": ""},
        "empty_valid": {**three, "valid": "\n"},
        "others": {"notes": TEXT},
        "pipes": {"train": TEXT, "valid": TEXT},
    }
    for folder, parts in folders.items():
        (world / folder).mkdir()
        for part, text in parts.items():
            (world / folder / f"{part}.txt").write_text(text)
    os.mkfifo(world / "pipes" / "test.txt")
    (world / "latin_1").mkdir()
    for part in three:
        (world / "latin_1" / part).write_bytes(LATIN_1 if part == "valid" else TEXT.encode())
        (world / "part_folders" / part).mkdir(parents=True)


def write_pickles(world):
    tokens = np.random.default_rng(0).integers(0, 5, 500)
    four = {f"x{number}": number for number in range(4)}
    words = {**four, "x4": 4}

    def release(train=tokens, words=words):
        return pickle.dumps((train, tokens, tokens, words, {}))

    pickles = {
        "cut_off": release()[:200],
        "empty": b"",
        "text": b"hello world",
        "command": pickle.dumps(Command()),
        "command_inside": release(words=Command()),
        "old_command": b"cposix\nsystem\n(S'touch executed'\ntR.",
        "list": pickle.dumps([1, 2]),
        "ragged": pickle.dumps(([[1], [1, 1]], tokens, tokens, words, {})),
        "of_itself": pickle.dumps((ITSELF, tokens, tokens, words, {})),
        "deep": b"\x80\x02})" + 100_000 * b"\x85" + b"Ns.",
        "surrogate": release(words={**four, "\ud800": 4}),
        "beyond": release(tokens + 3),
        "negative": release(tokens - 1),
        "fractions": release(tokens * 1.0),
        "nothing": release(tokens[:0]),
        "no_words": release(words={number: number for number in range(5)}),
        "gap": release(words={**words, "x4": 9}),
        "two_words": release(words={**four, "a b": 4}),
        "empty_word": release(words={**four, "": 4}),
    }
    for name, content in pickles.items():
        (world / "pickles" / name).mkdir(parents=True)
        (world / "pickles" / name / "ptb.pkl").write_bytes(content)
    (world / "pickles" / "folder" / "ptb.pkl").mkdir(parents=True)


def write_world(world):
    write_common(world)
    write_files(world)
    write_folders(world)
    write_pickles(world)


DATASETS = {
    "empty.txt": "empty.txt holds no words",
    "blank.txt": "blank.txt holds no words",
    "one_word.txt": "It has 1 word;",
    "two_words.txt": "It has 2 words;",
    "long_word.txt": "It has 1 word;",
    "one_kind.txt": "at least two different words. It has 1;",
    "one_kind_in_lines.txt": "at least two different words. It has 1;",
    "no_kind.txt": "at least two different words. It has 0;",
    "all_different.txt": "No word occurs twice",
    "latin_1.txt": "not a text in UTF-8 (byte 0xe9 at position 3)",
    "utf_16.txt": "not a text in UTF-8 (byte 0xff at position 0)",
    "utf_16_le.txt": "not a text in UTF-8 (zero byte at position 1)",
    "zero_byte.txt": "not a text in UTF-8 (zero byte at position 1000)",
    "binary.txt": "not a text in UTF-8",
    "packed.tokens.gz": "is no text file, since its name ends in .gz; unpack it",
    "good.npz": "is no text file, since its name ends in .npz",
    "none.txt": "dataset='none.txt', which is none of them",
    "text.txt/x": "which is none of them",
    "cifar10": "`dataset` must be a text: pydoc, ptb, an existing text file",
    "digits": "dataset='digits', which is none of them",
    "empty_folder": "has no train file",
    "no_train": "`cat test.txt valid.txt > all.txt`, and give that, which is divided 90:5:5",
    "no_valid": "no_valid has no valid file",
    "no_test": "no_test has no test file",
    "several": "exactly one train file. It has 2: train.txt, train2.txt",
    "ambiguous": "exactly one test file. It has 2: test.txt, train_test.txt",
    "empty_train": "train.txt holds no words",
    "empty_valid": "valid.txt holds no words",
    "latin_1": "valid is not a text in UTF-8 (byte 0xe9",
    "others": "It holds: notes.txt; give others/notes.txt itself, which is divided 90:5:5",
    "part_folders": "has no train file",
    "pickles/cut_off": "is not a readable pickle (it is cut off)",
    "pickles/empty": "is not a readable pickle (it is cut off)",
    "pickles/text": "is not a readable pickle",
    "pickles/command": "system', which is refused",
    "pickles/command_inside": "system', which is refused",
    "pickles/old_command": "posix.system', which is refused",
    "pickles/list": "is not the release's ptb.pkl",
    "pickles/ragged": "must be an array of numbers, all rows of one length",
    "pickles/of_itself": "a value contains itself",
    "pickles/deep": "nested more than 100 deep",
    "pickles/surrogate": "Every word of ptb.pkl must be text in UTF-8",
    "pipe.txt": "pipe.txt cannot be read (it is a pipe, not a regular file)",
    "pipes": "test.txt cannot be read (it is a pipe, not a regular file)",
    "zeros.txt": "zeros.txt cannot be read (it is a device, not a regular file)",
    "a\nb.txt": "`dataset` must be one line of text in UTF-8",
    "pickles/beyond": "numbers of words from 0 to 4. It has 3 to 7",
    "pickles/negative": "numbers of words from 0 to 4. It has -1 to 3",
    "pickles/fractions": "is not the release's ptb.pkl",
    "pickles/nothing": "is not the release's ptb.pkl",
    "pickles/no_words": "is not the release's ptb.pkl",
    "pickles/gap": "is not the release's ptb.pkl",
    "pickles/two_words": "is not the release's ptb.pkl",
    "pickles/empty_word": "is not the release's ptb.pkl",
    "pickles/folder": "cannot be read (it is a folder, not a regular file)",
    "pickles/none/ptb.pkl": "which is none of them",
}

BESIDE_SETTINGS = [
    (RNN_SEARCH, ("--dataset=ptb",), "in no folder, since data_dir is not set"),
    (RNN_SEARCH, ("--dataset=ptb", "--data_dir=empty_folder"), "empty_folder/simple-examples/data"),
    (RNN_SEARCH, ("--dataset=ptb", "--data_dir=pickles/command"), "which is refused"),
    (RNN_SEARCH, ("--dataset=ptb", "--data_dir=text.txt"), "`data_dir` must be an existing folder"),
    (RNN_SEARCH, ("--dataset=pydoc", "--data_dir=nowhere"), "`data_dir` must be an existing"),
    (RNN_SEARCH, ("--dataset=short.txt", "--batch_size=130"), "set batch_size to at most 116"),
    (
        RNN_SEARCH,
        ("--dataset=short.txt", "--sequence_length=400"),
        "set sequence_length to at",
    ),
    (RNN_SEARCH, ("--max_train_tokens=1",), "at least two different words. It has 1"),
    (RNN_SEARCH, ("--max_train_tokens=2",), "No word occurs twice"),
    (RNN_SEARCH, ("--max_test_tokens=1",), "The test part of good.txt must have at least two"),
    (
        RNN_RETRAIN,
        ("--architecture=lstm", "--max_train_tokens=60", "--batch_size=64"),
        "set batch_size to at most 29",
    ),
    (RNN_RETRAIN, ("--architecture=lstm", "--dataset=empty.txt"), "holds no words"),
]


@cases(((*RNN_SEARCH, f"--dataset={name}"), message) for name, message in DATASETS.items())
def test_wrong_texts(argv, message, refused_early):
    refused_early(argv, message)


@cases(((*command, *flags), message) for command, flags, message in BESIDE_SETTINGS)
def test_texts_that_do_not_fit_the_settings(argv, message, refused_early):
    refused_early(argv, message)
