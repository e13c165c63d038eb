"""What README.md, BUILD.md and the pages in docs/ tell: links, names, commands and snippets.

Every command line is read by the command's own flags, every snippet is compiled and its names are
looked for; what takes no time is run. The rest is run as it is written by `pytest -m long`.
"""

import ast
import builtins
import importlib
import importlib.util
import os
import pathlib
import re
import shlex
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

import enas_tf
from enas_tf.cli import common
from enas_tf.cli.flags import CommandFlags
from enas_tf.runs.contents import BEST_ARCHITECTURE
from enas_tf.runs.directory import RunDirectory
from enas_tf.settings.groups import Group
from enas_tf.spaces.architectures import architecture_document
from enas_tf.spaces.registry import get_space
from tests.studies.truth_test import SPACE, made_up_truth

ROOT = pathlib.Path(__file__).parents[1]
PAGES = ("README.md", "BUILD.md", *sorted(f"docs/{path.name}" for path in ROOT.glob("docs/*.md")))
MOST_LINES_OF_README = 350
COMMANDS = ("search", "derive", "retrain", "evaluate", "predict", "export")
COMMANDS += ("generate", "draw", "report", "benchmark", "study", "pack")
SHELL = ("bash", "sh")
# Of Slurm.
FLAGS_OF_OTHERS = {"requeue", "array", "gpus-per-task"}
# What stands for something of the reader's, or is not part of this project.
NEEDS_MORE = re.compile(
    r"cifar10|ptb|localhost|10\.0\.0\.|docker|tensorflow_model_server|insecure_channel"
    r"|\b(bin/|srun|tensorboard)"
    # Half an hour each.
    r"|runs/(study|parts)"
    # Some minutes each; `tests/benchmark` has small forms.
    r"|enas-benchmark"
    # What is installed already, or cannot be here.
    r"|pip install"
)
TRAINS = re.compile(r"enas_tf\.(search|retrain|study)\(|\.fit\(|[\"']runs/")
# Sections whose blocks are run as they are written; None: the whole page.
RUN = (
    ("README.md", "Pictures"),
    ("README.md", "Text"),
    ("README.md", "Your own data"),
    ("README.md", "Interruptions and trouble"),
    ("docs/commands.md", "The final training of a search"),
    ("docs/commands.md", "Half precision"),
    ("docs/augmentation.md", None),
    ("docs/costs.md", None),
    ("docs/darts.md", "DARTS: search by gradient"),
    ("docs/data.md", None),
    ("docs/gpu.md", "Settings"),
    ("docs/gpu.md", "Pictures on the device"),
    ("docs/machines.md", "By hand"),
    ("docs/operations.md", None),
    ("docs/prediction.md", None),
    ("docs/python.md", None),
    ("docs/rewards.md", None),
    ("docs/serving.md", None),
    ("docs/studies.md", "The truth of a small space"),
    ("docs/time.md", None),
)
# Where a page begins with what `bin/quickstart` leaves.
QUICKSTART = """
enas-search --space=macro --dataset=digits --preset=smoke --epochs=1 --num_layers=2 \
  --controller_updates_per_epoch=1 --derive_num_candidates=2 --output_dir=runs/quickstart
enas-retrain --architecture=runs/quickstart --epochs=1 --output_dir=runs/quickstart_final
"""


class Block(NamedTuple):
    """A block of a page: what it is written in, its text, the headings above it."""

    page: str
    language: str
    text: str
    headings: tuple[str, ...]


class Read(Exception):  # noqa: N818 (no error: the end of reading a command line)
    """The flags of a command have been read."""


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks_of(page):
    blocks, headings, language, lines = [], [], None, []
    for line in text_of(page).splitlines():
        if line.startswith("```") and language is None:
            language, lines = line[3:], []
        elif line.startswith("```"):
            blocks.append(Block(page, language, "\n".join(lines) + "\n", tuple(headings)))
            language = None
        elif language is not None:
            lines.append(line)
        elif found := re.match(r"(#+) (.*)", line):
            headings = [*headings[: len(found[1]) - 1], found[2]]
    assert language is None, f"{page} ends in a block"
    return blocks


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
SNIPPETS = {page: [b for b in BLOCKS if (b.page, b.language) == (page, "python")] for page in PAGES}


def command_lines(block):
    """Returns the arguments of every `enas-…` command in a block, its name first."""
    found = []
    for line in re.sub(r"\\\n\s*", " ", block.text).splitlines():
        if match := re.match(r"(?:.*\s)?(?<!: )enas-(\w+)(\s.*|$)", line):
            # The command may stand in a quoted script of another one.
            rest = shlex.shlex(match[2].replace("$HOME", "~"), posix=True, punctuation_chars=True)
            rest.whitespace_split, arguments = True, []
            for word in rest:
                if set(word) <= set("|&;<>()"):
                    break
                arguments.append(word)
            found.append([match[1], *arguments])
    return found


