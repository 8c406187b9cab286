"""How much memory may be used, and how to recognize that it ran out."""

from __future__ import annotations

import torch

from ganvas.machine import free_memory

SHARE = 0.25  # fraction of the available memory: leave some to other programs
MOST = 256 * 2**20  # bytes on the CPU: more rows at once are not faster


def budget(device: torch.device) -> int:
    """Bytes that the rows of all layers may use."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free * SHARE)
    return min(MOST, int(free_memory() * SHARE))


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        text in message for text in ("out of memory", "can't allocate", "not enough memory", "alloc_cpu", "bad_alloc")
    )
