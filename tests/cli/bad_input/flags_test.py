"""Flags that a command does not have, lacks, or that have values they cannot have."""

import pytest

from tests.cli.bad_input.refusals import (
    LONG,
    MICRO_RETRAIN,
    MICRO_SEARCH,
    RNN_RETRAIN,
    RNN_SEARCH,
    SEARCH,
    cases,
    split,
    write_common,
    write_npz,
)


def write_world(world):
    write_common(world)
    write_npz(world / "tiny.npz", shape=(6, 3, 1))
    (world / "flags").write_bytes(b"\xff\xfe--epochs=3\n")
    (world / "endless_flags").write_text("--flagfile=endless_flags\n")
    (world / "nul_flags").write_text("--dataset=a\0b\n")


FLAGS = [
    ("search", "", "`--space` is required"),
    ("search", "--space=", "`--space` must be a text that is not empty"),
    ("search", "--space=Macro", "`--space` must be one of"),
    ("search", "--space=RNN", "`--space` must be one of"),
    ("search", "--space", "Missing value for flag --space"),
    ("search", "--space=macro --preset=fast", "`--preset` must be one of"),
    ("search", "--space=macro --epoch=1", "Unknown command line flag 'epoch'. Did you mean"),
    ("search", "--space=rnn --hiden_size=1", "flag 'hiden_size'. Did you mean: hidden_size"),
    ("search", "--space=macro -x", "Unknown command line flag 'x'"),
    ("search", "--space=macro macro", "Unexpected argument 'macro'"),
    ("search", "--space=macro --noepochs", "Unknown command line flag 'noepochs'"),
    ("search", "--space=macro --input_shape=8,8,1", "Unknown command line flag 'input_shape'"),
    ("search", "--space=rnn --architecture=lstm", "Unknown command line flag 'architecture'"),
    ("search", "--space=macro --flagfile=none", "Unable to open flagfile"),
    ("search", "--space=macro --flagfile=empty_folder", "Unable to open flagfile"),
    ("search", "--space=macro --flagfile=flags", "is no text"),
    ("search", "--space=macro --flagfile=endless_flags", "circular flagfile"),
    ("search", "--space=macro --flagfile=nul_flags", "`--dataset` must be a text"),
    ("search", "--space=rnn --flagfile=nul_flags", "`--dataset` must be a text"),
    ("search", "--space=macro --overwrite=perhaps", "`--overwrite` must be yes or no"),
    ("search", "--space=macro --output_dir=", "`--output_dir` must be a text"),
    ("retrain", "--space=macro", "`--architecture` is required"),
    ("retrain", "--space=rnn", "`--architecture` is required"),
    ("retrain", "--architecture=0", "`--space` is required"),
    ("retrain", "--architecture=gru", "`--space` is required"),
    ("retrain", "--space=macro --architecture=0 --num_layers=3", "Unknown command line flag"),
    ("retrain", "--space=micro --architecture=0 --num_nodes=5", "Unknown command line flag"),
    ("retrain", "--space=rnn --architecture=0 --num_nodes=5", "Unknown command line flag"),
    ("retrain", "--space=macro --architecture=0 --merge=x", "`--merge` must be one of"),
    ("retrain", "--space=micro --architecture=0 --form=x", "`--form` must be one of"),
    ("search", "--space=micro --form=final", "Unknown command line flag 'form'"),
    ("search", "--space=rnn --averaging_patience=3", "Unknown command line flag"),
    ("draw", "", "`--architecture` is required"),
    ("draw", "--architecture=0 --output=a.svg", "`--space` is required"),
    ("draw", "--space=macro --architecture=0", "`--output` is required"),
    ("draw", "--space=macro --architecture=0 --output=a.pdf", "must end in .svg or .png"),
    ("draw", "--space=rnn --architecture=lstm --output=a.pdf", "must end in .svg or .png"),
    ("draw", "--space=macro --architecture=0 --output=.svg", "must end in .svg or .png"),
    ("draw", "--space=macro --architecture=0 --output=none/a.svg", "Cannot write none/a.svg"),
    ("draw", "--space=macro --architecture=0 --output=text.txt/a.svg", "not a directory"),
    ("draw", f"--space=macro --architecture=0 --output={LONG}.svg", "file name too long"),
    ("draw", "--space=rnn --architecture=lstm --output=a.svg --cell_output=x", "must be one of"),
    *(
        ("draw", f"--space=macro --architecture=0 --output=a.svg --input_shape={shape}", "input_sh")
        for shape in ("8,8", "0,8,8", "-1,2,3", "1,2,3,4", "1.5,2,3", "x", "")
    ),
    ("benchmark", "--space=macro --input_shape=8,8", "`input_shape` must be three positive"),
    ("benchmark", "--space=macro --input_shape=0,8,3", "`input_shape` must be three positive"),
    ("benchmark", "--space=macro --num_classes=1", "`--num_classes` must be at least 2"),
    ("benchmark", "--space=macro --repeats=0", "`--repeats` must be at least 1"),
    ("benchmark", "--space=macro --filters=3", "`filters` must be even"),
    ("benchmark", "--space=macro --strategy=x", "`--strategy` must be one of"),
    ("benchmark", "--space=micro --input_shape=3,8,3", "at least 4 x 4 pixels"),
    ("benchmark", "--space=micro --num_nodes=0", "`--num_nodes` must be at least 1"),
    ("benchmark", "--space=rnn --vocabulary_size=1", "`--vocabulary_size` must be at least 2"),
    ("benchmark", "--space=rnn --dataset=ptb", "Unknown command line flag 'dataset'"),
]

