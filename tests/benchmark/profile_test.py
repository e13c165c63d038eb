import json

import pytest

from enas_tf.benchmark.profile import measure_operations
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.macro.space import MacroSpace

SPACE = MacroSpace(
    num_layers=1, filters=2, input_shape=(4, 4, 1), num_classes=2, num_operations=1, stem="cifar"
)
CONFIG = SearchConfig(shared_weights=TrainingConfig(batch_size=6))


def test_one_step_is_recorded():
    results = measure_operations(SPACE, CONFIG, repeats=1)
    operations = {one["kind"]: one for one in results["operations"]}
    # One loss; of the stem and of the layer's 3 x 3 convolution one gradient each, where that of
    # 1 x 1 pixels is a product of matrices.
    assert operations["SparseSoftmaxCrossEntropyWithLogits"]["calls"] == 1
    assert operations["Conv2DBackpropFilter"]["calls"] == 2
    assert sum(one["share"] for one in operations.values()) == pytest.approx(1.0)
    seconds = sum(one["seconds"] for one in operations.values())
    assert results["operation_seconds"] == pytest.approx(seconds)
    assert 0.0 < seconds < 4 * results["recorded_step_seconds"]
    assert json.loads(json.dumps(results)) == results
