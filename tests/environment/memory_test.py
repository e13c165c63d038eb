import os
import platform
import subprocess
import sys

import pytest

from enas_tf.environment.memory import keep_freed_memory

# How many pages come anew when 50 MB are taken and given back ten times.
FAULTS = """
import ctypes, resource, sys
from enas_tf.environment.memory import keep_freed_memory
if sys.argv[1:]:
    assert keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def use():
    block = libc.malloc(ctypes.c_size_t(50_000_000))
    ctypes.memset(block, 1, 50_000_000)
    libc.free(block)
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

on_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")


def faults(*arguments):
    chosen = {name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    environment = {name: value for name, value in os.environ.items() if name not in chosen}
    command = [sys.executable, "-c", FAULTS, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return int(result.stdout)


@on_glibc
def test_freed_memory_is_used_again():
    assert faults("keep") < 1000 < faults()


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"])
def test_what_the_environment_says_counts(name, monkeypatch):
    monkeypatch.setenv(name, "")
    assert not keep_freed_memory()
