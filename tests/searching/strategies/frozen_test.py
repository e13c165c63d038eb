from enas_tf.searching.strategies import build_strategy
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.macro.space import MacroSpace

SPACE = MacroSpace(num_layers=3, filters=4)


def test_rewards_change_nothing_of_what_is_proposed():
    proposals = []
    for reward in (0.0, 1.0):
        strategy = build_strategy("frozen", SPACE, SearchConfig(strategy="frozen"))
        strategy.observe(strategy.propose(4), [reward] * 4)
        proposals.append(list(strategy.propose(4)))
    assert proposals[0] == proposals[1]


def test_it_proposes_what_an_untrained_controller_does():
    strategies = [build_strategy(name, SPACE, SearchConfig()) for name in ("frozen", "reinforce")]
    first, second = (list(strategy.propose(4)) for strategy in strategies)
    assert first == second
