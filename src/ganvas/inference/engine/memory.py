"""How much memory may be used, and how to recognize that it ran out."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import torch

SHARE = 0.25  # fraction of the available memory: leave some to other programs
MOST = 256 * 2**20  # bytes on the CPU: more rows at once are not faster


def budget(device: torch.device) -> int:
    """Bytes that the rows of all layers may use."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free * SHARE)
    return min(MOST, int(_available() * SHARE))


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        text in message for text in ("out of memory", "can't allocate", "not enough memory", "alloc_cpu", "bad_alloc")
    )


def _available() -> int:
    found = [2**32]
    with suppress(OSError, ValueError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")]
    with suppress(OSError, ValueError):  # a container's own limit
        limit, used = (Path(f"/sys/fs/cgroup/memory.{name}").read_text(encoding="ascii") for name in ("max", "current"))
        found.append(int(limit) - int(used))
    if not found:
        with suppress(OSError, ValueError):
            found = [os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    return max(2**26, min(found, default=2**32))
