import io
import xml.etree.ElementTree as ElementTree

import pytest
from PIL import Image

from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.reporting.drawing import draw_architecture, write_drawing
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.published import ENAS_MACRO_RELEASE
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.published import ENAS_MICRO_RELEASE
from enas_tf.spaces.rnn.published import ENAS_RNN_RELEASE
from tests.drawing.svg import SVG, boxes_of, sheet_of, texts_of, titles_of

THREE_LAYERS = MacroArchitecture.from_release_string("0 | 3 1 | 5 0 1")
SPACES = pytest.mark.parametrize(
    "architecture",
    [THREE_LAYERS, ENAS_MICRO_RELEASE, ENAS_RNN_RELEASE],
    ids=["macro", "micro", "rnn"],
)


def test_every_layer_is_a_box_with_its_operation():
    titles = titles_of(draw_architecture(THREE_LAYERS))
    expected = ["convolution_3x3", "separable_convolution_5x5", "max_pooling_3x3"]
    assert [t for t in titles if t.startswith("layer")] == [
        f"layer {index}: {label}" for index, label in enumerate(expected)
    ]


def test_every_skip_connection_is_an_arc_from_a_layers_input():
    titles = titles_of(draw_architecture(THREE_LAYERS))
    assert [t for t in titles if t.startswith("input")] == [
        "input of layer 0 to layer 1",
        "input of layer 1 to layer 2",
    ]


def test_the_24_layers_of_the_release_are_complete():
    titles = titles_of(draw_architecture(ENAS_MACRO_RELEASE))
    arcs = {t for t in titles if t.startswith("input")}
    assert len([t for t in titles if t.startswith("layer")]) == 24
    assert arcs == {
        f"input of layer {source} to layer {index}"
        for index, layer in enumerate(ENAS_MACRO_RELEASE.layers)
        for source in layer.skip_connections
    }


def test_a_layer_and_its_skips_are_lit_up_together():
    root = ElementTree.fromstring(draw_architecture(ENAS_MACRO_RELEASE))
    groups = root.findall(f"{SVG}g")
    assert len(groups) == ENAS_MACRO_RELEASE.num_layers
    for index, (group, layer) in enumerate(zip(groups, ENAS_MACRO_RELEASE.layers)):
        titles = [element.text for element in group.iter(f"{SVG}title")]
        assert titles == [
            *(f"input of layer {source} to layer {index}" for source in layer.skip_connections),
            f"layer {index}: {layer.operation.label}",
        ]
        assert f".{group.get('class')}:hover" in root.findtext(f"{SVG}style")


def test_the_legend_names_only_operations_in_use():
    texts = texts_of(draw_architecture(MacroArchitecture.from_release_string("4")))
    assert "average pooling 3x3" in texts
    assert "max pooling 3x3" not in texts


@pytest.mark.parametrize(
    ("input_shape", "reductions"), [((32, 32, 3), 2), ((8, 8, 1), 1), ((4, 4, 1), 0)]
)
def test_reductions_follow_the_size_of_the_pictures(input_shape, reductions):
    svg = draw_architecture(THREE_LAYERS, input_shape=input_shape)
    assert texts_of(svg).count("height, width / 2") == reductions


def test_the_channel_form_has_a_bar_for_every_branch():
    space = MacroSpace(num_layers=4, filters=8, search_whole_channels=False)
    architecture = space.random_architecture(seed=0)
    titles = titles_of(draw_architecture(architecture))
    bars = [t for t in titles if ": channels " in t]
    first = architecture.layers[0].branches[0]
    last = first.start + first.count - 1
    assert len(bars) == 4 * 6
    assert bars[0] == f"convolution_3x3: channels {first.start} to {last}"


def test_one_layer_can_be_drawn():
    assert titles_of(draw_architecture(MacroArchitecture.from_release_string("0")))


def test_everything_lies_on_the_sheet():
    svg = draw_architecture(ENAS_MACRO_RELEASE)
    width, height = sheet_of(svg)
    for left, top, right, bottom, _ in boxes_of(svg):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


@SPACES
def test_svg_is_written(architecture, tmp_path):
    path = write_drawing(architecture, tmp_path / "a.svg")
    assert path.read_text() == draw_architecture(architecture)


@SPACES
def test_png_shows_the_same_sheet_at_twice_the_size(architecture, tmp_path):
    path = write_drawing(architecture, tmp_path / "a.png")
    width, height = sheet_of(draw_architecture(architecture))
    assert Image.open(io.BytesIO(path.read_bytes())).size == (2 * width, 2 * height)


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"must end in \.svg or \.png"):
        write_drawing(THREE_LAYERS, tmp_path / "a.pdf")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(RunDirectoryError, match="no such file or directory"):
        write_drawing(THREE_LAYERS, tmp_path / "none" / "a.svg")


def test_the_path_of_a_drawing_may_begin_with_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert write_drawing(THREE_LAYERS, "~/a.svg") == tmp_path / "a.svg"
    assert (tmp_path / "a.svg").is_file()
