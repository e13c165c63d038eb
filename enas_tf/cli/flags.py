"""Command-line flags made from settings.

A command's flags live in a `FlagValues` of their own, so that neither absl nor any library adds to
them: `--help` shows what the command has, and everything else is an unknown flag.
"""

import math
import shutil
import sys
import textwrap
import types
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, TypeVar

from absl import flags

import enas_tf
from enas_tf.cli.flag_files import with_flag_files
from enas_tf.errors import ConfigurationError
from enas_tf.settings.setting import Settings, alternatives, check_value, field_types

_HELP = ("-h", "-help", "--help", "--helpshort", "--helpfull")
_BOOLEANS = {
    **dict.fromkeys(("yes", "true", "t", "1"), True),
    **dict.fromkeys(("no", "false", "f", "0"), False),
}
_NO_BOUNDS: Mapping[str, Any] = types.MappingProxyType({})

SettingsType = TypeVar("SettingsType", bound=Settings)


class MisplacedFlagError(ConfigurationError):
    """A flag that there is, but not here: `elsewhere` of `CommandFlags` says where."""


class CommandFlags:
    """The flags of one command.

    ```python
    command = CommandFlags("enas-search", "Searches an architecture.")
    command.add("Run", "output_dir", str, None, "Folder of the run.")
    command.add_settings("Data", preset.data)
    command.parse(argv)
    data = command.settings(preset.data)
    ```
    """

    def __init__(self, name: str, summary: str, elsewhere: Mapping[str, str] | None = None):
        """Makes a command without flags.

        Args:
          name: of the program.
          summary: what `--help` says first.
          elsewhere: for flags that the command does not have but users may expect: where they
            belong.
        """
        self.name = name
        self.summary = summary
        self._elsewhere = elsewhere or {}
        self._values = flags.FlagValues()
        self._values.set_gnu_getopt(True)
        self._groups: dict[str, list[_FlagInfo]] = {}

    def add(
        self,
        group: str,
        name: str,
        annotation: Any,
        default: Any,
        help: str,  # noqa: A002 (the word users of flag libraries know)
        *,
        required: bool = False,
        metadata: Mapping[str, Any] = _NO_BOUNDS,
    ) -> None:
        """Adds one flag.

        Args:
          group: heading in `--help`.
          name: of the flag.
          annotation: type of the value, for example `int | None`.
          default: the value when the flag is not given.
          help: one sentence.
          required: whether the flag must be given.
          metadata: bounds and choices, as in the metadata of a `setting`.
        """
        parser = _Parser(name, annotation, metadata)
        is_boolean = bool in alternatives(annotation)
        flag = flags.Flag(
            parser,
            flags.ArgumentSerializer(),
            name,
            None,
            help,
            boolean=is_boolean,
        )
        # Set directly, since a default need not pass through its text.
        flag.value = flag.default = default
        self._values[name] = flag
        info = _FlagInfo(name, parser, default, help, required)
        self._groups.setdefault(group, []).append(info)

    def add_settings(
        self, group: str, settings: Settings, prefix: str = "", exclude: Collection[str] = ()
    ) -> None:
        """Adds a flag for every setting of a value, and of its sections.

        Args:
          group: heading in `--help`.
          settings: gives the defaults that `--help` shows.
          prefix: goes before the names of the flags.
          exclude: flags that the command does not offer.
        """
        for leaf in _leaves(settings, prefix):
            if leaf.flag not in exclude:
                self.add(
                    group,
                    leaf.flag,
                    leaf.annotation,
                    leaf.value,
                    leaf.metadata["help"],
                    metadata=leaf.metadata,
                )

    def parse(self, argv: Sequence[str]) -> None:
        """Reads the command line; `--help` and `--version` print and leave with `SystemExit`.

        Args:
          argv: the arguments, without the program's name.

        Raises:
          ConfigurationError: a flag is unknown, missing, or has a value that it cannot have.
        """
        if any(argument in _HELP for argument in argv):
            print(self.help_text())
            sys.exit(0)
        if "--version" in argv:
            print(f"{self.name} (enas-tf) {enas_tf.__version__}")
            sys.exit(0)
        arguments = with_flag_files(argv)
        for argument in arguments:
            # absl lets this one switch its check for unknown flags off.
            if argument.lstrip("-").split("=")[0] == "undefok":
                raise ConfigurationError("Unknown command line flag 'undefok'.")
        rest = _parse(self._values, [self.name, *arguments], elsewhere=self._elsewhere)
        if len(rest) > 1:
            raise ConfigurationError(
                f"Unexpected argument {rest[1]!r}; write flags as --name=value."
            )
        for info in self._infos():
            if info.required and not self.given(info.name):
                raise ConfigurationError(f"`--{info.name}` is required. {info.help}")

    def __getitem__(self, name: str) -> Any:
        """Returns the value of a flag."""
        return self._values[name].value

    def given(self, name: str) -> bool:
        """Whether the command line has the flag."""
        return name in self._values and self._values[name].present > 0

    def settings(self, base: SettingsType, prefix: str = "") -> SettingsType:
        """Returns settings in which only the flags that were given replace the values of `base`.

        Args:
          base: for example a preset.
          prefix: as in `add_settings`.

        Raises:
          ConfigurationError: the settings contradict each other.
        """
        changes: dict[str, Any] = {}
        for name, value in _fields(base):
            field = base.__dataclass_fields__[name]
            if isinstance(value, Settings):
                changes[name] = self.settings(value, prefix + field.metadata.get("prefix", ""))
            elif field.metadata["flag"] and self.given(prefix + name):
                changes[name] = self[prefix + name]
        return base.replace(**changes)

    def given_arguments(self, settings: Settings, prefix: str = "") -> list[str]:
        """Returns the flags of some settings that were given, as arguments of a command line."""
        leaves = [leaf for leaf in _leaves(settings, prefix) if self.given(leaf.flag)]
        return [f"--{leaf.flag}={_show(self[leaf.flag])}" for leaf in leaves]

    def help_text(self) -> str:
        """Returns what `--help` prints."""
        width = min(shutil.get_terminal_size().columns, 100)
        lines = textwrap.wrap(f"{self.name}: {self.summary}", width)
        required = "".join(
            f" --{info.name}={info.parser.placeholder}" for info in self._infos() if info.required
        )
        lines += ["", f"Usage: {self.name}{required} [--flag=value ...]"]
        for group, infos in self._groups.items():
            lines += ["", f"{group}:"]
            for info in infos:
                lines.append(f"  {info.heading}")
                indent = " " * 6
                lines += textwrap.wrap(
                    info.description, width, initial_indent=indent, subsequent_indent=indent
                )
        lines += ["", "Also: --help, --version, --flagfile=FILE (reads flags from a file)."]
        return "\n".join(lines)

    def _infos(self) -> "Iterator[_FlagInfo]":
        for infos in self._groups.values():
            yield from infos


