"""The batch at image N, put together from an order, rows and a transform."""

from __future__ import annotations

import time
from functools import partial
from typing import Required, TypedDict, Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.base import Dataset
from ganvas.data.crops import Photos
from ganvas.data.order import Order, Position
from ganvas.data.rows import Rows, open_rows
from ganvas.data.transforms import CutAndDegrade, FlipAndScale, Transform
from ganvas.errors import InputError
from ganvas.recipe.batch import Batch
from ganvas.recipe.sources import Crops


class Feed:
    """Serves batches: a pure function of (seed, images seen, stream, rank).

    Attributes:
        waited: seconds spent on fetching so far.
        resident: whether the rows are held whole on the device.
        local_size: rows in a batch of this process.
    """

    def __init__(self, order: Order, rows: Rows, transform: Transform, labels: NDArray[np.int64] | None = None) -> None:
        self.order, self.rows, self.transform = order, rows, transform
        self.resident, self.local_size = rows.resident, order.local_size
        self.waited = 0.0
        self._needed = partial(transform.needed, order)
        self._labels = None if labels is None else torch.from_numpy(labels).to(rows.device)

    def batch(self, images_seen: int, stream: int = 0) -> Batch:
        """The batch that starts at this count of images; streams are independent orders of the same rows."""
        fetch = partial(self._fetch, Position(images_seen, stream))
        return Batch(self.local_size, self.rows.device, images_seen, fetch)

    def _fetch(self, at: Position) -> dict[str, Tensor]:
        began = time.perf_counter()
        rows = self.rows.read(self._needed, at, self.order.after(at))
        # A batch is fetched where networks may compute in bf16; data are not rounded so, and not every resize knows it.
        with torch.autocast(rows.device.type, enabled=False):
            tensors = self.transform(rows, self.order, at)
        if self._labels is not None:
            index = torch.from_numpy(self.order.indices(at)[self.order.share])
            tensors["label"] = self._labels[index.to(self.rows.device)]
        self.waited += time.perf_counter() - began
        return tensors


class Serving(TypedDict, total=False):
    """How any feed serves."""

    batch_size: Required[int]
    """Rows in a batch over all processes."""
    seed: Required[int]
    device: Required[torch.device]
    rank: int
    """Which part of every batch is this process's."""
    world_size: int
    """How many processes share a batch."""
    resident_bytes: int | None
    """Memory that the rows may take; by default two fifths of what is free on the device."""


def row_feed(dataset: Dataset, transform: Transform, **serving: Unpack[Serving]) -> Feed:
    """Serve the rows of a data set, with their labels.

    Raises:
        InputError: the batch does not fit the data or the processes.
    """
    batch_size = serving["batch_size"]
    if batch_size > len(dataset):
        raise InputError(
            f"{dataset.name} has {len(dataset)} {dataset.kind} to train on, fewer than one batch of {batch_size};"
            f" give more, or --batch-size {max(2, len(dataset))} or less."
        )
    order = _order(len(dataset), serving)
    size = len(dataset) * dataset.images[0].nbytes
    return Feed(order, open_rows(dataset.take, size, *_place(serving)), transform, dataset.labels)


def image_feed(dataset: Dataset, *, flip: bool = False, **serving: Unpack[Serving]) -> Feed:
    """Serve images in [-1, 1]: ``real`` and, where there are classes, ``label``.

    Args:
        flip: mirror each image left to right with probability one half.

    Raises:
        InputError: the batch does not fit the data or the processes.
    """
    return row_feed(dataset, FlipAndScale(flip), **serving)


def crop_feed(photos: Photos, crops: Crops, *, scale: int, **serving: Unpack[Serving]) -> Feed:
    """Serve crops in [-1, 1]: ``real`` and ``input``, which is `scale` times smaller.

    A batch may be larger than the folder: other crops of the same photographs are other images.

    Raises:
        InputError: the batch does not fit the processes.
    """
    order = _order(len(photos), serving)
    rows = open_rows(photos.pixels, photos.images.nbytes, *_place(serving))
    return Feed(order, rows, CutAndDegrade(photos, crops, scale))


def _order(count: int, serving: Serving) -> Order:
    share = serving.get("rank", 0), serving.get("world_size", 1)
    return Order(count, batch_size=serving["batch_size"], seed=serving["seed"], rank=share[0], world_size=share[1])


def _place(serving: Serving) -> tuple[torch.device, int | None]:
    return serving["device"], serving.get("resident_bytes")
