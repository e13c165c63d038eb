from enas_tf.drawing.picture import Picture, Rectangle, Text
from enas_tf.drawing.style import operation_colours, operation_name
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import RetrainConfig
from enas_tf.spaces.entry import IMAGES, SpaceEntry
from enas_tf.spaces.presets import (
    DIGITS,
    SMOKE_TRAINING,
    RetrainPreset,
    SearchPreset,
)
from tests.conformance.chain.architecture import ChainArchitecture, ChainOperation
from tests.conformance.chain.space import ChainNetworkConfig, ChainSpace

_PRESETS = ("default", "release", "paper", "nas", "smoke")
_SEARCH = SearchPreset(
    "A chain.", ChainSpace(), DIGITS, SearchConfig(shared_weights=SMOKE_TRAINING)
)
_RETRAIN = RetrainPreset(
    "A chain.", ChainNetworkConfig(), DIGITS, RetrainConfig(training=SMOKE_TRAINING)
)


def _draw(architecture):
    shapes = []
    for layer, operation in enumerate(architecture.operations):
        top = 30.0 * layer
        shapes.append(Rectangle(10.0, top, 180.0, 24.0, *operation_colours(operation)))
        shapes.append(Text(100.0, top + 12.0, operation_name(operation), anchor="middle"))
    return Picture(200.0, 30.0 * len(architecture.operations), shapes, "A chain")


def _network_form():
    from tests.conformance.chain.network import FORM

    return FORM


ENTRY = SpaceEntry(
    space=ChainSpace,
    data=IMAGES,
    network=ChainNetworkConfig,
    operations=ChainOperation,
    search_presets=dict.fromkeys(_PRESETS, _SEARCH),
    retrain_presets=dict.fromkeys(_PRESETS, _RETRAIN),
    published={"chain_identity": ChainArchitecture((ChainOperation.IDENTITY,) * 3)},
    from_json=ChainArchitecture.from_json,
    from_release_string=ChainArchitecture.from_release_string,
    draw=_draw,
    place_names=lambda number: [f"layer {place}" for place in range(number)],
    places_note="Columns: layers of the chain.",
    network_form=_network_form,
)
