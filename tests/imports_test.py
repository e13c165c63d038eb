"""What importing the package costs."""

import subprocess
import sys

WITHOUT_TENSORFLOW = (
    "enas_tf.spaces.architectures",
    "enas_tf.cli.report",
    "enas_tf.cli.search",
    "enas_tf.settings.config",
    "enas_tf.environment.console",
    "enas_tf.errors",
    "enas_tf.data.images.dataset",
    "enas_tf.data.sharing",
    "enas_tf.data.texts.batch",
    "enas_tf.data.texts.dataset",
    "enas_tf.files.writing",
    "enas_tf.environment.keras_settings",
    "enas_tf.models.files",
    "enas_tf.reporting.drawing",
    "enas_tf.reporting.progress",
    "enas_tf.runs.directory",
    "enas_tf.records.search",
    "enas_tf.settings.setting",
    "enas_tf.training.machines.cluster",
    "enas_tf.training.interruption",
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
