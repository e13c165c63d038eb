import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.space import RnnSpace

SMALL = {
    # Operations of every layer, and skips 1 <- 0, 2 <- 0, 2 <- 1.
    MacroSpace(num_layers=3, num_operations=3): 3**3 * 2**3,
    # In either cell an unordered pair of 2 inputs x 3 operations.
    MicroSpace(num_nodes=1, num_operations=3): (6 * 7 // 2) ** 2,
    RnnSpace(num_nodes=3): 6 * 4**3,
}


@pytest.mark.parametrize(("space", "number"), SMALL.items(), ids=lambda value: str(value)[:5])
def test_every_network_is_listed_once(space, number):
    architectures = space.every_architecture()
    assert len(architectures) == number == len(set(architectures))
    assert all(space.random_architecture(seed).canonical() in architectures for seed in range(30))


def test_too_large_a_space_is_refused():
    with pytest.raises(ConfigurationError, match="at most 5,000"):
        MacroSpace().every_architecture()


def test_ranges_of_channels_are_refused():
    with pytest.raises(ConfigurationError, match="search_whole_channels"):
        MacroSpace(
            num_layers=1, filters=2, num_operations=2, search_whole_channels=False
        ).every_architecture()