OF_OTHER_SPACES = [
    (
        "search",
        "--space=macro --num_nodes=5",
        "--space=micro and --space=rnn, not to",
    ),
    ("search", "--space=macro --hidden_size=5", "--space=rnn, not to --space=macro"),
    ("search", "--space=micro --vocabulary_size=5", "--space=rnn, not to --space=micro"),
    ("search", "--space=rnn --filters=4", "--space=macro and --space=micro, not to --space=rnn"),
    ("search", "--space=rnn --crop_padding=1", "--space=macro and --space=micro, not to"),
    ("search", "--space=rnn --derive_statistics=batch", "--space=macro and --space=micro, not"),
    ("search", "--space=rnn --reward_statistics=batch", "--space=macro and --space=micro, not"),
    ("search", "--space=rnn --controller_skip_target=0.4", "--space=macro, not to --space=rnn"),
    # Only another command has it.
    ("search", "--space=macro --averaging_patience=3", "Unknown command line flag"),
    ("search", "--space=micro --merge=add", "Unknown command line flag"),
    ("retrain", "--space=micro --architecture=0 --merge=add", "--space=macro, not to"),
    ("retrain", "--space=micro --architecture=0 --widen", "`--widen` belongs to --space=macro"),
    ("retrain", "--space=rnn --architecture=lstm --use_validation", "--space=macro and"),
    ("retrain", "--space=macro --architecture=0 --cell_output=mean", "--space=rnn, not to"),
    ("benchmark", "--space=rnn --input_shape=8,8,3", "--space=macro and --space=micro, not to"),
    ("benchmark", "--space=macro --vocabulary_size=9", "--space=rnn, not to --space=macro"),
    ("benchmark", "--space=rnn --reward_statistics=batch", "--space=macro and --space=micro"),
    ("draw", "--space=rnn --architecture=lstm --output=a.svg --input_shape=8,8,1", "--space=macro"),
    ("draw", "--space=macro --architecture=0 --output=a.svg --cell_output=mean", "--space=rnn"),
]

