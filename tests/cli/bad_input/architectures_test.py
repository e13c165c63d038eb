"""Architectures that are malformed, of another space, or no architectures."""

import json

from enas_tf.spaces.architectures import architecture_document
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.published import PUBLISHED
from enas_tf.spaces.rnn.space import RnnSpace
from tests.cli.bad_input.refusals import (
    LONG,
    MICRO_RETRAIN,
    RETRAIN,
    RNN_RETRAIN,
    cases,
    split,
    write_common,
)

DOCUMENT = architecture_document(MacroSpace(num_layers=3).random_architecture(0))
MICRO_DOCUMENT = architecture_document(MicroSpace(num_nodes=2).random_architecture(0))
RNN_DOCUMENT = architecture_document(RnnSpace(num_nodes=2).random_architecture(0))


def macro_documents():
    def layers(**changes):
        layer = {"operation": "convolution_3x3", "skip_connections": [], **changes}
        return {**DOCUMENT, "architecture": {"layers": [layer]}}

    def channels(branches, number=4):
        layer = {"branches": branches, "skip_connections": []}
        return {**DOCUMENT, "architecture": {"channels": number, "layers": [layer]}}

    return {
        "list": [1],
        "other_space": {**DOCUMENT, "space": "cube"},
        "newer": {**DOCUMENT, "format_version": 9},
        "version_text": {**DOCUMENT, "format_version": "1"},
        "no_architecture": {"space": "macro", "format_version": 1},
        "no_layers": {**DOCUMENT, "architecture": {"layers": []}},
        "operation": layers(operation="convolution_9x9"),
        "operation_type": layers(operation=[1]),
        "skip": layers(skip_connections=[0]),
        "skip_type": layers(skip_connections="none"),
        "count": channels([{"start": 0, "count": 9}]),
        "fraction": channels([{"start": 0, "count": 1.5}]),
        "infinity": channels([{"start": 0, "count": float("inf")}]),
        "branches": channels(3),
        "channels": channels([{"start": 0, "count": 1}], "x"),
        "channels_good": channels([{"start": 0, "count": 1}]),
    }


def micro_documents():
    def cells(*operands, **changes):
        node = [{"input": tensor, "operation": name} for tensor, name in operands]
        cells = {"normal": {"nodes": [node]}, "reduction": {"nodes": [node]}, **changes}
        return {**MICRO_DOCUMENT, "architecture": cells}

    identity = (0, "identity")
    return {
        "micro_good": MICRO_DOCUMENT,
        "micro_no_reduction": {**MICRO_DOCUMENT, "architecture": {"normal": {"nodes": []}}},
        "micro_cell": cells(identity, identity, reduction=3),
        "micro_no_nodes": cells(identity, identity, normal={"nodes": []}),
        "micro_nodes": cells(identity, identity, normal=MICRO_DOCUMENT["architecture"]["normal"]),
        "micro_node": cells(identity, identity, reduction={"nodes": ["identity"]}),
        "micro_operand": cells(identity),
        "micro_operation": cells(identity, (0, "convolution_3x3")),
        "micro_operation_type": cells(identity, (0, {})),
        "micro_itself": cells(identity, (2, "identity")),
        "micro_negative": cells(identity, (-1, "identity")),
        "micro_fraction": cells(identity, (0.5, "identity")),
        "micro_text": cells(identity, ("0", "identity")),
    }


def rnn_documents():
    def cell(*nodes):
        entries = [{"previous": previous, "function": function} for previous, function in nodes]
        return {**RNN_DOCUMENT, "architecture": {"nodes": entries}}

    return {
        "rnn_good": RNN_DOCUMENT,
        "rnn_lstm": architecture_document(PUBLISHED["lstm"]),
        "rnn_gru": {**RNN_DOCUMENT, "architecture": {"baseline": "gru"}},
        "rnn_no_list": {**RNN_DOCUMENT, "architecture": {"nodes": "tanh"}},
        "rnn_no_nodes": cell(),
        "rnn_node": {**RNN_DOCUMENT, "architecture": {"nodes": ["tanh"]}},
        "rnn_key": {**RNN_DOCUMENT, "architecture": {"nodes": [{"previous": 0}]}},
        "rnn_function": cell((0, "tanh"), (1, "swish")),
        "rnn_function_type": cell((0, 2)),
        "rnn_itself": cell((1, "tanh")),
        "rnn_negative": cell((-1, "tanh")),
        "rnn_fraction": cell((0.5, "tanh")),
        "rnn_boolean": cell((False, "tanh")),
    }


