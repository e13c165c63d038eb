"""Every strategy in every space, with architectures that are trained alone."""

import json

import pytest

from enas_tf.runs.contents import EVALUATIONS
from enas_tf.searching.api import search
from enas_tf.searching.strategies import STRATEGIES
from enas_tf.searching.training_alone import TrainingAlone
from enas_tf.settings.search import TrainedConfig
from enas_tf.settings.strategies import EvolutionConfig, SurrogateConfig
from tests.conformance.spaces import CASES, SEARCH
from tests.searching.interruptions import at_once, interrupting

pytestmark = pytest.mark.long

TRAINED = SEARCH.replace(
    evaluation="trained",
    trained=TrainedConfig(epochs=2, best_of_epochs=1),
    # Small enough that each strategy learns before the end.
    evolution=EvolutionConfig(population_size=3, tournament_size=2),
    surrogate=SurrogateConfig(num_initial=2, num_trees=3, pool_size=6),
)


def outcome(result):
    """What a search found and what it was told, without times."""
    rows = result.run.file(EVALUATIONS).read_text().splitlines()
    ranking = [(one.architecture, one.score) for one in result.candidates]
    return ranking, [json.loads(row) for row in rows]


# The made-up space is registered by the other tests only.
@pytest.mark.parametrize("case", [case for case in CASES if case.entry.name != "chain"], ids=str)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_interrupted_search_ends_like_the_other_one(case, strategy, tmp_path, monkeypatch):
    space, data, config = case.space(), case.data(), TRAINED.replace(strategy=strategy)
    whole = search(space, data, config, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(TrainingAlone, "train", interrupting(TrainingAlone.train, 4, at_once))
        with pytest.raises(KeyboardInterrupt):
            search(space, data, config, tmp_path / "run")
    assert outcome(search(space, data, config, tmp_path / "run")) == outcome(whole)
