import dataclasses
import re

import pytest

from enas_tf.cli.flags import CommandFlags, peek
from enas_tf.errors import ConfigurationError
from enas_tf.settings.arguments import differing_arguments, flag_names
from enas_tf.settings.groups import Group
from enas_tf.settings.setting import Settings, section, setting


@dataclasses.dataclass(frozen=True)
class Inner(Settings):
    rate: float = setting(0.5, "A rate.", above=0.0, below=1.0)
    kind: str = setting("fast", "A kind.", choices=("fast", "slow"))


@dataclasses.dataclass(frozen=True)
class Outer(Settings):
    epochs: int = setting(10, "Number of epochs.", minimum=1)
    folder: str | None = setting(None, "A folder.")
    flip: bool | None = setting(None, "Flip pictures.")
    widen: bool = setting(True, "Widen.")
    sizes: tuple[int, ...] = setting((1, 2), "Some sizes.")
    shape: tuple[int, ...] = setting((8, 8), "From the data.", flag=False)
    limit: float | None = setting(1.5, "A limit.", above=0.0)
    inner: Inner = section(Inner(), prefix="inner_")


@dataclasses.dataclass(frozen=True)
class InSection(Settings):
    rate: float = setting(0.5, "A rate.")
    steps: int | None = setting(None, "Steps (default: all).", group=Group.DURATION)


@dataclasses.dataclass(frozen=True)
class Grouped(Settings):
    momentum: float = setting(0.9, "A momentum.")
    epochs: int = setting(3, "Epochs.", group=Group.DURATION)
    inner: InSection = section(InSection(), group=Group.CONTROLLER)


def make_command(base=None):
    command = CommandFlags("enas-x", "Does x.", elsewhere={"nodes": "is a flag of --space=rnn"})
    command.add_settings(Group.TRAINING, base or Outer())
    return command


def parse(*argv, base=None):
    base = base or Outer()
    command = make_command(base)
    command.parse(argv)
    return command.settings(base)


@pytest.mark.parametrize(
    ("argument", "name", "value"),
    [
        ("--epochs=3", "epochs", 3),
        ("--folder=a b", "folder", "a b"),
        ("--flip", "flip", True),
        ("--noflip", "flip", False),
        ("--flip=none", "flip", None),
        ("--widen=no", "widen", False),
        ("--sizes=4,5, 6", "sizes", (4, 5, 6)),
        ("--limit=2", "limit", 2.0),
        ("--limit=none", "limit", None),
    ],
)
def test_each_type_is_read(argument, name, value):
    assert parse(argument) == Outer().replace(**{name: value})


def test_a_section_has_its_prefix():
    assert parse("--inner_rate=0.25").inner == Inner(rate=0.25)


def test_value_may_follow_a_blank():
    assert parse("--epochs", "4").epochs == 4


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--epochs=0", "`--epochs` must be at least 1. Received: --epochs=0."),
        ("--epochs=many", "`--epochs` must be an integer. Received: --epochs=many"),
        ("--epochs=1.5", "`--epochs` must be an integer"),
        ("--inner_rate=1", "`--inner_rate` must be less than 1.0"),
        ("--inner_rate=nan", "`--inner_rate` must be a finite number"),
        ("--inner_rate=x", "`--inner_rate` must be a number"),
        ("--inner_kind=odd", "`--inner_kind` must be one of 'fast', 'slow'"),
        ("--widen=maybe", "`--widen` must be yes or no"),
        ("--epochs=none", "`--epochs` must be an integer"),
        ("--folder=", "`--folder` must be a text that is not empty"),
        ("--sizes=1,x", "`--sizes` must be an integer"),
        ("--epoch=3", "Unknown command line flag 'epoch'. Did you mean: epochs"),
        ("--shape=3", "Unknown command line flag 'shape'"),
        ("--undefok=epoch", "Unknown command line flag 'undefok'"),
        ("--nodes=3", "`--nodes` is a flag of --space=rnn."),
        ("--epochs", "Missing value for flag --epochs"),
        ("stray", "Unexpected argument 'stray'"),
        ("--flagfile=/none/such", "flagfile"),
    ],
)
def test_bad_flags_are_named(argument, message):
    with pytest.raises(ConfigurationError) as caught:
        parse(argument)
    assert message in str(caught.value)