def write_world(world):
    write_common(world)
    folder = world / "architectures"
    folder.mkdir()
    documents = {**macro_documents(), **micro_documents(), **rnn_documents()}
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    (folder / "broken.json").write_text("{")
    (folder / "deep.json").write_text(100_000 * "[")
    (folder / "binary.json").write_bytes(b"\xff\xfe\x00")
    for run, document in (("macro", DOCUMENT), ("rnn", RNN_DOCUMENT)):
        (world / "runs" / run).mkdir(parents=True)
        (world / "runs" / run / "best_architecture.json").write_text(json.dumps(document))
    (world / "runs" / "retraining").mkdir()
    (world / "runs" / "retraining" / "config.json").write_text("{}")


def path_of(name):
    """Returns what a key of the tables stands for: behind an @ a file in `architectures`."""
    return f"architectures/{name[1:]}.json" if name.startswith("@") else name


ARCHITECTURES = {
    "0 1": "2 integers fit no number of layers",
    "7": "from 0 to 6. Received: 7",
    "-1": "from 0 to 6. Received: -1",
    "0 3 2": "skip bits must be 0 or 1",
    "": "must be a text that is not empty",
    "|": "is empty",
    "0.5": "No architecture is known as '0.5'",
    "1-2": "must be integers",
    "99999999999999999999": "from 0 to 6",
    "enas_macro_relase": "or one of enas_macro_release",
    "none.json": "none.json does not exist",
    "text.txt": "is not valid JSON",
    "thesis": "has no best_architecture.json",
    "runs/retraining": "config.json was not written by enas_tf",
    LONG: "No architecture is known as",
    f"{LONG}.json": "Cannot read",
    "@broken": "is not valid JSON",
    "@deep": "is not valid JSON",
    "@binary": "is not valid JSON",
    "@list": "holds no JSON object",
    "@other_space": "space 'cube', not of 'macro'",
    "@newer": "install a newer enas_tf",
    "@version_text": "must be a positive integer",
    "@no_architecture": "has no entry 'architecture'",
    "@no_layers": "at least one layer",
    "@operation": "Unknown operation 'convolution_9x9'",
    "@operation_type": "Unknown operation [1]",
    "@skip": "Layer 0 has no skip connections",
    "@skip_type": "must be a list of integers",
    "@count": "must have 1 to 3 channels",
    "@fraction": "with integers `start` and `count`",
    "@infinity": "with integers `start` and `count`",
    "@branches": "must be a list of objects",
    "@channels": "`channels` must be an integer",
    "@micro_good": "space 'micro', not of 'macro'; give --space=micro",
    "@rnn_lstm": "space 'rnn', not of 'macro'; give --space=rnn",
    "enas_micro_release": "or one of enas_macro_release",
    "lstm": "or one of enas_macro_release",
}
MICRO_ARCHITECTURES = {
    "0 1": "has 8 n integers",
    "0 0 0 0 " * 11: "Received: 44 integers",
    "2 0 0 0 0 0 0 0": "Normal cell: Node 0: `input` must be the index of an earlier tensor",
    "0 0 0 0 0 0 -1 0": "Reduction cell: Node 0: `input` must be the index of an earlier tensor",
    # Each node reads the other: nothing would be left for the output.
    "3 0 0 0 2 0 0 0 " * 2: "Normal cell: Node 0: `input` must be",
    "0 0 0 0 2 0 3 0 " * 2: "Normal cell: Node 1: `input` must be the index of an earlier tensor",
    "0 7 0 0 0 0 0 0": "Normal cell: Node 0: An operation must be an integer from 0 to 6",
    "0 0 0 0 0 0 0 -1": "Reduction cell: Node 0: An operation",
    "0 99999999999999999999 0 0 0 0 0 0": "from 0 to 6",
    "99999999999999999999 0 0 0 0 0 0 0": "from 0 to 1",
    "|": "is empty",
    "enas_macro_release": "or one of darts_v1, darts_v2, enas_micro_release",
    "runs/macro": "space 'macro', not of 'micro'; give --space=macro",
    "@channels_good": "space 'macro', not of 'micro'; give --space=macro",
    "@broken": "is not valid JSON",
    "@micro_no_reduction": "with the keys normal and reduction",
    "@micro_cell": "Reduction cell: A cell must be an object with a list `nodes`",
    "@micro_no_nodes": "Normal cell: A cell must have at least one node",
    "@micro_nodes": "must have the same number of nodes. Received: 2 and 1",
    "@micro_node": "Reduction cell: Node 0: expected a list of two objects",
    "@micro_operand": "Node 0: expected 2 operands. Received: 1",
    "@micro_operation": "Unknown operation 'convolution_3x3'",
    "@micro_operation_type": "Unknown operation {}",
    "@micro_itself": "Normal cell: Node 0: `input` must be the index of an earlier tensor",
    "@micro_negative": "an integer from 0 to 1",
    "@micro_fraction": "Received: 0.5",
    "@micro_text": "Received: '0'",
}
RNN_ARCHITECTURES = {
    "0": "has two integers for each node, the previous node and the function. Received: 1",
    "0 2 1": "Received: 3 integers",
    "1 0": "Node 1: `previous` must be the index of an earlier node",
    "0 2 1 0 3 1": "Node 3: `previous` must be the index of an earlier node, an integer from 0",
    "-1 0": "Node 1: `previous` must be the index of an earlier node",
    "0 4": "Node 1: An operation must be an integer from 0 to 3. Received: 4",
    "0 2 1 -1": "Node 2: An operation must be an integer from 0 to 3. Received: -1",
    "99999999999999999999 0": "Node 1: `previous`",
    "0 99999999999999999999": "from 0 to 3",
    "|": "is empty",
    "0-2": "must be integers",
    "LSTM": "or one of darts, enas_rnn_release, lstm",
    "gru": "No architecture is known as 'gru'",
    "enas_macro_release": "or one of darts, enas_rnn_release, lstm",
    "runs/macro": "space 'macro', not of 'rnn'; give --space=macro",
    "thesis": "has no best_architecture.json",
    "@broken": "is not valid JSON",
    "@micro_good": "space 'micro', not of 'rnn'; give --space=micro",
    "@rnn_gru": 'A baseline must be {"baseline": "lstm"}',
    "@rnn_no_list": "must be an object with a list `nodes`",
    "@rnn_no_nodes": "at least one node",
    "@rnn_node": "Node 1: expected an object with the keys previous and function",
    "@rnn_key": "Node 1: expected an object with the keys previous and function",
    "@rnn_function": "Node 2: Unknown operation 'swish'",
    "@rnn_function_type": "Node 1: Unknown operation 2",
    "@rnn_itself": "Node 1: `previous` must be the index of an earlier node",
    "@rnn_negative": "Received: -1",
    "@rnn_fraction": "Received: 0.5",
    "@rnn_boolean": "Received: False",
}

