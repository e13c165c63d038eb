"""What imports what, and what importing costs.

The rooms of the package stand here once, in their order: a module may import from its own room and
from those before it.
"""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1] / "enas_tf"
ROOMS = (
    "errors",
    "environment",
    "settings",
    "files",
    "runs",
    "data",
    "layers",
    "drawing",
    "training",
    "spaces",
    "records",
    "models",
    "reporting",
    "final_training",
    "searching",
    "studies",
    "benchmark",
    "examples",
    "cli",
)

WITHOUT_TENSORFLOW = (
    "enas_tf.benchmark.sweep",
    "enas_tf.benchmark.tables",
    "enas_tf.cli.benchmark",
    "enas_tf.spaces.architectures",
    "enas_tf.cli.report",
    "enas_tf.cli.search",
    "enas_tf.settings.search",
    "enas_tf.environment.console",
    "enas_tf.errors",
    "enas_tf.data.images.loading",
    "enas_tf.data.sharing",
    "enas_tf.data.texts.batch",
    "enas_tf.data.texts.dataset",
    "enas_tf.files.writing",
    "enas_tf.environment.keras_settings",
    "enas_tf.environment.nvidia",
    "enas_tf.models.files",
    "enas_tf.reporting.drawing",
    "enas_tf.environment.progress",
    "enas_tf.runs.directory",
    "enas_tf.records.run",
    "enas_tf.settings.hardware",
    "enas_tf.settings.setting",
    "enas_tf.studies.document",
    "enas_tf.studies.outcomes",
    "enas_tf.studies.page",
    "enas_tf.studies.summary",
    "enas_tf.training.machines.cluster",
    "enas_tf.training.interruption",
    "enas_tf.training.pace",
    "enas_tf.training.prediction_metrics",
    "enas_tf.spaces.macro.presets",
    "enas_tf.spaces.macro.published",
    "enas_tf.spaces.micro.presets",
    "enas_tf.spaces.micro.published",
    "enas_tf.spaces.rnn.presets",
    "enas_tf.spaces.rnn.published",
    "enas_tf.spaces.registry",
)


def run(script):
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_settings_architectures_drawings_and_flags_need_no_tensorflow():
    modules = ", ".join(WITHOUT_TENSORFLOW)
    script = f"import sys, {modules}; print({{'tensorflow', 'keras'}} & set(sys.modules))"
    assert run(script) == "set()"


def test_importing_the_package_is_fast():
    script = "import time; t = time.perf_counter(); import enas_tf; print(time.perf_counter() - t)"
    assert min(float(run(script)) for _ in range(3)) < 0.5


def test_onednn_is_on_unless_the_user_says_otherwise():
    script = (
        "import os; os.environ['TF_ENABLE_ONEDNN_OPTS'] = '0'; import enas_tf; "
        "print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    )
    assert run(script) == "0"


def test_every_public_name_is_known_to_dir():
    script = "import enas_tf; print('MacroSpace' in dir(enas_tf), enas_tf.MacroSpace.__name__)"
    assert run(script) == "True MacroSpace"


def modules():
    """Returns the path of every module by its name."""
    names = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def imports(path, names):
    """Returns the modules that a module imports anywhere, inside functions and for types too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} & names.keys()
            if any(f"{node.module}.{alias.name}" not in names for alias in node.names):
                found.add(node.module)
    return found & names.keys()


MODULES = modules()
IMPORTS = {name: imports(path, MODULES) for name, path in MODULES.items()}


def room(name):
    return name.split(".")[1]


def test_every_module_stands_in_a_room_whose_place_is_known():
    assert {room(name) for name in MODULES if "." in name} == set(ROOMS)


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"enas_tf"}))
def test_imports_go_one_way(name):
    own = ROOMS.index(room(name))
    later = {other for other in IMPORTS[name] if "." in other and ROOMS.index(room(other)) > own}
    assert later == set()


def test_no_modules_import_each_other_in_a_circle():
    rest = {name: set(others) - {"enas_tf"} for name, others in IMPORTS.items()}
    while True:
        free = {name for name, others in rest.items() if not others & rest.keys()}
        if not free:
            break
        for name in free:
            del rest[name]
    assert rest == {}
