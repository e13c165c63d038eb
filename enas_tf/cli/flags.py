"""Command-line flags made from settings.

absl reads the command line. A command's flags live in a `FlagValues` of their own, so that neither
absl nor any library adds to them: `--help` shows what the command has, and everything else is an
unknown flag. Ours is what absl does not have: values that are checked, and told, as those of
settings are (`check_value`), `none`, and a help that is made from the same metadata: `--help` tells
the common flags, `--helpfull` all, by the questions that they answer (`Group`).
"""

import math
import re
import shutil
import sys
import textwrap
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from absl import flags

import enas_tf
from enas_tf.cli.flag_files import with_flag_files
from enas_tf.errors import ConfigurationError
from enas_tf.settings.arguments import leaves, shown
from enas_tf.settings.groups import Group
from enas_tf.settings.setting import Settings, alternatives, check_value, field_types

_HELP = ("-h", "-help", "--help", "--helpshort")
_HELP_ON_ALL = ("-helpfull", "--helpfull")
_BOOLEANS = {
    **dict.fromkeys(("yes", "true", "t", "1"), True),
    **dict.fromkeys(("no", "false", "f", "0"), False),
}
_BOUNDS = {
    "minimum": "at least",
    "above": "greater than",
    "maximum": "at most",
    "below": "less than",
}
_PLACEHOLDERS = {int: "INTEGER", float: "NUMBER", range: "FIRST:END"}

SettingsType = TypeVar("SettingsType", bound=Settings)


class MisplacedFlagError(ConfigurationError):
    """A flag that there is, but not here: `elsewhere` of `CommandFlags` says where."""


