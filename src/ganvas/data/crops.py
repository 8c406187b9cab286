"""Photos of any size, decoded once at full size, from which crops are cut."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ganvas.data.base import Dataset, expect_available, known_count, open_data
from ganvas.data.builtin import COUNTS
from ganvas.data.cache import decode_source
from ganvas.data.decode import Unusable, open_image, to_mode
from ganvas.data.listing import expect_source
from ganvas.errors import InputError
from ganvas.imaging.grid import Pixels
from ganvas.recipe.sources import Crops


@dataclass(frozen=True)
class Photos(Dataset):
    """Full-size photos; `take` and `spread` give the crops at their centres.

    Attributes:
        images: uint8 (P, C), the pixels of all photos, one photo after the other.
        places: int64 (N, 3): index of the first pixel, height and width of each photo.
        size: side of the crops in pixels.
        kind: plural of the row's name, for messages.
    """

    places: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    size: int = 0
    kind: str = "photos"

    def __len__(self) -> int:
        return len(self.places if self.rows is None else self.rows)

    def placed(self, index: NDArray[np.int64] | slice) -> NDArray[np.int64]:
        """The `places` of some photos, by their index within this part."""
        return self.places[index if self.rows is None else self.rows[index]]

    def take(self, index: NDArray[np.int64] | slice) -> Pixels:
        """The crops at the centres of some photos: uint8 (n, size, size, C)."""
        return self.wide(index, 0)

    def wide(self, index: NDArray[np.int64] | slice, margin: int) -> Pixels:
        """The same with `margin` more pixels on each side; beyond its border a photo's last pixels repeat."""
        places = self.placed(index)
        corners = (places[:, 1:] - self.size) // 2
        return self.pixels(pixels_of(places, corners, self.size, margin))

    def pixels(self, index: NDArray[np.int64] | slice) -> Pixels:
        """Copy pixels (..., C), by their index into `images`."""
        return np.array(self.images[index])


def pixels_of(places: NDArray[np.int64], corners: NDArray[np.int64], size: int, margin: int) -> NDArray[np.int64]:
    """Indices of the pixels of crops (n, size + 2 margin, size + 2 margin), given their top left corners (n, 2)."""
    steps = np.arange(-margin, size + margin)
    rows = np.clip(corners[:, :1] + steps, 0, places[:, 1:2] - 1)
    columns = np.clip(corners[:, 1:] + steps, 0, places[:, 2:] - 1)
    starts: NDArray[np.int64] = places[:, 0, None] + rows * places[:, 2:]
    pixels: NDArray[np.int64] = starts[:, :, None] + columns[:, None, :]
    return pixels


@expect_available.register
def _(source: Crops) -> None:
    expect_source(source.source)


@known_count.register
def _(source: Crops) -> int | None:
    return COUNTS.get(source.source)


@open_data.register
def _(source: Crops, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Photos:
    """Decode a source to 1 or 3 channels at full size, or read it from the cache.

    Raises:
        InputError: the source is not available, or fewer than two of its photos are as large as a crop.
    """
    channels, size = shape[0], shape[-1]

    def whole(content: bytes | Pixels) -> Pixels:
        image = to_mode(open_image(content), channels)
        if min(image.size) < size:
            raise Unusable(f"{image.width} x {image.height} pixels is smaller than a crop of {size} x {size}")
        return np.asarray(image).reshape(image.height, image.width, channels)

    manner = f"whole {size} {channels}"
    found = decode_source(source.source, source.column, "", manner, whole, workers=workers, progress=progress)
    sides = found.sides
    counts = sides.prod(1)
    starts = np.cumsum(counts) - counts
    if len(sides) < 2:
        raise InputError(
            f"{found.name} has only one usable photo, which leaves none to hold out for validation; give at least two."
        )
    return Photos(
        np.memmap(found.pixels, np.uint8, "r", shape=(int(counts.sum()), channels)),
        skipped=found.skipped,
        fingerprint=found.fingerprint,
        name=found.name,
        notes=found.notes,
        places=np.column_stack([starts, sides]),
        size=size,
    )
