"""Which operations a space has, and what names and integers stand for them."""

import json

import numpy as np
import pytest

from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.spaces.architectures import load_architecture
from enas_tf.spaces.macro.architecture import MacroArchitecture, MacroLayer, MacroOperation
from enas_tf.spaces.macro.decisions import MacroDecisionSpace
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.architecture import MicroArchitecture, MicroOperation
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.operations import OwnOperation
from enas_tf.spaces.own_operations import load_operations, register_operation
from enas_tf.spaces.rnn.architecture import RnnFunction
from enas_tf.spaces.rnn.space import RnnSpace
from tests.spaces.own_operations import blur, registered


@pytest.fixture
def own():
    with registered(zigzag=blur, atrous=blur) as operations:
        yield operations


CHOSEN = [
    MacroSpace(num_layers=3, operations=("separable_3x3", "average_pooling", "identity")),
    MicroSpace(num_nodes=2, operations=("separable_3x3", "average_pooling", "dilated_5x5")),
    RnnSpace(num_nodes=3, operations=("relu", "sigmoid")),
]
chosen = pytest.mark.parametrize("space", CHOSEN, ids=lambda space: space.name)


def test_names_may_be_shortened_and_come_in_the_order_of_the_space():
    space = MacroSpace(operations=["identity", "max", "separable_3x3"])
    names = ("separable_convolution_3x3", "max_pooling_3x3", "identity")
    assert space.operations == names
    assert space.searched_operations == tuple(map(MacroOperation.from_label, names))
    assert space == MacroSpace(operations=names)


def test_operations_may_be_given_as_they_are(own):
    space = MicroSpace(operations=[*own, MicroOperation.IDENTITY], stem="cifar")
    assert space.operations == ("identity", "atrous", "zigzag")
    assert MicroSpace.from_json(json.loads(json.dumps(space.to_json()))) == space


@pytest.mark.parametrize("kind", [MacroSpace, MicroSpace, RnnSpace])
def test_all_of_the_default_are_the_default(kind):
    default = kind().searched_operations
    assert kind(operations=[one.label for one in reversed(default)]) == kind()
    assert kind(operations=[one.label for one in default[:2]]) != kind()


@pytest.mark.parametrize(
    ("kind", "operations", "message"),
    [
        (MacroSpace, (), "at least one operation. Choose from: convolution_3x3, separable"),
        (RnnSpace, (), "at least one operation. Choose from: tanh, relu, sigmoid, identity."),
        (MacroSpace, ("identity", "conv"), "'conv' is no operation of this space. Choose from"),
        (MacroSpace, ("conv",), "registered first: by enas_tf.register_operation in Python"),
        (MicroSpace, ("3x3_max",), "'3x3_max' is no operation"),
        (MicroSpace, (3,), "3 is no operation"),
        (RnnSpace, ("elu",), "'elu' is no operation of this space. Choose from: tanh, relu,"),
        (MicroSpace, ("pooling",), "'pooling' fits average_pooling_3x3 and max_pooling_3x3."),
        (MicroSpace, ("max", "max_pooling"), "names max_pooling_3x3 twice. Choose from"),
        (RnnSpace, ("relu", "relu"), "names relu twice"),
    ],
)
def test_what_cannot_be_chosen_is_told_with_the_choices(kind, operations, message):
    with pytest.raises(ConfigurationError, match=message.replace(".", r"\.")):
        kind(operations=operations)


def test_users_have_no_functions_of_recurrent_cells(own):
    with pytest.raises(ConfigurationError, match="'zigzag' is no operation of this space"):
        RnnSpace(operations=("relu", "zigzag"))


@pytest.mark.parametrize("kind", [MacroSpace, MicroSpace])
def test_one_setting_says_which_operations_there_are(kind):
    with pytest.raises(ConfigurationError, match="`operations` or `num_operations`, not both"):
        kind(operations=("identity",), num_operations=3)


def test_ranges_of_channels_take_the_first_operations_only():
    with pytest.raises(ConfigurationError, match="give `num_operations`"):
        MacroSpace(operations=("identity",), search_whole_channels=False)


@chosen
def test_architectures_have_the_chosen_operations_only(space):
    counts = space.operation_counts([space.random_architecture(seed) for seed in range(50)])
    assert tuple(counts) == space.operations
    assert all(np.sum(values) > 0 for values in counts.values())


@chosen
def test_decisions_number_the_operations_of_the_space(space):
    architectures = [space.random_architecture(seed) for seed in range(50)]
    decisions = space.encode(architectures)
    numbers = decisions.functions if space.name == "rnn" else decisions.operations
    assert set(np.unique(numbers)) == set(range(len(space.operations)))
    assert space.decode(decisions) == architectures


@chosen
def test_architectures_with_others_are_refused(space):
    other = space.replace(operations=None)
    architectures = [other.random_architecture(seed) for seed in range(20)]
    with pytest.raises(ArchitectureError, match=f"of this space: {', '.join(space.operations)}"):
        space.encode(architectures)


@chosen
def test_mutations_stay_among_the_operations(space):
    generator = np.random.default_rng(0)
    architecture = space.random_architecture(0)
    for _ in range(50):
        mutated = space.mutate(architecture, generator)
        space.check(mutated)
        assert mutated != architecture
        architecture = mutated


