"""Memory that a process keeps once it has had it.

The C library gives large blocks back to the system when they are freed, and gets them anew, page by
page, at the next operation of the same step: on virtual machines that takes as long as some of the
operations themselves.
"""

import ctypes
import os
import platform

# Of `mallopt` in glibc's malloc.h: one arena, no blocks of their own, nothing given back.
_OPTIONS = {"M_ARENA_MAX": (-8, 1), "M_MMAP_MAX": (-4, 0), "M_TRIM_THRESHOLD": (-1, -1)}
_ENVIRONMENT = ("MALLOC_", "GLIBC_TUNABLES")


def keep_freed_memory() -> bool:
    """Lets the process keep freed memory for what comes next; peaks of its memory stay.

    Nothing happens where another C library is in use, and where environment variables
    (`MALLOC_…`, `GLIBC_TUNABLES`) say already how memory is to be had.

    Returns:
      Whether it will.
    """
    chosen = any(name.startswith(_ENVIRONMENT) for name in os.environ)
    if chosen or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return all(mallopt(*option) for option in _OPTIONS.values())