SEARCH_VALUES = {
    "epochs": ("0", "-1", "x", "1.5", "nan", "", "1e3", "99999999999999999999"),
    "batch_size": ("0", "55", "1000000", "99999999999999999999"),
    "learning_rate": ("0", "-1", "nan", "inf", "x", "", "1e400"),
    "final_learning_rate": ("-1", "0.06"),
    "restart_multiplier": ("0",),
    "momentum": ("1", "-0.1"),
    "weight_decay": ("-1", "inf"),
    "clip_norm": ("-1",),
    "num_layers": ("0", "-1"),
    "filters": ("0", "7"),
    "num_operations": ("0", "7"),
    "dropout_rate": ("1", "nan"),
    "search_whole_channels": ("perhaps",),
    "seed": ("-1", "4294967296"),
    "strategy": ("reinforced", ""),
    "reward_statistics": ("x",),
    "reward_batch_size": ("0",),
    "policy_start_epoch": ("-1",),
    "controller_samples_per_update": ("0",),
    "controller_temperature": ("0",),
    "controller_skip_target": ("1",),
    "evolution_population_size": ("0",),
    "derive_num_candidates": ("0",),
    "derive_finalists": ("-1", "21"),
    "validation_size": ("0", "60", "53"),
    "max_train_examples": ("0", "1", "2"),
    "crop_padding": ("-1", "6"),
    "cutout": ("7",),
    "flip": ("perhaps",),
    "data_dir": ("nowhere", "text.txt", "", LONG),
    "dataset": ("", " ", LONG, f"{LONG}.npz", f"/{LONG}"),
    "output_dir": ("text.txt", "text.txt/x", "thesis"),
}
MICRO_SEARCH_VALUES = {
    "num_layers": ("0",),
    "num_nodes": ("0", "-1", "x", "1.5"),
    "num_operations": ("0", "6"),
    "filters": ("0", "7"),
    "auxiliary_weight": ("-1", "nan"),
    "bank_initialization": ("he",),
    "controller_tanh_constant": ("0",),
    "controller_operation_tanh_reduction": ("0",),
    "controller_separable_start_bias": ("-1",),
}
MICRO_RETRAIN_VALUES = {
    "num_layers": ("0",),
    "filters": ("0", "7"),
    "drop_path_rate": ("-0.1", "1"),
    "auxiliary_weight": ("-1",),
    "cutout": ("7", "1.5", "-1", "x"),
}
RNN_SEARCH_VALUES = {
    # The validation part has 130 words.
    "reward_batch_size": ("0", "4"),
    "batch_size": ("0", "1170", "1000000"),
    "num_nodes": ("0", "-1", "x", "1.5"),
    "hidden_size": ("0", "x"),
    "cell_output": ("sum", ""),
    "initial_range": ("0", "nan"),
    "learning_rate": ("0", "0.001"),
    "max_rollbacks": ("-1",),
    "slowness_penalty": ("-1",),
    "controller_distance_divisor": ("0",),
    "controller_temperature": ("0",),
    "controller_entropy": ("x",),
    "tokenization": ("characters",),
    "random_lengths": ("perhaps",),
    "data_dir": ("nowhere", "text.txt", "", LONG),
    "dataset": ("", " ", LONG, f"{LONG}.txt", f"/{LONG}"),
    "output_dir": ("text.txt", "text.txt/x", "thesis"),
}
RNN_RETRAIN_VALUES = {
    # The training part has 2,340 words.
    "batch_size": ("0", "1170"),
    "sequence_length": ("0", "2340", "1000000"),
    "vocabulary_size": ("0", "1", "x"),
    "max_train_tokens": ("0", "1", "2", "9"),
    "max_test_tokens": ("0", "1"),
    "hidden_size": ("0",),
    "word_dropout": ("-0.1", "1"),
    "input_dropout": ("1",),
    "activation_penalty": ("-1",),
    "averaging_patience": ("-1", "x"),
}
# Where the message has another word than the flag.
OTHER_WORDS = {
    "derive_finalists": "finalists",
    "max_train_examples": "",
    "max_train_tokens": "",
    "max_test_tokens": "test",
    "dataset": "",
    "strategy": "strategy",
    "validation_size": "_size",
    "output_dir": "output_dir",
}
VALUES = [
    (SEARCH, SEARCH_VALUES),
    (MICRO_SEARCH, MICRO_SEARCH_VALUES),
    ((*MICRO_RETRAIN, "--architecture=enas_micro_release"), MICRO_RETRAIN_VALUES),
    (RNN_SEARCH, RNN_SEARCH_VALUES),
    ((*RNN_RETRAIN, "--architecture=lstm"), RNN_RETRAIN_VALUES),
]


@cases(split(FLAGS))
def test_wrong_flags(argv, message, refused_early):
    refused_early(argv, message)


@cases(split(OF_OTHER_SPACES))
def test_flags_of_other_spaces(argv, message, refused_early):
    refused_early(argv, message)


@cases(
    ((*command, f"--{name}={value}"), OTHER_WORDS.get(name, name))
    for command, table in VALUES
    for name, values in table.items()
    for value in values
)
def test_wrong_values(argv, message, refused_early):
    refused_early(argv, message)


@pytest.mark.parametrize("command", [SEARCH, RNN_SEARCH], ids=["pictures", "text"])
@pytest.mark.parametrize(
    ("devices", "message"), [("x", "`devices` must be"), ("99", "TensorFlow sees")]
)
def test_devices_that_there_are_not(command, devices, message, refused):
    refused((*command, f"--devices={devices}"), message)


@pytest.mark.usefixtures("two_devices")
@pytest.mark.parametrize(
    "command", [RNN_SEARCH, (*RNN_RETRAIN, "--architecture=lstm")], ids=["search", "retrain"]
)
def test_rows_of_text_that_two_devices_cannot_share(command, refused):
    argv = (*command, "--batch_size=9", "--devices=cpu:2")
    refused(argv, "`batch_size` must be a multiple of the number of devices, 2")