def test_only_given_flags_override_a_preset():
    preset = Outer(epochs=310, limit=None, inner=Inner(rate=0.1, kind="slow"))
    assert parse("--inner_rate=0.2", base=preset) == preset.replace(
        inner=Inner(rate=0.2, kind="slow")
    )


def test_no_flags_leave_the_preset():
    preset = Outer(epochs=310)
    assert parse(base=preset) == preset


def test_a_flag_with_the_value_of_the_default_counts_as_given():
    base = Outer()
    command = make_command(base)
    command.parse(["--epochs=10"])
    assert command.settings(Outer(epochs=310)).epochs == 10


def test_excluded_flags_are_unknown():
    command = CommandFlags("enas-x", "Does x.")
    command.add_settings(Group.TRAINING, Outer(), exclude={"epochs"})
    with pytest.raises(ConfigurationError, match="Unknown command line flag 'epochs'"):
        command.parse(["--epochs=3"])


def test_required_flags():
    command = CommandFlags("enas-x", "Does x.")
    command.add(Group.START, "run", str, None, "Folder of a run.", required=True)
    with pytest.raises(ConfigurationError, match="`--run` is required"):
        command.parse([])


def test_a_flag_that_may_be_given_several_times():
    command = CommandFlags("enas-x", "Does x.")
    command.add(Group.START, "final", list[str], None, "Folders.")
    command.parse(["--final=a", "--final", "b"])
    assert command["final"] == ["a", "b"]
    assert "--final=TEXT\n      Folders.\n" in command.help_text()


@pytest.mark.parametrize("argv", [["a b"], ["--run", "a b"], ["--deep", "a b"]])
def test_a_flag_whose_name_may_be_left_out(argv):
    command = CommandFlags("enas-x", "Does x.", positional="run")
    command.add(Group.START, "run", str, None, "Folder of a run.", required=True)
    command.add(Group.START, "deep", bool, False, "Look deep.")
    command.parse(argv)
    assert command["run"] == "a b"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["a", "b"], "Unexpected argument 'b'"),
        (["a", "--run=b"], "`--run` is given twice, the second time as 'a'"),
        ([""], "`--run` must be a text that is not empty"),
    ],
)
def test_what_is_no_value_without_a_name(argv, message):
    command = CommandFlags("enas-x", "Does x.", positional="run")
    command.add(Group.START, "run", str, None, "Folder of a run.", required=True)
    with pytest.raises(ConfigurationError, match=message):
        command.parse(argv)


@pytest.mark.parametrize(
    ("argv", "files"),
    [
        (["a", "b c"], ["a", "b c"]),
        (["--files=a", "--files=b"], ["a", "b"]),
        (["a", "--files=b", "c"], ["b", "a", "c"]),
        (["--", "--a"], ["--a"]),
    ],
)
def test_a_flag_whose_name_may_be_left_out_several_times(argv, files):
    command = CommandFlags("enas-x", "Does x.", positional="files")
    command.add(Group.START, "files", list[str], None, "Some files.", required=True)
    command.parse(argv)
    assert command["files"] == files


def test_a_range():
    command = CommandFlags("enas-x", "Does x.")
    command.add(Group.START, "steps", range | None, None, "Some steps.")
    command.parse(["--steps=3:10"])
    assert command["steps"] == range(3, 10)
    assert "--steps=FIRST:END" in command.help_text()
    for text in ("3", "3:3", "-1:3", "3:", "a:b", "1:2:3"):
        with pytest.raises(ConfigurationError, match="`--steps` must be FIRST:END") as caught:
            command.parse([f"--steps={text}"])
        assert f"Received: --steps={text}" in str(caught.value)


def test_differing_arguments_make_the_settings():
    settings = Outer(
        epochs=3, folder="a b", flip=False, sizes=(3,), limit=None, inner=Inner(rate=0.00025)
    )
    arguments = differing_arguments(settings, Outer())
    assert arguments == [
        "--epochs=3",
        "--folder=a b",
        "--flip=no",
        "--sizes=3",
        "--limit=none",
        "--inner_rate=0.00025",
    ]
    assert parse(*arguments) == settings


