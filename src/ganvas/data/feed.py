"""The batch at image N: a pure function of (seed, images seen, stream, rank)."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.dataset import Dataset
from ganvas.errors import InputError
from ganvas.recipe.batch import Batch

# 0..255 to -1..1 in one pass over the memory; one step below 2/255 in fp32, so that white does not exceed 1.
SCALE = float(np.nextafter(np.float32(2 / 255), np.float32(0)))
SHARE = 0.4  # of the device's free memory that the pictures may take


class Feed:
    """Serves batches from memory on the device, or, where they do not fit, from the mapped file with a look-ahead.

    Attributes:
        waited: seconds spent on fetching so far.
        resident: whether the pictures are held whole on the device.
        local_size: pictures in a batch of this process.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        batch_size: int,
        seed: int,
        device: torch.device,
        flip: bool = False,
        rank: int = 0,
        world_size: int = 1,
        resident_bytes: int | None = None,
    ) -> None:
        """Prepare to serve.

        Args:
            batch_size: pictures in a batch over all processes.
            flip: mirror each picture left to right with probability one half.
            rank, world_size: this process's share: the rank-th part of every batch.
            resident_bytes: memory the pictures may take; by default two fifths of what is free on the device.

        Raises:
            InputError: the batch does not fit the data or the processes.
        """
        if batch_size > len(dataset):
            raise InputError(
                f"{dataset.name} has {len(dataset)} {dataset.kind} to train on, fewer than one batch of {batch_size};"
                f" give more, or --batch-size {max(2, len(dataset))} or less."
            )
        if batch_size % world_size:
            raise InputError(f"a batch of {batch_size} cannot be shared evenly by {world_size} processes; change one.")
        self.dataset, self.batch_size, self.seed, self.device, self.flip = dataset, batch_size, seed, device, flip
        self.local_size = batch_size // world_size
        self._share = slice(rank * self.local_size, (rank + 1) * self.local_size)
        self._orders: dict[tuple[int, int], NDArray[np.int64]] = {}
        self.waited = 0.0
        allowed = free_bytes(device) * SHARE if resident_bytes is None else resident_bytes
        self.resident = len(dataset) * dataset.images[0].nbytes <= allowed
        if self.resident:
            self._images = torch.from_numpy(dataset.take(slice(None))).to(device)
        else:
            self._reader = ThreadPoolExecutor(1)
            self._ahead: dict[tuple[int, int], Future[Tensor]] = {}
        self._minus_one = torch.tensor(-1.0, device=device)
        self._labels = None if dataset.labels is None else torch.from_numpy(dataset.labels).to(device)

    def batch(self, images_seen: int, stream: int = 0) -> Batch:
        """The batch that starts at this count of images; streams are independent orders of the same pictures."""
        return Batch(self.local_size, self.device, images_seen, partial(self.fetch, images_seen, stream))

    def fetch(self, images_seen: int, stream: int) -> dict[str, Tensor]:
        """The named tensors of a batch."""
        began = time.perf_counter()
        index = torch.from_numpy(self._index(images_seen, stream))
        rows = self._images.index_select(0, index.to(self.device)) if self.resident else self._read(images_seen, stream)
        if self.flip:
            # Only the rows concerned, in place and before they become floats: less than half of torch.where's time.
            mirrored = torch.from_numpy(self._mirrored(images_seen, stream).nonzero()[0]).to(self.device)
            rows.index_copy_(0, mirrored, rows.index_select(0, mirrored).flip(2))
        real = rows  # points are what they are
        if rows.dtype == torch.uint8:
            real = torch.add(self._minus_one, rows.permute(0, 3, 1, 2), alpha=SCALE)
        labels = {} if self._labels is None else {"label": self._labels[index.to(self.device)]}
        self.waited += time.perf_counter() - began
        return {"real": real, **labels}

    def _index(self, images_seen: int, stream: int) -> NDArray[np.int64]:
        epoch, offset = divmod(images_seen, len(self.dataset))
        index = self._order(stream, epoch)[offset : offset + self.batch_size]
        if len(index) < self.batch_size:
            rest = self._order(stream, epoch + 1)[: self.batch_size - len(index)]
            index = np.concatenate([index, rest])
        return index[self._share]

    def _order(self, stream: int, epoch: int) -> NDArray[np.int64]:
        key = (stream, epoch)
        if key not in self._orders:
            for old in [k for k in self._orders if k[0] == stream and k[1] not in (epoch - 1, epoch + 1)]:
                del self._orders[old]
            self._orders[key] = np.random.default_rng((self.seed, stream, epoch)).permutation(len(self.dataset))
        return self._orders[key]

    def _mirrored(self, images_seen: int, stream: int) -> NDArray[np.bool_]:
        chances = np.random.default_rng((self.seed, stream, images_seen, 1)).random(self.batch_size)
        return chances[self._share] < 0.5

    def _read(self, images_seen: int, stream: int) -> Tensor:
        # The next batch is a guess: a wrong one costs a read, never a wrong picture.
        following = (stream, images_seen + self.batch_size)
        current = self._ahead.pop((stream, images_seen), None) or self._submit((stream, images_seen))
        self._ahead = {key: future for key, future in self._ahead.items() if key[0] != stream}
        self._ahead[following] = self._submit(following)
        return current.result().to(self.device, non_blocking=True)

    def _submit(self, key: tuple[int, int]) -> Future[Tensor]:
        return self._reader.submit(self._gather, self._index(key[1], key[0]))

    def _gather(self, index: NDArray[np.int64]) -> Tensor:
        rows = torch.from_numpy(self.dataset.take(index))
        return rows.pin_memory() if self.device.type == "cuda" else rows


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
