"""Settings as arguments of a command line: which flags they have, and how these are written."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from enas_tf.settings.groups import Group
from enas_tf.settings.setting import Settings, field_types


class Leaf(NamedTuple):
    """A setting that is no section, and its flag."""

    flag: str
    group: Group | None
    annotation: Any
    value: Any
    metadata: Mapping[str, Any]


def leaves(settings: Settings, prefix: str = "", group: Group | None = None) -> Iterator[Leaf]:
    """Returns the settings, those of sections too, that have flags.

    Args:
      settings: a value.
      prefix: goes before the names of the flags.
      group: of those settings that name none, nor does their section.
    """
    for name, annotation in field_types(type(settings)).items():
        value, metadata = getattr(settings, name), settings.__dataclass_fields__[name].metadata
        its_group = metadata["group"] or group
        if isinstance(value, Settings):
            yield from leaves(value, prefix + metadata.get("prefix", ""), its_group)
        elif metadata["flag"]:
            yield Leaf(prefix + name, its_group, annotation, value, metadata)


def flag_names(settings: Settings) -> list[str]:
    """Returns the names of the flags of some settings."""
    return [leaf.flag for leaf in leaves(settings)]


def differing_arguments(settings: Settings, base: Settings) -> list[str]:
    """Returns the arguments of a command line that turn `base` into `settings`."""
    pairs = zip(leaves(settings), leaves(base))
    return [f"--{new.flag}={shown(new.value)}" for new, old in pairs if new.value != old.value]


def shown(value: Any) -> str:
    """Returns a value as it is written behind its flag."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(shown, value))
    if isinstance(value, float):
        return repr(value)
    return "none" if value is None else str(value)