def test_flags_are_read_from_a_file(tmp_path):
    (tmp_path / "flags.txt").write_text("--epochs=7\n# a comment\n--noflip\n")
    assert parse(f"--flagfile={tmp_path / 'flags.txt'}") == Outer(epochs=7, flip=False)


def test_help_names_every_flag_with_type_bounds_and_default(capsys):
    with pytest.raises(SystemExit) as caught:
        parse("--help")
    text = " ".join(capsys.readouterr().out.split())
    assert caught.value.code == 0
    assert "--epochs=INTEGER Number of epochs. (at least 1; default: 10)" in text
    assert "--[no]flip Flip pictures." in text
    assert "--sizes=INTEGER,INTEGER,... Some sizes. (default: 1,2)" in text
    assert "--inner_kind={fast,slow} A kind. (default: fast)" in text
    assert "shape" not in text


def command_with_groups(common=()):
    command = CommandFlags("enas-x", "Does x.", common=common)
    command.add(Group.OUTPUT, "output_dir", str, None, "Folder of the results.")
    command.add_settings(Group.TRAINING, Grouped())
    return command


def headings(text):
    return [line.rstrip(":") for line in text.splitlines() if re.match(r"\S.*[^.]:$", line)]


def named(text):
    return re.findall(r"^  --(?:\[no\])?(\w+)", text, re.M)


def test_a_setting_names_its_group_else_its_section_does_else_the_command():
    text = command_with_groups().help_text()
    groups = (Group.DURATION, Group.TRAINING, Group.CONTROLLER, Group.OUTPUT)
    assert headings(text) == [group.value for group in groups]
    assert named(text) == ["epochs", "steps", "momentum", "rate", "output_dir"]


def test_help_tells_the_common_flags_in_their_order(capsys):
    command = command_with_groups(common=("rate", "elsewhere", "epochs"))
    with pytest.raises(SystemExit):
        command.parse(["--help"])
    text = capsys.readouterr().out
    assert named(text) == ["rate", "epochs"]
    assert headings(text) == []
    assert "the common flags, 2 of 5; --helpfull explains all" in " ".join(text.split())


def test_helpfull_tells_all_flags_the_common_ones_of_a_group_first(capsys):
    command = command_with_groups(common=("steps",))
    with pytest.raises(SystemExit):
        command.parse(["--helpfull"])
    assert named(capsys.readouterr().out) == ["steps", "epochs", "momentum", "rate", "output_dir"]


def test_what_a_sentence_says_of_no_value_is_not_called_the_default_of_a_preset():
    text = " ".join(command_with_groups().help_text().split())
    assert "--steps=INTEGER Steps (default: all)." in text
    command = CommandFlags("enas-x", "Does x.")
    command.add_settings(Group.TRAINING, Grouped(inner=InSection(steps=7)))
    text = " ".join(command.help_text().split())
    assert "--steps=INTEGER Steps (none: all). (default: 7)" in text


def test_help_wins_over_bad_flags():
    with pytest.raises(SystemExit):
        parse("--epochs=0", "--help")


def test_version(capsys):
    with pytest.raises(SystemExit):
        parse("--version")
    assert capsys.readouterr().out.startswith("enas-x (enas-tf) ")


def test_flag_names_are_the_flags_of_settings():
    names = ["epochs", "folder", "flip", "widen", "sizes", "limit", "inner_rate", "inner_kind"]
    assert flag_names(Outer()) == names


def test_peek_reads_one_flag_among_unknown_ones():
    argv = ["--epochs", "3", "--space=macro", "--noflip", "--help", "--helpfull"]
    assert peek(argv, ["space", "preset"]) == {"space": "macro", "preset": None}


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ([], None),
        (["--axes"], ("all",)),
        (["--axes=one,two"], ("one", "two")),
        (["--noaxes"], None),
        (["--axes", "--axes=none"], None),
    ],
)
def test_a_flag_that_stands_for_a_text_when_it_stands_alone(arguments, value):
    command = CommandFlags("program", "Does it.")
    command.add(Group.START, "axes", tuple[str, ...] | None, None, "Some axes.", bare="all")
    command.parse(arguments)
    assert command["axes"] == value
    assert "--axes[=TEXT,TEXT,...]" in command.help_text()
