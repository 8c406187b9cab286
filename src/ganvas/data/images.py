"""Square images of one size, decoded once."""

from __future__ import annotations

import numpy as np

from ganvas.data.base import Dataset, expect_available, known_count, open_data
from ganvas.data.builtin import COUNTS
from ganvas.data.cache import decode_images
from ganvas.data.decode import prepare
from ganvas.data.listing import expect_source, open_source
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
    listing = open_source(source.source, source.column, source.labels)

    recipe = f"{FORMAT} {size} {channels} {source.fit} {listing.classes}"

    def decode(content: bytes | Pixels) -> Pixels:
        return prepare(content, size, channels, source.fit)

    folder, about = decode_images(listing, recipe, decode, workers=workers, progress=progress)
    images = np.memmap(folder / "images.u8", np.uint8, "r", shape=(len(about["labels"]), size, size, channels))
    return Dataset(
        images,
        np.array(about["labels"], np.int64) if listing.classes else None,
        listing.classes,
        about["skipped"],
        folder.name,
        listing.name,
        unlabelled=listing.unlabelled,
        notes=listing.notes,
    )
