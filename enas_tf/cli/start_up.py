"""Loading TensorFlow and Keras without the lines that they always write."""

import os
import re

from enas_tf.environment.console import native_lines_aside
from enas_tf.environment.keras_settings import check_backend
from enas_tf.environment.memory import keep_freed_memory
from enas_tf.training.interruption import DeferredSignals

# Written before TensorFlow's log level counts: which CPU features it has, that there is no CUDA
# driver (303, on every machine without a GPU), and that parts of it were linked twice (up to 2.19).
_NOISE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog|I\d{4} |.*cuInit.*\(303\)"
    rb"|.*Unable to register cu\w+ (factory|plugin)|.*computation placer already registered"
)


def load_tensorflow() -> None:
    """Imports TensorFlow and looks for devices; on stderr only what is worth reading appears.

    The process keeps the memory that it frees from now on.
    The memory of GPUs is taken as it is needed.

    Raises:
      ConfigurationError: Keras cannot be loaded as it is configured.
    """
    # Whatever the machine uses Keras for otherwise.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    keep_freed_memory()
    # A native part that is interrupted while it is loaded fails with an error of its own.
    with DeferredSignals(), native_lines_aside(_NOISE):
        # First, since TensorFlow reads the same file as Keras, and says less of what is wrong.
        check_backend()
        from enas_tf.training.hardware import grow_memory

        # Whoever trains may say otherwise later.
        grow_memory(True)
