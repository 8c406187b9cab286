"""Datasets: what sources are opened as, in memory or mapped from the cache.

A source is a subclass of `ganvas.recipe.sources.Source` and a function that opens it; both may live in a user's file:

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

ASIDE = (
    ".csv",
    ".html",
    ".ini",
    ".json",
    ".jsonl",
    ".log",
    ".md",
    ".npy",
    ".npz",
    ".pdf",
    ".tsv",
    ".txt",
    ".xml",
    ".yaml",
)


@dataclass(frozen=True)
class Skipped:
    """A file that cannot be used, and the reason."""

    name: str
    reason: str

    @property
    def is_aside(self) -> bool:
        """Whether it is hardly meant as an image, by its name: an index, a table, a readme."""
        return self.name.lower().endswith(ASIDE)


@dataclass(frozen=True)
class Dataset:
    """Decoded images, 2-D points, or other rows of an array.

    Attributes:
        images: uint8 (N, H, W, C), usually mapped from a file in the cache; for points, float32 (N, 2).
        labels: int64 (N,), or None if the source has no classes.
        classes: names of the classes.
        skipped: files that cannot be used.
        fingerprint: changes with any image, label or name, and with how the images were resized.
        name: name of the source.
        kind: plural of the row's name, for messages.
        rows: indices into `images` of the rows in this part, or None for all; `labels` holds only their labels.
        unlabelled: why there are no labels although there seem to be some.
        notes: choices that were made for the user, such as between several arrays of a file.
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
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.images.shape[1:]))
        classes = f", {len(self.classes)} classes" if self.classes else ""
        return f"<Dataset {self.name}: {len(self):,} {self.kind} of {shape}{classes}>"

    def __len__(self) -> int:
        return self.whole if self.rows is None else len(self.rows)

    @property
    def whole(self) -> int:
        """The number of rows of the whole source."""
        return len(self.images)

    @property
    def unusable(self) -> str:
        """How many files of the whole source cannot be used, and why the first cannot; empty where all can."""
        broken = [skipped for skipped in self.skipped if not skipped.is_aside]
        if not broken:
            return ""
        first, files = broken[0], self.whole + len(self.skipped)
        return f"{len(broken)} of {files} files are unusable, such as {first.name} ({first.reason})"

    def take(self, index: NDArray[np.int64] | slice) -> NDArray[Any]:
        """Copy rows of `images`, by their index within this part."""
        return np.array(self.images[index if self.rows is None else self.rows[index]])

    def spread(self, count: int) -> NDArray[Any]:
        """Copy at most `count` rows of `images`, evenly spaced over this part."""
        return self.take(self._spaced(min(count, len(self))))

    def spread_labels(self, count: int) -> NDArray[np.int64]:
        """`count` labels in the class proportions of this part: those of the rows that `spread` copies.

        If there are fewer rows than `count`, some labels repeat.
        """
        assert self.labels is not None
        return self.labels[self._spaced(count)]

    def of_class(self, label: int) -> NDArray[np.int64]:
        """Indices within this part of all rows of a class."""
        assert self.labels is not None
        return np.flatnonzero(self.labels == label)

    def _spaced(self, count: int) -> NDArray[np.int64]:
        return np.linspace(0, len(self) - 1, count).round().astype(np.int64)

    def split(self, held_out: float) -> tuple[Dataset, Dataset]:
        """Split into a training part and a held-out part: every k-th row, where k = 1 / `held_out`."""
        every = _every(held_out, len(self))
        kept = np.arange(len(self)) % every == every - 1
        return self._part(np.flatnonzero(~kept)), self._part(np.flatnonzero(kept))

    def _part(self, index: NDArray[np.int64]) -> Dataset:
        labels = None if self.labels is None else self.labels[index]
        return replace(self, rows=index if self.rows is None else self.rows[index], labels=labels)


@singledispatch
def open_data(source: Source, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Dataset:
    """Open a source as rows of the given shape: (C, H, W) for images, (2,) for points.

    Args:
        workers: number of threads; 0 means one per core.
        progress: show progress bars on stderr.

    Raises:
        InputError: the source is not available, or contains nothing usable.
    """
    raise InputError(
        f"no function is registered to open {type(source).__name__} sources; register one with"
        " @ganvas.data.open_data.register."
    )


@singledispatch
def expect_available(source: Source) -> None:
    """Refuse a source whose name or path is wrong, before anything is opened; a source may register its own check.

    Raises:
        InputError: there are no such data.
    """


@singledispatch
def known_count(source: Source) -> int | None:
    """The number of rows of a source, if known without opening it; a source may register its own function."""
    return None


def count(source: Source, shape: tuple[int, ...]) -> int:
    """The number of training rows of a source, which is opened if the number is not known.

    Raises:
        InputError: see `open_data`.
    """
    found = known_count(source) or len(open_data(source, shape, progress=True))
    return found - found // _every(source.held_out, found)


def _every(held_out: float, count: int) -> int:
    return round(min(1 / held_out, count + 1)) if held_out else count + 1
