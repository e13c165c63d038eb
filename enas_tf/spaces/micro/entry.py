"""The micro space as the rest of the package sees it."""

from typing import TYPE_CHECKING

from enas_tf.spaces.entry import IMAGES, SpaceEntry
from enas_tf.spaces.micro.architecture import MicroArchitecture, MicroOperation
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.drawing import picture_of_micro
from enas_tf.spaces.micro.presets import (
    EARLIER_SEARCH_PRESETS,
    RETRAIN_PRESETS,
    SEARCH_PRESETS,
)
from enas_tf.spaces.micro.published import PUBLISHED
from enas_tf.spaces.micro.space import MicroSpace

if TYPE_CHECKING:
    from enas_tf.spaces.images.network_form import NetworkForm


def _network_form() -> "NetworkForm":
    from enas_tf.spaces.micro.network import FORM

    return FORM


def _operands(number: int) -> list[str]:
    """Returns names like `N0a`: the operands of the normal cell's nodes, then the reduction's."""
    half = number // 2
    return [f"{'NR'[place // half]}{place % half // 2}{'ab'[place % 2]}" for place in range(number)]


ENTRY = SpaceEntry(
    space=MicroSpace,
    data=IMAGES,
    network=MicroNetworkConfig,
    operations=MicroOperation,
    search_presets=SEARCH_PRESETS,
    earlier_search_presets=EARLIER_SEARCH_PRESETS,
    retrain_presets=RETRAIN_PRESETS,
    published=PUBLISHED,
    from_json=MicroArchitecture.from_json,
    from_release_string=MicroArchitecture.from_release_string,
    draw=picture_of_micro,
    place_names=_operands,
    places_note="Columns: N the normal cell, R the reduction cell; node; operand a or b.",
    network_form=_network_form,
)
