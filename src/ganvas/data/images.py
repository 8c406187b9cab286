"""Square images of one size, decoded once."""

from __future__ import annotations

import numpy as np

from ganvas.data.base import Dataset, known_count, open_data
from ganvas.data.builtin import COUNTS
from ganvas.data.cache import decoded
from ganvas.data.decode import prepare
from ganvas.data.listing import open_source
from ganvas.recipe.sources import Images

FORMAT = 1  # part of every fingerprint: a new number makes old caches unknown, and old runs without their data


@open_data.register
def _(source: Images, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Dataset:
    return load(source, size=shape[-1], channels=shape[0], workers=workers, progress=progress)


@known_count.register
def _(source: Images) -> int | None:
    return COUNTS.get(source.source)


def load(source: Images, *, size: int, channels: int, workers: int = 0, progress: bool = False) -> Dataset:
    """Decode a source to `size` px and 1 or 3 channels, or take it from the cache if its content was decoded before.

    Args:
        workers: threads; 0 is one per core.
        progress: show bars on stderr.

    Raises:
        InputError: the source is not available, or no image in it can be used.
    """
    listing = open_source(source.source)
    how = size, channels, source.fit
    recipe = f"{FORMAT} {size} {channels} {source.fit} {listing.classes}"
    folder, about = decoded(listing, recipe, lambda content: prepare(content, *how), workers=workers, progress=progress)
    images = np.memmap(folder / "images.u8", np.uint8, "r", shape=(len(about["labels"]), size, size, channels))
    return Dataset(
        images,
        np.array(about["labels"], np.int64) if listing.classes else None,
        listing.classes,
        about["skipped"],
        folder.name,
        listing.name,
        unlabelled=listing.unlabelled,
    )
