"""The batch at image N, composed from an order, rows and a transform."""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import partial
from typing import Required, TypedDict, Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.base import Dataset
from ganvas.data.crops import Photos
from ganvas.data.order import Order, Position, expect_batch
from ganvas.data.rows import Rows, open_rows
from ganvas.data.transforms import CutAndDegrade, FlipAndScale, Transform
from ganvas.recipe.batch import Batch
from ganvas.recipe.sources import Cropped


class Feed:
    """Serves batches: a pure function of (seed, images seen, stream, rank).

    Attributes:
        waited: seconds spent fetching so far.
        resident: whether all rows are held on the device.
        local_size: number of rows in this process's share of a batch.
    """

    def __init__(self, order: Order, rows: Rows, transform: Transform, labels: NDArray[np.int64] | None = None) -> None:
        self.order, self.rows, self.transform = order, rows, transform
        self.resident, self.local_size = rows.resident, order.local_size
        self.waited = 0.0
        self._needed = partial(transform.needed, order)
        self._labels = None if labels is None else torch.from_numpy(labels).to(rows.device)

    def batch(self, images_seen: int, stream: int = 0) -> Batch:
        """The batch that starts after `images_seen` images; streams are independent orders of the same rows."""
        fetch = partial(self._fetch, Position(images_seen, stream))
        return Batch(self.local_size, self.rows.device, images_seen, fetch)

    def _fetch(self, at: Position) -> dict[str, Tensor]:
        began = time.perf_counter()
        rows = self.rows.read(self._needed, at, self.order.after(at))
        # The caller may be under bf16 autocast: data must not be rounded to bf16, and not every resize supports it.
        device = rows.device.type
        with torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext():
            tensors = self.transform(rows, self.order, at)
        if self._labels is not None:
            index = torch.from_numpy(self.order.indices(at)[self.order.share])
            tensors["label"] = self._labels[index.to(self.rows.device)]
        self.waited += time.perf_counter() - began
        return tensors


class FeedOptions(TypedDict, total=False):
    """Options of every feed."""

    batch_size: Required[int]
    """Rows in a batch, over all processes."""
    seed: Required[int]
    device: Required[torch.device]
    rank: int
    """Rank of this process, which selects its share of every batch."""
    world_size: int
    """Number of processes that share a batch."""
    resident_bytes: int | None
    """Memory that the rows may take; by default two fifths of the device's free memory."""


def row_feed(dataset: Dataset, transform: Transform, **options: Unpack[FeedOptions]) -> Feed:
    """Serve the rows of a dataset, with their labels.

    Raises:
        InputError: the batch does not fit the data or the processes.
    """
    expect_batch(len(dataset), options["batch_size"], dataset.name, dataset.kind)
    order = _order(len(dataset), options)
    size = len(dataset) * dataset.images[0].nbytes
    return Feed(order, open_rows(dataset.take, size, *_place(options)), transform, dataset.labels)


def image_feed(dataset: Dataset, *, flip: bool = False, **options: Unpack[FeedOptions]) -> Feed:
    """Serve images in [-1, 1] as ``real`` and, if there are classes, their ``label``.

    Args:
        flip: mirror each image left to right with probability one half.

    Raises:
        InputError: the batch does not fit the data or the processes.
    """
    return row_feed(dataset, FlipAndScale(flip), **options)


def crop_feed(photos: Photos, crops: Cropped, *, scale: int, **options: Unpack[FeedOptions]) -> Feed:
    """Serve crops in [-1, 1] as ``real``, and as ``input`` what the generator is given of them, `scale` times smaller.

    A batch may have more crops than there are photos, since different crops of a photo are different images.

    Raises:
        InputError: the batch does not fit the processes.
    """
    order = _order(len(photos), options)
    rows = open_rows(photos.pixels, photos.images.nbytes, *_place(options))
    return Feed(order, rows, CutAndDegrade(photos, crops, scale))


def _order(count: int, options: FeedOptions) -> Order:
    share = options.get("rank", 0), options.get("world_size", 1)
    return Order(count, batch_size=options["batch_size"], seed=options["seed"], rank=share[0], world_size=share[1])


def _place(options: FeedOptions) -> tuple[torch.device, int | None]:
    return options["device"], options.get("resident_bytes")