def flag_names(settings: Settings, prefix: str = "") -> list[str]:
    """Returns the names that `CommandFlags.add_settings` gives to the flags of some settings."""
    return [leaf.flag for leaf in _leaves(settings, prefix)]


def differing_arguments(settings: Settings, base: Settings) -> list[str]:
    """Returns the arguments of a command line that turn `base` into `settings`."""
    pairs = zip(_leaves(settings, ""), _leaves(base, ""))
    return [f"--{new.flag}={_show(new.value)}" for new, old in pairs if new.value != old.value]


def peek(argv: Sequence[str], names: Sequence[str]) -> dict[str, str | None]:
    """Reads a few text flags before the others are known, as for `--space` and `--preset`.

    Args:
      argv: the arguments, without the program's name.
      names: the flags to read.

    Returns:
      The text given to each, or None.
    """
    values = flags.FlagValues()
    values.set_gnu_getopt(True)
    for name in names:
        flags.DEFINE_string(name, None, name, flag_values=values)
    arguments = with_flag_files([argument for argument in argv if argument not in _HELP])
    _parse(values, ["", *arguments], known_only=True)
    return {name: values[name].value for name in names}


class _FlagInfo(NamedTuple):
    """What `--help` says of a flag."""

    name: str
    parser: "_Parser"
    default: Any
    help: str
    required: bool

    @property
    def heading(self) -> str:
        if self.parser.kind is bool:
            return f"--[no]{self.name}"
        return f"--{self.name}={self.parser.placeholder}"

    @property
    def description(self) -> str:
        notes = self.parser.bounds
        if self.required:
            notes.append("required")
        elif self.default is not None:
            notes.append(f"default: {_show(self.default)}")
        return f"{self.help} ({'; '.join(notes)})" if notes else self.help


