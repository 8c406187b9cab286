"""How much memory the engine may use."""

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
