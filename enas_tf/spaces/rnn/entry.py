"""The rnn space as the rest of the package sees it."""

from enas_tf.settings.arguments import flag_names
from enas_tf.settings.costs import CostConfig
from enas_tf.settings.training import LossConfig
from enas_tf.spaces.entry import TEXTS, SpaceEntry
from enas_tf.spaces.rnn.architecture import RnnArchitecture, RnnFunction, rnn_architecture_from_json
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.drawing import picture_of_rnn
from enas_tf.spaces.rnn.presets import (
    EARLIER_SEARCH_PRESETS,
    RETRAIN_PRESETS,
    SEARCH_PRESETS,
)
from enas_tf.spaces.rnn.published import PUBLISHED
from enas_tf.spaces.rnn.space import RnnSpace


def _nodes(number: int) -> list[str]:
    return [str(node) for node in range(1, number + 1)]


ENTRY = SpaceEntry(
    space=RnnSpace,
    data=TEXTS,
    network=RnnNetworkConfig,
    operations=RnnFunction,
    search_presets=SEARCH_PRESETS,
    earlier_search_presets=EARLIER_SEARCH_PRESETS,
    retrain_presets=RETRAIN_PRESETS,
    published=PUBLISHED,
    from_json=rnn_architecture_from_json,
    from_release_string=RnnArchitecture.from_release_string,
    draw=picture_of_rnn,
    place_names=_nodes,
    places_note="Columns: nodes.",
    # There is no batch normalisation, there are no classes, and all cells of a space have equally
    # many parameters.
    unused_flags=(
        "reward_statistics",
        "derive_statistics",
        "reward_metric",
        "derive_metric",
        *flag_names(LossConfig()),
        *flag_names(CostConfig()),
    ),
)
