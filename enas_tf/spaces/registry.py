"""The search spaces by name: the only list of them.

A new space is a folder of its own with an `entry.py`, and one line here.
"""

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.entry import SpaceEntry
from enas_tf.spaces.macro.entry import ENTRY as MACRO
from enas_tf.spaces.micro.entry import ENTRY as MICRO
from enas_tf.spaces.rnn.entry import ENTRY as RNN

_SPACES: dict[str, SpaceEntry] = {entry.name: entry for entry in (MACRO, MICRO, RNN)}


def space_names() -> tuple[str, ...]:
    """Returns the names of all search spaces."""
    return tuple(_SPACES)


def get_space(name: str) -> SpaceEntry:
    """Returns the search space of a name.

    Raises:
      ConfigurationError: there is none of that name.
    """
    if name not in _SPACES:
        raise ConfigurationError(
            f"`space` must be one of {', '.join(_SPACES)}. Received: space={name!r}."
        )
    return _SPACES[name]


def register(entry: SpaceEntry) -> None:
    """Adds a search space for as long as this process lives.

    Args:
      entry: all that is said of the space; one of the same name is replaced.
    """
    _SPACES[entry.name] = entry