class CommandFlags:
    """The flags of one command.

    ```python
    command = CommandFlags("enas-search", "Searches an architecture.")
    command.add(Group.OUTPUT, "output_dir", str, None, "Folder of the run.")
    command.add_settings(Group.DATA, preset.data)
    command.parse(argv)
    data = command.settings(preset.data)
    ```
    """

    def __init__(
        self,
        name: str,
        summary: str,
        elsewhere: Mapping[str, str] | None = None,
        positional: str | Sequence[str] = (),
        common: Sequence[str] = (),
    ):
        """Makes a command without flags.

        Args:
          name: of the program.
          summary: what `--help` says first.
          elsewhere: for flags that the command does not have but users may expect: where they
            belong.
          positional: the flag whose name may be left out, or several in their order; one that may
            be given several times takes all that are left.
          common: the flags that `--help` tells, in their order, as far as the command has them for
            this space (default: all).
        """
        self.name = name
        self.summary = summary
        self._elsewhere = elsewhere or {}
        self._positional = (positional,) if isinstance(positional, str) else tuple(positional)
        self._common = tuple(common)
        self._values = flags.FlagValues()
        self._values.set_gnu_getopt(True)

    def add(
        self,
        group: Group,
        name: str,
        annotation: Any,
        default: Any,
        help: str,  # noqa: A002 (the word users of flag libraries know)
        *,
        required: bool = False,
        bare: str | None = None,
        **limits: Any,
    ) -> None:
        """Adds one flag.

        Args:
          group: the question that the flag answers.
          name: of the flag.
          annotation: type of the value, for example `int | None`; `list[str]`: the flag may be
            given several times.
          default: the value when the flag is not given.
          help: one sentence.
          required: whether the flag must be given.
          bare: the text that the flag alone, without `=`, stands for (default: it needs a value);
            then a value cannot be the next argument.
          **limits: bounds and choices, as of a `setting`.
        """
        if limits.get("is_open") and default is not None and default not in limits["choices"]:
            # A program chose what no command line can.
            limits["choices"] = (*limits["choices"], default)
        parser = _Parser(name, annotation, limits, required, bare)
        kind = flags.MultiFlag if parser.is_list else flags.Flag
        # absl has no other flags that need no value; it reads them as a text.
        boolean = parser.kind is bool or bare is not None
        flag: flags.Flag[Any] = kind(parser, None, name, default, help, boolean=boolean)
        # absl adds to that of a list.
        flag.help = help
        # absl groups flags by modules.
        flags.DEFINE_flag(flag, self._values, module_name=group.name)

    def add_settings(
        self, group: Group, settings: Settings, prefix: str = "", exclude: Collection[str] = ()
    ) -> None:
        """Adds a flag for every setting of a value, and of its sections.

        Args:
          group: of those that name none themselves, nor does their section.
          settings: gives the defaults that `--help` shows.
          prefix: goes before the names of the flags.
          exclude: flags that the command does not offer.
        """
        for leaf in leaves(settings, prefix, group):
            if leaf.flag not in exclude:
                limits = {**leaf.metadata, "group": leaf.group}
                self.add(name=leaf.flag, annotation=leaf.annotation, default=leaf.value, **limits)

    def parse(self, argv: Sequence[str]) -> None:
        """Reads the command line; `--help`, `--helpfull`, `--version` print and leave.

        They leave with `SystemExit`.

        Args:
          argv: the arguments, without the program's name.

        Raises:
          ConfigurationError: a flag is unknown, missing, or has a value that it cannot have.
        """
        asks_for_all = any(argument in _HELP_ON_ALL for argument in argv)
        if asks_for_all or any(argument in _HELP for argument in argv):
            print(self.help_text(is_full=asks_for_all))
            sys.exit(0)
        if "--version" in argv:
            print(f"{self.name} (enas-tf) {enas_tf.__version__}")
            sys.exit(0)
        arguments = with_flag_files(argv)
        for argument in arguments:
            # absl lets this one switch its check for unknown flags off.
            if argument.lstrip("-").split("=")[0] == "undefok":
                raise ConfigurationError("Unknown command line flag 'undefok'.")
        _, *rest = _parse(self._values, [self.name, *arguments], elsewhere=self._elsewhere)
        for name in self._positional[: len(rest)]:
            takes_all = isinstance(self._values[name], flags.MultiFlag)
            if self.given(name) and not takes_all:
                raise ConfigurationError(
                    f"`--{name}` is given twice, the second time as {rest[0]!r}."
                )
            values, rest = (rest, []) if takes_all else (rest[:1], rest[1:])
            _parse(self._values, [self.name, *(f"--{name}={value}" for value in values)])
        if rest:
            raise ConfigurationError(
                f"Unexpected argument {rest[0]!r}; write flags as --name=value."
            )
        for flag in (flag for members in self._groups().values() for flag in members):
            if flag.parser.required and not flag.present:
                raise ConfigurationError(f"`--{flag.name}` is required. {flag.help}")

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
        for name in field_types(type(base)):
            value, field = getattr(base, name), base.__dataclass_fields__[name]
            if isinstance(value, Settings):
                changes[name] = self.settings(value, prefix + field.metadata.get("prefix", ""))
            elif field.metadata["flag"] and self.given(prefix + name):
                changes[name] = self[prefix + name]
        return base.replace(**changes)

    def help_text(self, is_full: bool = True) -> str:
        """Returns what `--helpfull` prints, or `--help`.

        Args:
          is_full: tell all flags, by their groups; else the common ones.
        """
        width = min(shutil.get_terminal_size().columns, 100)
        groups = self._groups()
        all_flags = [flag for members in groups.values() for flag in members]
        lines = textwrap.wrap(f"{self.name}: {self.summary}", width)
        required = "".join(f" {_heading(flag)}" for flag in all_flags if flag.parser.required)
        lines += ["", f"Usage: {self.name}{required} [--flag=value ...]"]
        others = (
            "--version, --flagfile=FILE (reads flags from a file), --operations_module=FILE.py "
            "(imports operations of your own)."
        )
        if is_full or not self._common:
            for group, members in groups.items():
                lines += ["", f"{group.value}:", *_told(members, width)]
            return "\n".join([*lines, "", *textwrap.wrap(f"Also: --help, {others}", width)])
        common = sorted(
            (flag for flag in all_flags if flag.name in self._common),
            key=lambda flag: self._common.index(flag.name),
        )
        more = (
            f"These are the common flags, {len(common)} of {len(all_flags)}; --helpfull explains "
            "all of them, in groups."
        )
        last = [*textwrap.wrap(more, width), *textwrap.wrap(f"Also: {others}", width)]
        return "\n".join([*lines, "", *_told(common, width), "", *last])

    def _groups(self) -> dict[Group, list[Any]]:
        """Returns the flags by their groups, in each the common ones first."""
        members = self._values.flags_by_module_dict()
        return {
            group: sorted(members[group.name], key=lambda flag: flag.name not in self._common)
            for group in Group
            if group.name in members
        }


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
    asked = (*_HELP, *_HELP_ON_ALL)
    arguments = with_flag_files([argument for argument in argv if argument not in asked])
    _parse(values, ["", *arguments], known_only=True)
    return {name: values[name].value for name in names}


