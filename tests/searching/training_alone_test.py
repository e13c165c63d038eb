import pytest

from enas_tf.searching.training_alone import TrainingAlone
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import TrainingConfig
from tests.conformance.spaces import CASES

EPOCHS = 2


def _training_alone(case):
    space, data = case.space(), case.data()
    config = SearchConfig(
        shared_weights=TrainingConfig(
            epochs=EPOCHS, batch_size=8, learning_rate=0.1, restart_epochs=0
        )
    )
    streams = data.search_streams(batch_size=8, reward_batch_size=8, seed=0)
    return TrainingAlone(space, config, streams)


# The first form of every space, the cells of pictures only in the long form.
FIRST = {case.entry.name: case for case in reversed(CASES)}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=str(case), marks=pytest.mark.long if name == "micro" else ())
        for name, case in FIRST.items()
    ],
)
def test_what_comes_of_an_architecture_depends_on_it_and_the_seed_alone(case):
    first, other = (case.space().random_architecture(seed) for seed in (0, 1))
    alone = _training_alone(case)

    def trained(architecture, seed=0):
        scores = alone.train(architecture, seed)
        assert len(scores) == EPOCHS
        return [
            scores,
            *(variable.numpy().tobytes() for variable in alone.weights.supernet.weights),
        ]

    start = trained(first)
    trained(other)
    assert trained(first) == start
    assert trained(first, seed=1) != start
