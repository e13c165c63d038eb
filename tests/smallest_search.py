"""A search of whole networks as small as one can be."""

from enas_tf.settings.search import SearchConfig
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.macro.config import MacroControllerConfig
from enas_tf.spaces.macro.space import MacroSpace

SPACE = MacroSpace(
    num_layers=2,
    filters=2,
    input_shape=(4, 4, 1),
    num_classes=2,
    num_operations=2,
    controller=MacroControllerConfig(lstm_size=4),
)
CONFIG = SearchConfig(
    shared_weights=TrainingConfig(batch_size=6), policy=PolicyConfig(samples_per_update=2)
)