class _Leaf(NamedTuple):
    """A setting that is no section."""

    flag: str
    annotation: Any
    value: Any
    metadata: Mapping[str, Any]


class _Parser(flags.ArgumentParser):
    """Turns the text of a flag into a value of a setting's type and checks its bounds."""

    syntactic_help = ""

    def __init__(self, name: str, annotation: Any, metadata: Mapping[str, Any]):
        kinds = alternatives(annotation)
        self.name = name
        self.optional = type(None) in kinds
        kind = next(kind for kind in kinds if kind is not type(None))
        self.is_tuple = typing.get_origin(kind) is tuple
        self.kind: type = typing.get_args(kind)[0] if self.is_tuple else kind
        self.metadata = metadata

    @property
    def placeholder(self) -> str:
        choices = self.metadata.get("choices")
        if choices:
            return "{" + ",".join(map(str, choices)) + "}"
        word = {int: "INTEGER", float: "NUMBER"}.get(self.kind, "TEXT")
        return f"{word},{word},..." if self.is_tuple else word

    @property
    def bounds(self) -> list[str]:
        words = {
            "minimum": "at least",
            "above": "greater than",
            "maximum": "at most",
            "below": "less than",
        }
        return [
            f"{word} {_show(self.metadata[key])}"
            for key, word in words.items()
            if self.metadata.get(key) is not None
        ]

    def parse(self, argument: Any) -> Any:
        text = str(argument).strip()
        if self.optional and text.lower() == "none":
            return None
        value: Any
        if self.is_tuple:
            value = tuple(self._convert(part.strip()) for part in text.split(","))
        else:
            value = self._convert(text)
        check_value(f"--{self.name}", value, self.metadata)
        return value

    def flag_type(self) -> str:
        return self.kind.__name__

    def _convert(self, text: str) -> Any:
        if self.kind is str:
            if not text or "\0" in text:
                self._refuse("a text that is not empty (without NUL characters)", text)
            return text
        if self.kind is bool:
            if text.lower() not in _BOOLEANS:
                self._refuse("yes or no", text)
            return _BOOLEANS[text.lower()]
        try:
            value = self.kind(text)
        except ValueError:
            self._refuse("an integer" if self.kind is int else "a number", text)
        if isinstance(value, float) and not math.isfinite(value):
            self._refuse("a finite number", text)
        return value

    def _refuse(self, expected: str, text: str) -> NoReturn:
        raise ConfigurationError(
            f"`--{self.name}` must be {expected}. Received: --{self.name}={text}"
        )


def _parse(
    values: flags.FlagValues,
    argv: list[str],
    known_only: bool = False,
    elsewhere: Mapping[str, str] = _NO_BOUNDS,
) -> list[str]:
    try:
        return values(argv, known_only=known_only)
    except flags.UnrecognizedFlagError as error:
        if error.flagname in elsewhere:
            where = elsewhere[error.flagname]
            raise MisplacedFlagError(f"`--{error.flagname}` {where}.") from error
        raise ConfigurationError(str(error)) from error
    except flags.Error as error:
        raise ConfigurationError(str(error)) from error
    except ValueError as error:
        # All that absl says of `--noflip=1` is that it does not take an argument.
        name = str(error).partition("=")[0].lstrip("-")
        raise ConfigurationError(
            f"`--{name}` takes no value. Write --{name}, or --{name[2:]}=yes or --{name[2:]}=no."
        ) from error


def _fields(settings: Settings) -> Iterator[tuple[str, Any]]:
    for name in field_types(type(settings)):
        yield name, getattr(settings, name)


def _leaves(settings: Settings, prefix: str) -> Iterator[_Leaf]:
    annotations = field_types(type(settings))
    for name, value in _fields(settings):
        metadata = settings.__dataclass_fields__[name].metadata
        if isinstance(value, Settings):
            yield from _leaves(value, prefix + metadata.get("prefix", ""))
        elif metadata["flag"]:
            yield _Leaf(prefix + name, annotations[name], value, metadata)


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(_show, value))
    if isinstance(value, float):
        return repr(value)
    return "none" if value is None else str(value)
