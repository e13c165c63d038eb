import pytest

from enas_tf.data.texts.dataset import TextData
from enas_tf.errors import ArchitectureError, ConfigurationError, DataError
from enas_tf.final_training import api
from enas_tf.final_training.api import retrain
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import RetrainConfig, TextRetrainConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.published import ENAS_MICRO_RELEASE
from enas_tf.spaces.registry import get_space
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture


@pytest.mark.parametrize(
    ("kind", "architecture"),
    [
        ("images", MacroArchitecture.from_release_string("3")),
        ("images", ENAS_MICRO_RELEASE),
        ("texts", RnnArchitecture.from_release_string("0 2")),
        ("texts", LstmBaseline()),
    ],
)
def test_the_data_of_the_space_say_what_is_trained(kind, architecture, monkeypatch):
    entry = get_space(architecture.space_name)
    data = entry.space().random_data(SearchConfig())
    config, network = entry.retrain_presets["smoke"].retrain, entry.network()

    class Recorded:
        config_class = type(config)

        def __init__(self, *arguments):
            self.arguments = arguments[:-1]

        def run(self, output_dir, **options):
            return self.arguments, output_dir, options["overwrite"]

    monkeypatch.setattr(api, "_TRAININGS", {kind: Recorded})
    recorded = retrain(architecture, data, config, network, "folder", overwrite=True)
    assert recorded == ((architecture, data, config, network), "folder", True)


def test_what_is_no_architecture_is_refused():
    with pytest.raises(ArchitectureError, match="Received: str"):
        retrain("0 3 1", None)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"config": RetrainConfig()}, ConfigurationError, "be a TextRetrainConfig. Rec.* RetrainC"),
        ({"network": MicroNetworkConfig()}, ConfigurationError, "`network` must be a RnnNetworkC"),
        ({"data": ([0, 1], [0, 1])}, DataError, "needs a TextData.*Received: tuple"),
    ],
)
def test_what_belongs_to_other_networks_is_refused(options, error, message):
    options = {"data": TextData.random(9, rows=2), "config": TextRetrainConfig(), **options}
    with pytest.raises(error, match=message):
        retrain(LstmBaseline(), **options)
