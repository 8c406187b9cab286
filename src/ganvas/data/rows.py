"""Rows of an array on the device: from device memory, or from a mapped file that is read ahead."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.order import Position
from ganvas.machine import free_memory

SHARE = 0.4  # fraction of the device's free memory that the rows may take

Index = NDArray[np.int64]
Take = Callable[[Index | slice], NDArray[Any]]


class Rows(ABC):
    """A way to read rows."""

    resident: ClassVar[bool]
    """Whether all rows are held on the device."""
    device: torch.device

    @abstractmethod
    def read(self, needed: Callable[[Position], Index], at: Position, following: Position) -> Tensor:
        """The rows that `needed` gives indices of for a position, on the device, in the shape of the indices.

        The caller may modify the tensor. `following` is a guess at the next position: a wrong guess costs a read, but
        never returns a wrong row.
        """


class Resident(Rows):
    """All rows in the device's memory."""

    resident = True

    def __init__(self, take: Take, device: torch.device) -> None:
        self.device = device
        self._rows = torch.from_numpy(take(slice(None))).to(device)

    def read(self, needed: Callable[[Position], Index], at: Position, following: Position) -> Tensor:
        """See `Rows.read`."""
        index = torch.from_numpy(needed(at)).to(self.device)
        if index.ndim == 1:
            return self._rows.index_select(0, index)
        return self._rows.index_select(0, index.flatten()).view(*index.shape, *self._rows.shape[1:])


class ReadAhead(Rows):
    """Rows of a mapped file: a thread reads the next batch during training on the current one."""

    resident = False

    def __init__(self, take: Take, device: torch.device) -> None:
        self.device, self._take = device, take
        self._reader = ThreadPoolExecutor(1)
        self._ahead: dict[Position, Future[Tensor]] = {}

    def read(self, needed: Callable[[Position], Index], at: Position, following: Position) -> Tensor:
        """See `Rows.read`."""
        current = self._ahead.pop(at, None) or self._reader.submit(self._gather, needed(at))
        self._ahead = {other: rows for other, rows in self._ahead.items() if other.stream != at.stream}
        self._ahead[following] = self._reader.submit(self._gather, needed(following))
        return current.result().to(self.device, non_blocking=True)

    def _gather(self, index: Index) -> Tensor:
        rows = torch.from_numpy(self._take(index))
        return rows.pin_memory() if self.device.type == "cuda" else rows


def open_rows(take: Take, size: int, device: torch.device, resident_bytes: int | None = None) -> Rows:
    """Hold the rows on the device if they fit, or else read them from the mapped file.

    Args:
        take: copies rows by their indices.
        size: bytes of all rows.
        resident_bytes: memory that the rows may take; by default two fifths of the device's free memory.
    """
    allowed = free_bytes(device) * SHARE if resident_bytes is None else resident_bytes
    return Resident(take, device) if size <= allowed else ReadAhead(take, device)


def free_bytes(device: torch.device) -> int:
    """Free memory of a device in bytes."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory()
    return free_memory()