OF_OTHER_COMMANDS = [
    ("draw", "--space=macro --architecture=9 --output=a.svg", "from 0 to 6. Received: 9"),
    ("draw", "--space=micro --architecture=0 --output=a.svg", "Received: 1 integers"),
    ("draw", "--space=rnn --architecture=0 --output=a.svg", "Received: 1 integers"),
    ("draw", "--architecture=runs/macro --space=micro --output=a.svg", "give --space=macro"),
    ("draw", "--architecture=runs/rnn --space=macro --output=a.svg", "give --space=rnn"),
    ("benchmark", "--space=macro --architecture=0", "has 1 layers, the space 12"),
    ("benchmark", "--space=micro --architecture=architectures/micro_good.json", "have 2 nodes"),
    ("benchmark", "--space=rnn --architecture=architectures/rnn_good.json", "set num_nodes=2"),
    ("benchmark", "--space=rnn --architecture=lstm", "it can only be retrained"),
    ("benchmark", "--space=rnn --architecture=runs/macro", "give --space=macro"),
]


@cases(
    ((*command, f"--architecture={path_of(name)}"), message)
    for command, table in (
        (RETRAIN, ARCHITECTURES),
        (MICRO_RETRAIN, MICRO_ARCHITECTURES),
        (RNN_RETRAIN, RNN_ARCHITECTURES),
    )
    for name, message in table.items()
)
def test_wrong_architectures(argv, message, refused_early):
    refused_early(argv, message)


@cases(split(OF_OTHER_COMMANDS))
def test_wrong_architectures_of_other_commands(argv, message, refused_early):
    refused_early(argv, message)


def test_filters_that_do_not_fit_the_architecture(refused_early):
    argv = (*RETRAIN, "--architecture=architectures/channels_good.json", "--filters=6")
    refused_early(argv, "`filters` must be a multiple of 4")
