"""Memory of the process while training on a CPU."""

from __future__ import annotations

import ctypes
import sys

# From glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Let the process keep the memory that tensors free, for the next ones; does nothing where libc is not glibc.

    By default glibc asks the system for every block above 32 MiB and gives it back when freed, so that each step pays
    for its activations page by page: 7 % of a step of r3gan-small, and more the larger the feature maps.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)
