"""Rows of an array, brought to the device: from its own memory, or from the mapped file with a look-ahead."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.order import Position

SHARE = 0.4  # of the device's free memory that the rows may take

Index = NDArray[np.int64]
Take = Callable[[Index | slice], NDArray[Any]]


class Rows(ABC):
    """Where rows come from."""

    resident: ClassVar[bool]
    """Whether they are held whole on the device."""
    device: torch.device

    @abstractmethod
    def read(self, needed: Callable[[Position], Index], at: Position, following: Position) -> Tensor:
        """The rows whose numbers `needed` gives for a position, in the shape of these numbers, on the device.

        The tensor is the caller's to change. `following` is a guess at the next position: a wrong one costs a read,
        never a wrong row.
        """


class Resident(Rows):
    """All rows in the device's memory."""

    resident = True

    def __init__(self, take: Take, device: torch.device) -> None:
        self.device = device
        self._rows = torch.from_numpy(take(slice(None))).to(device)

    def read(self, needed: Callable[[Position], Index], at: Position, following: Position) -> Tensor:
        """As `Rows` has it."""
        index = torch.from_numpy(needed(at)).to(self.device)
        if index.ndim == 1:
            return self._rows.index_select(0, index)
        return self._rows.index_select(0, index.flatten()).view(*index.shape, *self._rows.shape[1:])


class ReadAhead(Rows):
    """Rows from the mapped file: while a batch is trained on, a thread reads the following one."""

    resident = False

    def __init__(self, take: Take, device: torch.device) -> None:
        self.device, self._take = device, take
        self._reader = ThreadPoolExecutor(1)
        self._ahead: dict[Position, Future[Tensor]] = {}

    def read(self, needed: Callable[[Position], Index], at: Position, following: Position) -> Tensor:
        """As `Rows` has it."""
        current = self._ahead.pop(at, None) or self._reader.submit(self._gather, needed(at))
        self._ahead = {other: rows for other, rows in self._ahead.items() if other.stream != at.stream}
        self._ahead[following] = self._reader.submit(self._gather, needed(following))
        return current.result().to(self.device, non_blocking=True)

    def _gather(self, index: Index) -> Tensor:
        rows = torch.from_numpy(self._take(index))
        return rows.pin_memory() if self.device.type == "cuda" else rows


def open_rows(take: Take, size: int, device: torch.device, resident_bytes: int | None = None) -> Rows:
    """Rows on the device where they fit, else from the mapped file.

    Args:
        take: copies of rows by their numbers.
        size: bytes of all rows.
        resident_bytes: memory they may take; by default two fifths of what is free on the device.
    """
    allowed = free_bytes(device) * SHARE if resident_bytes is None else resident_bytes
    return Resident(take, device) if size <= allowed else ReadAhead(take, device)


def free_bytes(device: torch.device) -> int:
    """Memory that is free on a device, in bytes."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory()
    try:
        # Free pages alone would not count the files that the system keeps in idle memory, ours among them.
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4 * 2**30  # a system that does not tell: assume the smallest laptop of our day
