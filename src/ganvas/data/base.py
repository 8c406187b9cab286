"""What a source becomes: a data set in memory, or mapped from the cache.

A source is a dataclass below `ganvas.recipe.sources.Source` and one function that opens it, registered in a file of its
own, which may be a user's:

    @open_data.register
    def _(source: Spirals, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Dataset: ...
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError
from ganvas.recipe.sources import Source


@dataclass(frozen=True)
class Skipped:
    """A file that cannot be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """Decoded images, 2-D points, or whatever else a source opens as rows of an array.

    Attributes:
        images: uint8 (N, H, W, C), usually mapped from the cache's file; of points float32 (N, 2).
        labels: int64 (N,), or None where the source has no classes.
        classes: their names.
        skipped: files that could not be used.
        fingerprint: changes with any image, label, name, and with how they were resized.
        name: of the source.
        kind: what the rows are called in messages.
        rows: which rows of `images` belong to this part, or None for all; `labels` has these rows' labels only.
        unlabelled: why there are no labels, where there seem to be some.
    """

    images: NDArray[Any]
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    fingerprint: str = ""
    name: str = ""
    kind: str = "images"
    rows: NDArray[np.int64] | None = None
    unlabelled: str = ""

    def __len__(self) -> int:
        return len(self.images) if self.rows is None else len(self.rows)

    def take(self, index: NDArray[np.int64] | slice) -> NDArray[Any]:
        """Copies of some rows of `images`, by their number within this part."""
        return np.array(self.images[index if self.rows is None else self.rows[index]])

    def spread(self, count: int) -> NDArray[Any]:
        """Copies of at most `count` rows of `images`, evenly spaced over this part."""
        return self.take(self._spaced(min(count, len(self))))

    def shares(self, count: int) -> NDArray[np.int64]:
        """`count` labels, each class as often as its share of this part says: those of the rows that `spread` copies.

        Where there are fewer rows than `count`, some stand for several.
        """
        assert self.labels is not None
        return self.labels[self._spaced(count)]

    def of_class(self, label: int) -> NDArray[np.int64]:
        """The numbers within this part of all rows of a class."""
        assert self.labels is not None
        return np.flatnonzero(self.labels == label)

    def _spaced(self, count: int) -> NDArray[np.int64]:
        return np.linspace(0, len(self) - 1, count).round().astype(np.int64)

    def split(self, held_out: float) -> tuple[Dataset, Dataset]:
        """The part to train on, and every k-th row with k = 1 / `held_out`, which is not trained on."""
        every = _every(held_out, len(self))
        kept = np.arange(len(self)) % every == every - 1
        return self._part(np.flatnonzero(~kept)), self._part(np.flatnonzero(kept))

    def _part(self, index: NDArray[np.int64]) -> Dataset:
        labels = None if self.labels is None else self.labels[index]
        return replace(self, rows=index if self.rows is None else self.rows[index], labels=labels)


@singledispatch
def open_data(source: Source, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Dataset:
    """The data of a source, each row of the given shape: (C, H, W) of images, (2,) of points.

    Args:
        workers: threads; 0 is one per core.
        progress: show bars on stderr.

    Raises:
        InputError: the source is not available, or nothing in it can be used.
    """
    kind = type(source).__name__
    raise InputError(
        f"nothing opens data of the kind {kind}; register a function with @ganvas.data.open_data.register."
    )


@singledispatch
def known_count(source: Source) -> int | None:
    """How many rows a source has, where that is known without opening it; a source may register its own answer."""
    return None


def count(source: Source, shape: tuple[int, ...]) -> int:
    """How many rows of a source are trained on; a source that does not know is opened for it.

    Raises:
        InputError: as `open_data`.
    """
    found = known_count(source) or len(open_data(source, shape, progress=True))
    return found - found // _every(source.held_out, found)


def _every(held_out: float, count: int) -> int:
    return round(min(1 / held_out, count + 1)) if held_out else count + 1
