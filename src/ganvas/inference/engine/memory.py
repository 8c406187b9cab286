"""How much memory may be used, and what a lack of it looks like."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import torch

SHARE = 0.25  # of the memory at hand: other programs want some
MOST = 256 * 2**20  # bytes on the CPU: more rows at once make nothing faster


def budget(device: torch.device) -> int:
    """Bytes that the rows of all layers may take."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free * SHARE)
    return min(MOST, int(_at_hand() * SHARE))


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory did not suffice."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        words in said for words in ("out of memory", "can't allocate", "not enough memory", "alloc_cpu", "bad_alloc")
    )


def _at_hand() -> int:
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
