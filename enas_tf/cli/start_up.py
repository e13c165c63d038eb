"""Loading TensorFlow without the lines that it always writes."""

import os
import re
import sys
import tempfile
from typing import BinaryIO

# Written before TensorFlow's log level counts: which CPU features it has, and (303, on every
# machine without a GPU) that there is no CUDA driver.
_NOISE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog|I\d{4} |E\d{4} .*cuInit.*\(303\)"
)


def load_tensorflow() -> None:
    """Imports TensorFlow and looks for devices; on stderr only what is worth reading appears.

    The lines are written by native code, so that the file descriptor itself is turned aside.
    """
    sys.stderr.flush()
    with _file_in_memory() as kept:
        stderr = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            kept.seek(0)
            for line in kept:
                if not _NOISE.match(line):
                    os.write(2, line)


def _file_in_memory() -> BinaryIO:
    # Where there is no such thing, a full disk keeps TensorFlow from being loaded.
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stderr"), "w+b")
    return tempfile.TemporaryFile()
