"""Square images of one size, decoded once."""

from __future__ import annotations

import numpy as np

from ganvas.data.base import Dataset, expect_available, known_count, open_data
from ganvas.data.builtin import COUNTS
from ganvas.data.cache import decode_source
from ganvas.data.decode import prepare
from ganvas.data.listing import expect_source
from ganvas.imaging.grid import Pixels
from ganvas.recipe.sources import Images

FORMAT = 1  # enters every fingerprint: a new number would invalidate all caches, and old runs would lose their data


@open_data.register
def _(source: Images, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Dataset:
    return load(source, size=shape[-1], channels=shape[0], workers=workers, progress=progress)


@expect_available.register
def _(source: Images) -> None:
    expect_source(source.source)


@known_count.register
def _(source: Images) -> int | None:
    return COUNTS.get(source.source)


def load(source: Images, *, size: int, channels: int, workers: int = 0, progress: bool = False) -> Dataset:
    """Decode a source to `size` pixels and 1 or 3 channels, or read it from the cache if it was decoded before.

    Args:
        workers: number of threads; 0 means one per core.
        progress: show progress bars on stderr.

    Raises:
        InputError: the source is not available, or contains no usable image.
    """

    def decode(content: bytes | Pixels) -> Pixels:
        return prepare(content, size, channels, source.fit)

    manner = f"{FORMAT} {size} {channels} {source.fit} {{classes}}"
    found = decode_source(
        source.source, source.column, source.labels, manner, decode, workers=workers, progress=progress
    )
    return Dataset(
        np.memmap(found.pixels, np.uint8, "r", shape=(len(found.sides), size, size, channels)),
        found.labels,
        found.classes,
        found.skipped,
        found.fingerprint,
        found.name,
        unlabelled=found.unlabelled,
        notes=found.notes,
    )
