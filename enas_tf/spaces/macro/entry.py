"""The macro space as the rest of the package sees it."""

from typing import TYPE_CHECKING

from enas_tf.spaces.entry import IMAGES, SpaceEntry
from enas_tf.spaces.macro.architecture import (
    MacroArchitecture,
    MacroOperation,
    macro_architecture_from_json,
)
from enas_tf.spaces.macro.config import MacroNetworkConfig, check_network, fit_network
from enas_tf.spaces.macro.drawing import picture_of_macro
from enas_tf.spaces.macro.presets import (
    EARLIER_SEARCH_PRESETS,
    RETRAIN_PRESETS,
    SEARCH_PRESETS,
)
from enas_tf.spaces.macro.published import PUBLISHED
from enas_tf.spaces.macro.space import MacroSpace

if TYPE_CHECKING:
    from enas_tf.spaces.images.network_form import NetworkForm


def _network_form() -> "NetworkForm":
    from enas_tf.spaces.macro.network import FORM

    return FORM


def _layers(number: int) -> list[str]:
    return [str(layer) for layer in range(number)]


ENTRY = SpaceEntry(
    space=MacroSpace,
    data=IMAGES,
    network=MacroNetworkConfig,
    operations=MacroOperation,
    search_presets=SEARCH_PRESETS,
    earlier_search_presets=EARLIER_SEARCH_PRESETS,
    retrain_presets=RETRAIN_PRESETS,
    published=PUBLISHED,
    from_json=macro_architecture_from_json,
    from_release_string=MacroArchitecture.from_release_string,
    draw=picture_of_macro,
    place_names=_layers,
    places_note="Columns: layers.",
    network_form=_network_form,
    check_network=check_network,
    fit_network=fit_network,
)
