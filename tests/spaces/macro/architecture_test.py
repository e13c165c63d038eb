import pytest

from enas_tf.errors import ArchitectureError
from enas_tf.spaces.macro.architecture import (
    ChannelRange,
    MacroArchitecture,
    MacroChannelArchitecture,
    MacroChannelLayer,
    MacroLayer,
    MacroOperation,
    macro_architecture_from_json,
)

TEXT = "0 3 0 5 1 1"
ARCHITECTURE = MacroArchitecture(
    (
        MacroLayer(MacroOperation.CONVOLUTION_3X3),
        MacroLayer(MacroOperation.SEPARABLE_CONVOLUTION_5X5),
        MacroLayer(MacroOperation.MAX_POOLING_3X3, (0, 1)),
    )
)
CHANNEL_TEXT = "0 1 2 2 1 3 0 2 1"
CHANNEL_ARCHITECTURE = MacroChannelArchitecture(
    (
        MacroChannelLayer((ChannelRange(0, 1), ChannelRange(2, 2))),
        MacroChannelLayer((ChannelRange(1, 3), ChannelRange(0, 2)), (0,)),
    ),
    channels=4,
)
BOTH = pytest.mark.parametrize("architecture", [ARCHITECTURE, CHANNEL_ARCHITECTURE])


def channels_of(text):
    return MacroChannelArchitecture.from_release_string(text, num_branches=2, channels=4)


def test_operations_have_the_numbers_of_the_release():
    assert [operation.label for operation in MacroOperation] == [
        "convolution_3x3",
        "separable_convolution_3x3",
        "convolution_5x5",
        "separable_convolution_5x5",
        "average_pooling_3x3",
        "max_pooling_3x3",
        # Not of the release.
        "identity",
    ]


def test_properties_of_operations():
    assert [operation.kernel_size for operation in MacroOperation] == [3, 3, 5, 5, 3, 3, 1]
    assert [int(o) for o in MacroOperation if o.is_pooling] == [4, 5]
    assert [int(o) for o in MacroOperation if o.is_separable] == [1, 3]


@pytest.mark.parametrize("operation", MacroOperation)
def test_an_operation_is_found_by_its_label(operation):
    assert MacroOperation.from_label(operation.label) is operation


def test_release_string_both_ways():
    assert MacroArchitecture.from_release_string(TEXT) == ARCHITECTURE
    assert ARCHITECTURE.to_release_string() == TEXT


def test_release_string_with_channels_both_ways():
    assert channels_of(CHANNEL_TEXT) == CHANNEL_ARCHITECTURE
    assert CHANNEL_ARCHITECTURE.to_release_string() == CHANNEL_TEXT


@pytest.mark.parametrize("text", ["0 | 3 0 | 5 1 1", "0,3,0,5,1,1", "  0\n3 0\t5 1 1 "])
def test_bars_commas_and_blanks_separate(text):
    assert MacroArchitecture.from_release_string(text) == ARCHITECTURE


def test_twelve_layers_are_78_integers():
    text = " ".join(["0"] * 78)
    assert MacroArchitecture.from_release_string(text).num_layers == 12


def test_json_speaks_in_words():
    assert ARCHITECTURE.to_json()["layers"][2] == {
        "operation": "max_pooling_3x3",
        "skip_connections": [0, 1],
    }


def test_counts():
    assert (ARCHITECTURE.num_layers, ARCHITECTURE.num_skip_connections) == (3, 2)
    assert (CHANNEL_ARCHITECTURE.num_layers, CHANNEL_ARCHITECTURE.num_skip_connections) == (2, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("0 1.5", "must be integers"),
        ("0 1", "1 layers take 1, 2 layers take 3"),
        ("0 1 0 2", "2 layers take 3, 3 layers take 6"),
        ("7", "Layer 0: An operation must be an integer from 0 to 6"),
        ("-1", "Layer 0: An operation"),
        ("0 7 0", "Layer 1: An operation"),
        ("0 1 2", "Layer 1: skip bits must be 0 or 1"),
    ],
)
def test_a_bad_release_string_is_refused(text, message):
    with pytest.raises(ArchitectureError, match=message):
        MacroArchitecture.from_release_string(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1", "integers fit no number of layers"),
        ("0 0 0 1", "Layer 0: a branch must have 1 to 3 channels"),
        ("0 4 0 1", "Layer 0: a branch must have 1 to 3 channels"),
        ("-1 1 0 1", "Received: start -1, count 1"),
        ("3 2 0 1", "Received: start 3, count 2"),
        ("0 1 0 1 0 1 0 1 2", "Layer 1: skip bits"),
    ],
)
def test_a_bad_release_string_with_channels_is_refused(text, message):
    with pytest.raises(ArchitectureError, match=message):
        channels_of(text)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ({}, "must have a list `layers`"),
        ({"layers": []}, "at least one layer"),
        ({"layers": ["convolution_3x3"]}, "Layer 0 must be an object with the keys"),
        ({"layers": [{"operation": "convolution_3x3"}]}, "Layer 0 must be an object"),
        (
            {"layers": [{"operation": "convolution", "skip_connections": []}]},
            "Layer 0: Unknown operation 'convolution'",
        ),
        (
            {"layers": [{"operation": "convolution_3x3", "skip_connections": [0]}]},
            "Layer 0 has no skip connections",
        ),
        (
            {"layers": [{"operation": "convolution_3x3", "skip_connections": "0"}]},
            "must be a list of integers",
        ),
        (
            {"channels": 4, "layers": [{"branches": [{"start": 0}], "skip_connections": []}]},
            "`branches` must be a list of objects",
        ),
        ({"channels": "4", "layers": []}, "`channels` must be an integer"),
    ],
)
def test_bad_json_is_refused(value, message):
    with pytest.raises(ArchitectureError, match=message):
        macro_architecture_from_json(value)


@pytest.mark.parametrize("sources", [(2,), (-1,), (1, 0), (0, 0), (True,), (0.0,), ("0",)])
def test_bad_skip_connections_are_refused(sources):
    first = MacroLayer(MacroOperation.CONVOLUTION_3X3)
    last = MacroLayer(MacroOperation.CONVOLUTION_3X3, sources)
    with pytest.raises(ArchitectureError, match="Layer 2: `skip_connections` must be ascending"):
        MacroArchitecture((first, first, last))


def test_an_operation_must_be_typed():
    with pytest.raises(ArchitectureError, match="Layer 0: `operation` must be a MacroOperation"):
        MacroArchitecture((MacroLayer(0),))


def test_layers_have_the_same_number_of_branches():
    layers = CHANNEL_ARCHITECTURE.layers
    shorter = MacroChannelLayer(layers[1].branches[:1])
    with pytest.raises(ArchitectureError, match="Layer 1: expected the same number of branches"):
        MacroChannelArchitecture((layers[0], shorter), channels=4)
