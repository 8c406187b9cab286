"""A description of this machine, the memory that it has left, and how to recognize that it ran out."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path


def processor() -> str:
    """The processor's model name where the system reports one, else its architecture."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def free_memory() -> int:
    """Bytes of main memory that a program may still use; 4 GiB where that cannot be told."""
    found = []
    with suppress(OSError, ValueError):
        # MemFree would not count the page cache, which holds our own files too.
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    with suppress(OSError, ValueError):  # a container's own limit
        limit, used = (Path(f"/sys/fs/cgroup/memory.{name}").read_text(encoding="ascii") for name in ("max", "current"))
        found.append(int(limit) - int(used))
    if not found:
        with suppress(AttributeError, OSError, ValueError):
            found = [os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    return max(2**26, min(found, default=2**32))


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out; torch has a class of its own for that on a GPU alone."""
    if isinstance(error, MemoryError):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        text in message for text in ("out of memory", "can't allocate", "not enough memory", "alloc_cpu", "bad_alloc")
    )