LINES = [
    line for block in BLOCKS if block.language in (*SHELL, "yaml") for line in command_lines(block)
]


def spans(page):
    """Returns what stands in backticks outside of blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text_of(page), flags=re.M | re.S))


def anchors(page):
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text_of(page), flags=re.M | re.S), re.M
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short():
    assert len(text_of("README.md").splitlines()) <= MOST_LINES_OF_README


def test_every_page_can_be_reached_from_the_readme():
    links = set(re.findall(r"\]\(([^)#]+)", text_of("README.md")))
    assert set(PAGES) - {"README.md"} <= links


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if not link.startswith("https://"):
            path, _, anchor = link.partition("#")
            target = (ROOT / page).parent / path if path else ROOT / page
            assert target.exists(), link
            if anchor:
                assert anchor in anchors(os.path.relpath(target.resolve(), ROOT)), link


@pytest.mark.parametrize("page", PAGES)
def test_files_of_the_project_are_there(page):
    for word in {word for span in spans(page) for word in span.split()}:
        if re.fullmatch(r"(bin|tests|docs|enas_tf|\.ci)/[a-z_./0-9]*", word):
            assert (ROOT / word).exists(), word
        elif page in ("BUILD.md", "docs/internals.md") and re.fullmatch(r"[a-z_/]+\.py", word):
            if "/" in word:
                assert (ROOT / "enas_tf" / word).exists(), word
            else:
                assert any(ROOT.rglob(f"enas_tf/**/{word}")) or (ROOT / word).exists(), word


@pytest.fixture(scope="module")
def flags():
    """Returns the names of the flags of all commands."""
    names = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "builtins.print",
            lambda text: names.update(re.findall(r"^  --(?:\[no\])?(\w+)", text, re.M)),
        )
        for command in COMMANDS:
            for space in ("macro", "micro", "rnn"):
                arguments = ["--helpfull", f"--space={space}"]
                # Commands without a space have no such flag; their help is asked for before.
                with pytest.raises(SystemExit):
                    importlib.import_module(f"enas_tf.cli.{command}").main(arguments)
    of_all = {"help", "helpfull", "version", "flagfile", "operations_module"}
    return names | {f"no{name}" for name in names} | of_all


@pytest.mark.parametrize("page", PAGES)
def test_flags_that_are_named_exist(page, flags):
    own = [s for s in spans(page) if s.startswith(("--", "enas-"))]
    named = {name for span in own for name in re.findall(r"(?:^|\s)--(\w+)", span)}
    assert named <= flags | FLAGS_OF_OTHERS


def test_the_groups_of_flags_are_those_of_the_page():
    rows = re.search(r"^\| heading in .*?\n\n", text_of("docs/commands.md"), re.M | re.S)[0]
    told = re.findall(r"^\| (.*?) \|", rows, re.M)
    assert told[1:] == [group.value for group in Group]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder in which command lines are read; what they would search is there as a stub."""
    folder = tmp_path_factory.mktemp("documentation")
    parse = CommandFlags.parse

    def read(command, argv):
        parse(command, argv)
        if command.name == "enas-search":
            _leave_run(command)
        if command.name == "enas-study" and command["exhaustive"]:
            path = pathlib.Path(command["output_dir"]) / "truth.json"
            path.parent.mkdir(parents=True)
            made_up_truth(SPACE).write(path)
        raise Read

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(CommandFlags, "parse", read)
        # It reads the flags for every space, in order to say what else is wrong.
        patch.setattr(common, "_check_for_every_space", lambda argv, flags_of: None)
        yield folder


def _leave_run(command):
    entry = get_space(command["space"])
    preset = entry.search_presets[command["preset"]]
    space = command.settings(preset.space)
    configuration = {
        "command": "search",
        "space": {"name": entry.name, **space.to_json()},
        "data": command.settings(preset.data).to_json(),
        "search": command.settings(preset.search).to_json(),
    }
    # Those outside of this folder are of examples that nothing goes on from.
    if command["output_dir"].startswith("runs/"):
        origin = {"preset": command["preset"]}
        run = RunDirectory.open(command["output_dir"], configuration, overwrite=True, origin=origin)
        document = architecture_document(space.random_architecture(seed=0))
        run.write_json(BEST_ARCHITECTURE, document)


def test_command_lines_are_understood(runs):
    assert len(LINES) > 20
    for name, *arguments in LINES:
        assert name in COMMANDS, name
        # Anything but the end of reading is an error, whose line pytest shows.
        with pytest.raises(Read):
            importlib.import_module(f"enas_tf.cli.{name}").main(arguments)


@pytest.mark.parametrize("page", PAGES)
def test_shell_blocks_are_well_formed(page):
    for block in BLOCKS:
        if block.page == page and block.language in SHELL:
            subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)