class _Parser(flags.ArgumentParser):
    """Turns the text of a flag into a value of a setting's type and checks its limits."""

    syntactic_help = ""

    def __init__(
        self,
        name: str,
        annotation: Any,
        limits: Mapping[str, Any],
        required: bool,
        bare: str | None = None,
    ):
        kinds = alternatives(annotation)
        self.name = name
        # What absl's texts for `--name` and `--noname` stand for.
        self.alone = {} if bare is None else {"true": bare, "false": "none"}
        self.limits = limits
        self.required = required
        self.optional = type(None) in kinds
        kind = next(kind for kind in kinds if kind is not type(None))
        origin = typing.get_origin(kind)
        self.is_tuple, self.is_list = origin is tuple, origin is list
        self.kind: type = typing.get_args(kind)[0] if origin else kind

    def parse(self, argument: Any) -> Any:
        if not isinstance(argument, str):
            # A default.
            return argument
        text = argument.strip()
        text = self.alone.get(text, text)
        if self.optional and text.lower() == "none":
            return None
        value: Any
        if self.is_tuple:
            # Whoever takes the setting says what an empty one lacks.
            parts = text.split(",") if text else []
            value = tuple(self._convert(part.strip()) for part in parts)
        else:
            value = self._convert(text)
        check_value(f"--{self.name}", value, self.limits)
        return value

    def _convert(self, text: str) -> Any:
        if self.kind is str:
            if not text or "\0" in text:
                self._refuse("a text that is not empty (without NUL characters)", text)
            return text
        if self.kind is bool:
            if text.lower() not in _BOOLEANS:
                self._refuse("yes or no", text)
            return _BOOLEANS[text.lower()]
        if self.kind is range:
            first, _, end = text.partition(":")
            if not (first.isdecimal() and end.isdecimal() and int(first) < int(end)):
                self._refuse("FIRST:END, two integers from 0 on, the first one less", text)
            return range(int(first), int(end))
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


def _heading(flag: Any) -> str:
    """Returns what `--help` says a flag looks like."""
    parser = flag.parser
    if parser.kind is bool:
        return f"--[no]{flag.name}"
    choices = parser.limits.get("choices")
    word = _PLACEHOLDERS.get(parser.kind, "TEXT")
    if choices:
        word = "{" + ",".join(map(str, choices)) + "}"
    elif parser.is_tuple:
        word = f"{word},{word},..."
    return f"--{flag.name}[={word}]" if parser.alone else f"--{flag.name}={word}"


def _description(flag: Any) -> str:
    """Returns what `--help` says of a flag."""
    limits = flag.parser.limits
    text, notes = flag.help, []
    for key, word in _BOUNDS.items():
        if limits.get(key) is not None:
            notes.append(f"{word} {shown(limits[key])}")
    if flag.parser.required:
        notes.append("required")
    elif flag.default is not None:
        notes.append(f"default: {shown(flag.default)}")
        if flag.parser.optional:
            # What the sentence tells of no value is not the default of this preset.
            text = re.sub(r"\bdefault: ", "none: ", text)
    return f"{text} ({'; '.join(notes)})" if notes else text


def _told(members: Sequence[Any], width: int) -> list[str]:
    """Returns lines with flags and what they mean."""
    lines, indent = [], " " * 6
    for flag in members:
        lines.append(f"  {_heading(flag)}")
        lines += textwrap.wrap(
            _description(flag), width, initial_indent=indent, subsequent_indent=indent
        )
    return lines


def _parse(
    values: flags.FlagValues,
    argv: list[str],
    known_only: bool = False,
    elsewhere: Mapping[str, str] = types.MappingProxyType({}),
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
