"""Settings: frozen dataclasses whose fields carry their own help text and permitted values.

A setting is written once, as a field of a `Settings` dataclass. Validation, the JSON of a run, the
command-line flags and the tables of the documentation are all made from that field.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any

from typing_extensions import Self

from enas_tf.errors import ConfigurationError
from enas_tf.settings.groups import Group

# TensorFlow holds most of them in 32 bits; those that it does not have a maximum of their own.
_LARGEST_INTEGER = 2**31 - 1


def setting(
    default: Any,
    help: str,  # noqa: A002 (the word users of flag libraries know)
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
    choices: tuple[Any, ...] | None = None,
    group: Group | None = None,
    flag: bool = True,
    before: Any = None,
    is_open: bool = False,
) -> Any:
    """Declares one field of a `Settings` dataclass.

    Args:
      default: the value when nothing is given.
      help: one sentence for `--help` and the documentation, with the unit.
      minimum: smallest permitted value.
      above: bound that the value must exceed.
      maximum: largest permitted value.
      below: bound that the value must stay under.
      choices: the permitted values.
      group: the question that the setting answers (default: that of its section).
      flag: whether a command offers this setting as a flag.
      before: what holds for those who wrote their settings down before there was this one. Default:
        `default`.
      is_open: whether Python programs know values besides the choices, which are then checked where
        they are used; a command line has the choices alone.

    Returns:
      A `dataclasses.field`.
    """
    bounds = {"minimum": minimum, "above": above, "maximum": maximum, "below": below}
    metadata = {"help": help, "choices": choices, "group": group, "flag": flag, "before": before}
    metadata["is_open"] = is_open
    return dataclasses.field(default=default, metadata={**metadata, **bounds})


def section(default: "Settings", prefix: str = "", group: Group | None = None) -> Any:
    """Declares a field that holds further settings.

    Args:
      default: the settings when nothing is given.
      prefix: goes before the flag names of the section's settings.
      group: of those of its settings that name none (default: that of what the section is in).

    Returns:
      A `dataclasses.field`.
    """
    return dataclasses.field(default=default, metadata={"prefix": prefix, "group": group})


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base of the settings dataclasses: checked when made, and readable from and to JSON."""

    def __post_init__(self) -> None:
        for name, annotation in field_types(type(self)).items():
            field = self.__dataclass_fields__[name]
            value = _coerce(getattr(self, name), annotation)
            object.__setattr__(self, name, value)
            _check_type(name, value, annotation)
            is_open = field.metadata.get("is_open")
            limits = {**field.metadata, "choices": None} if is_open else field.metadata
            check_value(name, value, limits)

    def replace(self, **changes: Any) -> Self:
        """Returns a copy with some settings changed; an unknown name is a `ConfigurationError`."""
        unknown = sorted(set(changes) - set(field_types(type(self))))
        if unknown:
            raise ConfigurationError(
                f"{type(self).__name__} has no setting {unknown[0]!r}. "
                f"Known settings: {', '.join(field_types(type(self)))}."
            )
        return dataclasses.replace(self, **changes)

    def resolved(self) -> Self:
        """Returns the settings with what their defaults stand for, as runs write them down."""
        return self

    def to_json(self) -> dict[str, Any]:
        """Returns the settings as a dictionary that JSON can hold."""
        result = {}
        for name in field_types(type(self)):
            value = getattr(self, name)
            if isinstance(value, Settings):
                value = value.to_json()
            elif isinstance(value, tuple):
                value = list(value)
            result[name] = value
        return result

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Makes the settings from what `to_json` wrote, earlier perhaps; it must know all keys."""
        converted = {}
        for name, value in values.items():
            annotation = field_types(cls).get(name)
            if isinstance(annotation, type) and issubclass(annotation, Settings):
                value = annotation.from_json(value) if isinstance(value, Mapping) else value
            converted[name] = value
        return cls()._as_before().replace(**converted)

    def _as_before(self) -> Self:
        """Returns the settings, sections too, of those who knew none that came later."""
        changes = {}
        for field in dataclasses.fields(self):
            value, before = getattr(self, field.name), field.metadata.get("before")
            if isinstance(value, Settings):
                changes[field.name] = value._as_before()
            elif before is not None:
                changes[field.name] = before
        return self.replace(**changes)


def field_types(cls: type[Settings]) -> dict[str, Any]:
    """Returns the resolved type of each field of a settings class, in the order written."""
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """Returns the types that an annotation admits, taking unions apart."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return typing.get_args(annotation)
    return (annotation,)


def _coerce(value: Any, annotation: Any) -> Any:
    kinds = alternatives(annotation)
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if is_integer and float in kinds and int not in kinds:
        return float(value)
    if isinstance(value, list) and any(typing.get_origin(kind) is tuple for kind in kinds):
        return tuple(value)
    return value


def _check_type(name: str, value: Any, annotation: Any) -> None:
    for kind in alternatives(annotation):
        origin = typing.get_origin(kind) or kind
        if origin is type(None) and value is None:
            return
        if isinstance(value, bool) and origin is not bool:
            continue
        if isinstance(origin, type) and isinstance(value, origin):
            return
    names = " or ".join(
        "None" if kind is type(None) else getattr(kind, "__name__", str(kind))
        for kind in alternatives(annotation)
    )
    raise ConfigurationError(f"`{name}` must be {names}. Received: {name}={value!r}.")


def check_value(name: str, value: Any, metadata: Mapping[str, Any]) -> None:
    """Raises `ConfigurationError` unless a value lies within what a field's metadata permit.

    Args:
      name: what the message calls the value.
      value: of the field's type.
      metadata: made by `setting`.
    """
    if value is None or isinstance(value, Settings):
        return
    choices = metadata.get("choices")
    if choices is not None and value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ConfigurationError(f"`{name}` must be one of {listed}. Received: {name}={value!r}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigurationError(f"`{name}` must be a finite number. Received: {name}={value!r}.")
    is_bounded = metadata.get("maximum") is not None
    if isinstance(value, int) and not is_bounded and abs(value) > _LARGEST_INTEGER:
        raise ConfigurationError(
            f"`{name}` must be at most {_LARGEST_INTEGER}. Received: {name}={value!r}."
        )
    comparisons = (
        ("minimum", "at least", lambda bound: value >= bound),
        ("above", "greater than", lambda bound: value > bound),
        ("maximum", "at most", lambda bound: value <= bound),
        ("below", "less than", lambda bound: value < bound),
    )
    for key, words, holds in comparisons:
        bound = metadata.get(key)
        if bound is not None and not holds(bound):
            raise ConfigurationError(
                f"`{name}` must be {words} {bound}. Received: {name}={value!r}."
            )