@pytest.mark.parametrize(
    ("space", "number"),
    [
        (MacroSpace(num_layers=3, operations=("identity",)), 2**3),
        (MacroSpace(num_layers=1, operations=("identity",)), 1),
        (MicroSpace(num_nodes=1, operations=("max",)), 2**4),
        (RnnSpace(num_nodes=3, operations=("tanh",)), 6),
        (RnnSpace(num_nodes=1, operations=("tanh",)), 1),
    ],
)
def test_one_operation_alone_leaves_the_other_choices(space, number):
    assert space.num_architectures == number
    architecture = space.random_architecture(0)
    mutated = space.mutate(architecture, np.random.default_rng(0))
    assert (mutated != architecture) == (number > 1)


def test_every_network_of_a_small_space_is_listed():
    space = MacroSpace(num_layers=2, operations=("max", "identity"))
    assert len(space.every_architecture()) == space.num_architectures == 8


def test_integers_are_those_of_the_release_whatever_a_space_leaves_out():
    space = MacroSpace(num_layers=2, operations=("separable_5x5", "identity"))
    architecture = space.architecture_from_release_string("3 | 6 1")
    assert [layer.operation.label for layer in architecture.layers] == [
        "separable_convolution_5x5",
        "identity",
    ]
    assert architecture.to_release_string() == "3 6 1"
    assert space.encode([architecture]).operations.tolist() == [[0, 1]]


def test_an_operation_of_one_s_own_stands_in_release_strings_by_its_name(own):
    macro = MacroArchitecture.from_release_string("zigzag | atrous 1 | identity 0 1")
    assert macro.layers[0].operation == own[0]
    assert macro.to_release_string() == "zigzag atrous 1 6 0 1"
    assert load_architecture("zigzag atrous 1 6 0 1", "macro") == macro
    micro = MicroArchitecture.from_release_string("0 zigzag 1 4 0 0 1 5")
    assert micro.to_release_string() == "0 zigzag 1 4 0 0 1 5"
    assert micro.canonical().normal.nodes[0].operands[0].operation == own[0]
    assert load_architecture("0 zigzag 1 4 0 0 1 5", "micro") == micro


def test_an_operation_of_one_s_own_stands_in_json_by_its_name(own):
    architecture = MacroArchitecture((MacroLayer(own[0]), MacroLayer(MacroOperation(5), (0,))))
    document = json.loads(json.dumps(architecture.to_json()))
    assert [layer["operation"] for layer in document["layers"]] == ["zigzag", "max_pooling_3x3"]
    assert MacroArchitecture.from_json(document) == architecture


@pytest.mark.parametrize("text", ["0 | zigzag 1", "zigzag 1 0"])
def test_an_operation_that_is_not_registered_is_told_with_what_to_do(text):
    message = "Unknown operation 'zigzag'. Known: convolution_3x3.*--operations_module=FILE.py"
    with pytest.raises(ArchitectureError, match=message):
        load_architecture(text, "macro")


def test_where_an_integer_must_stand_a_name_is_refused(own):
    with pytest.raises(
        ArchitectureError, match=r"skip bits must be 0 or 1. Received: \['zigzag'\]"
    ):
        MacroArchitecture.from_release_string("0 | 0 zigzag")
    with pytest.raises(ArchitectureError, match="`input` must be the index of an earlier tensor"):
        MicroArchitecture.from_release_string("zigzag 0 1 4 0 0 1 5")


def test_operations_of_one_s_own_come_last_in_every_order(own):
    zigzag, atrous = own
    both = [zigzag, MicroOperation.IDENTITY, atrous, MicroOperation(0)]
    assert sorted(both) == [MicroOperation(0), MicroOperation.IDENTITY, atrous, zigzag]
    assert zigzag == OwnOperation("zigzag", lambda filters, strides: None)
    assert zigzag != atrous
    assert zigzag != MicroOperation(0)


@pytest.mark.parametrize(
    ("name", "layer", "message"),
    [
        ("Zigzag", blur, "must be lower-case letters"),
        ("3x3", blur, "a letter first"),
        ("", blur, "must be lower-case letters"),
        (None, blur, "must be lower-case letters"),
        ("a" * 41, blur, "40 of them at most"),
        ("identity", blur, r"short for an operation of a space \(identity\)"),
        ("max", blur, r"\(max_pooling_3x3\)"),
        ("dilated", blur, r"\(dilated_convolution_3x3\)"),
        ("zigzag", "blur", "must take filters and strides and return a Keras layer. Received: str"),
    ],
)
def test_what_cannot_be_registered_is_told(name, layer, message):
    with registered(), pytest.raises(ConfigurationError, match=message):
        register_operation(name, layer)


def test_a_module_registers_operations(tmp_path):
    path = tmp_path / "my_operations.py"
    path.write_text(
        "import enas_tf\nenas_tf.register_operation('zigzag', lambda filters, strides: None)\n"
    )
    with registered():
        load_operations(str(path))
        assert MacroDecisionSpace(operations=("zigzag",)).operations == ("zigzag",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "FileNotFoundError"),
        ("x = ", "SyntaxError"),
        ("raise ValueError('no luck')", "ValueError: no luck"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told(text, message, tmp_path):
    path = tmp_path / "my_operations.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        load_operations(str(path))


def test_a_module_that_is_not_there_is_told():
    with pytest.raises(ConfigurationError, match="No module named 'there_is_none'"):
        load_operations("there_is_none")


def test_functions_keep_their_integers():
    space = RnnSpace(num_nodes=2, operations=("relu", "identity"))
    architecture = space.architecture_from_release_string("0 1 1 3")
    functions = [node.function for node in architecture.nodes]
    assert functions == [RnnFunction.RELU, RnnFunction.IDENTITY]
    assert space.encode([architecture]).functions.tolist() == [[0, 1]]
