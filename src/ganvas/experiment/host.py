"""Where a run is computed and stored; not part of its identity."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import ganvas
from ganvas.errors import InputError
from ganvas.machine import processor
from ganvas.systems import FOLDERS

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Host:
    """Device, workers and folder."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Device; auto selects CUDA, else Apple's MPS, else the CPU."""
    workers: int = 0
    """Threads that decode images; 0 is one per core."""
    runs: str = "runs"
    """Folder of all runs."""

    def torch_device(self) -> torch.device:
        """The device to compute on.

        Raises:
            InputError: the requested device is not available.
        """
        import torch

        available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
        if self.device == "auto":
            return torch.device(next(name for name, usable in available.items() if usable))
        if not available[self.device]:
            names = ", ".join(name for name, usable in available.items() if usable)
            raise InputError(f"--host.device {self.device} is not available; available: {names}.")
        return torch.device(self.device)

    def describe(self) -> dict[str, Any]:
        """The machine and software, for readers of the run's figures."""
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
            **({"systems": [str(Path(folder).resolve()) for folder in FOLDERS]} if FOLDERS else {}),
        }
