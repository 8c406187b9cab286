"""Where a run is computed and kept. Never part of its identity."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import ganvas
from ganvas.errors import InputError
from ganvas.machine import processor

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Host:
    """Device, workers and folder."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute; auto takes CUDA, else Apple's MPS, else the CPU."""
    workers: int = 0
    """Threads that decode pictures; 0 is one per core."""
    runs: str = "runs"
    """Folder that holds all runs."""

    def torch_device(self) -> torch.device:
        """The device to compute on.

        Raises:
            InputError: the one asked for is not here.
        """
        import torch

        have = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
        if self.device == "auto":
            return torch.device(next(name for name, there in have.items() if there))
        if not have[self.device]:
            there = ", ".join(name for name, is_there in have.items() if is_there)
            raise InputError(f"--host.device {self.device} is not available; available: {there}.")
        return torch.device(self.device)

    def describe(self) -> dict[str, Any]:
        """What a reader of the run's figures must know of the machine."""
        import torch

        device = self.torch_device()
        return {
            "device": torch.cuda.get_device_name() if device.type == "cuda" else device.type,
            "processor": processor(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "ganvas": ganvas.__version__,
            "system": platform.platform(),
        }