def loaded_and_stored(text):
    """Returns the names that a snippet reads without having made them, and those that it makes."""
    stored, loaded = set(dir(builtins)), set()
    for statement in ast.parse(text).body:
        names = list(ast.walk(statement))
        made = {n.id for n in names if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        made |= {n.arg for n in names if isinstance(n, ast.arg)}
        made |= {n.name for n in names if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        aliases = [a for n in names if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names]
        made |= {a.asname or a.name.split(".")[0] for a in aliases}
        read = {n.id for n in names if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        functions = {n.arg for n in names if isinstance(n, ast.arg)}
        loaded |= read - stored - functions
        stored |= made
    return loaded, stored - set(dir(builtins))


@pytest.mark.parametrize("page", PAGES)
def test_names_in_snippets_exist(page):
    known = set()
    for block in SNIPPETS[page]:
        loaded, stored = loaded_and_stored(block.text)
        assert loaded <= known | stored, block.text
        known |= stored
        for node in ast.walk(ast.parse(block.text)):
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("enas_tf."):
                value = enas_tf
                for part in ast.unparse(node).split(".")[1:]:
                    if "(" in part or "[" in part:
                        break
                    value = getattr(value, part)


def is_installed(text):
    names = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import | ast.ImportFrom)]
    modules = {
        module.split(".")[0]
        for node in names
        for module in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    return all(importlib.util.find_spec(module) for module in modules)


@pytest.mark.parametrize("page", [page for page in PAGES if SNIPPETS[page]])
def test_snippets_that_train_nothing_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"enas_tf": enas_tf}
    for block in SNIPPETS[page]:
        loaded, stored = loaded_and_stored(block.text)
        wants_more = (
            TRAINS.search(block.text) or NEEDS_MORE.search(block.text) or "open(" in block.text
        )
        if wants_more or not loaded <= namespace.keys() or not is_installed(block.text):
            # Nor what builds on it.
            for name in stored - {"enas_tf"}:
                namespace.pop(name, None)
        else:
            exec(compile(block.text, block.page, "exec"), namespace)


def blocks_to_run(page, heading=None):
    return [
        block
        for block in BLOCKS
        if block.page == page
        and (heading is None or heading in block.headings)
        and block.language in (*SHELL, "python")
        and not NEEDS_MORE.search(block.text)
    ]


def test_every_block_that_can_be_run_is_run_by_the_long_test():
    chosen = [block for place in RUN for block in blocks_to_run(*place)]
    assert [b for page in PAGES for b in blocks_to_run(page) if b not in chosen] == []


def make_pictures(folder):
    """Writes class folders of the kind that people have."""
    random = np.random.default_rng(0)
    for part, count in (("train", 100), ("val", 20)):
        for name in ("ant", "bee"):
            (folder / part / name / "more").mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 256, (40 + number % 3, 48, 3), np.uint8)
                kind = "L" if number % 5 == 0 else "RGBA" if number % 5 == 1 else "RGB"
                image = Image.fromarray(pixels).convert(kind)
                place = folder / part / name / ("more" if number % 4 == 0 else ".")
                image.save(place / f"{number}.png")


@pytest.fixture
def shell(tmp_path):
    """Returns a function that runs a block in a folder, with this package's commands."""
    programs = tmp_path / "programs"
    programs.mkdir()
    modules = {f"enas-{name}": f" -m enas_tf.cli.{name}" for name in COMMANDS}
    for name, module in {**modules, "python": ""}.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{module} "$@"\n')
        program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("TF_CONFIG", None)
    folder = tmp_path / "folder"
    folder.mkdir()

    make_pictures(folder / "pictures")

    def run(program, text):
        result = subprocess.run(
            [*program, text], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert result.returncode == 0, f"{text}\n{result.stdout[-2000:]}\n{result.stderr[-4000:]}"

    return run


@pytest.mark.long
@pytest.mark.parametrize(("page", "heading"), RUN)
def test_blocks_run_as_they_are_written(page, heading, shell):
    blocks = blocks_to_run(page, heading)
    if any("runs/quickstart" in block.text for block in blocks):
        shell(("bash", "-ec"), QUICKSTART)
    snippets = "import enas_tf\n"
    for block in blocks:
        if block.language in SHELL:
            shell(("bash", "-ec"), block.text)
        elif is_installed(block.text):
            snippets += block.text
    shell((sys.executable, "-c"), snippets)


@pytest.mark.parametrize(
    "architecture",
    ["enas_macro_release", "enas_micro_release", "enas_rnn_release", "darts", "lstm"],
)
def test_published_names_are_those_of_the_page(architecture, runs):
    assert f"| `{architecture}` |" in text_of("docs/commands.md")
    space = "rnn" if architecture in ("darts", "lstm") else architecture.split("_")[1]
    assert enas_tf.load_architecture(architecture, space)
