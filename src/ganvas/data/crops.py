"""Photographs of any size, decoded once and kept whole, to be cut into crops."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ganvas.data.base import Dataset, known_count, open_data
from ganvas.data.builtin import COUNTS
from ganvas.data.cache import decoded
from ganvas.data.decode import Pixels, Unusable, open_picture, to_mode
from ganvas.data.listing import open_source
from ganvas.errors import InputError
from ganvas.recipe.sources import Crops


@dataclass(frozen=True)
class Photos(Dataset):
    """Whole photographs; their rows, as images, are the crops from their centres.

    Attributes:
        images: uint8 (pixels of all photographs, C), one after the other.
        places: int64 (N, 3): the first pixel of each photograph, its height and width.
        size: side of the crops.
        kind: what the rows are called in messages.
    """

    places: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    size: int = 0
    kind: str = "photographs"

    def __len__(self) -> int:
        return len(self.places if self.rows is None else self.rows)

    def placed(self, index: NDArray[np.int64] | slice) -> NDArray[np.int64]:
        """The `places` of some photographs, by their number within this part."""
        return self.places[index if self.rows is None else self.rows[index]]

    def take(self, index: NDArray[np.int64] | slice) -> Pixels:
        """The crops from the centres of some photographs: uint8 (n, size, size, C)."""
        return self.wide(index, 0)

    def wide(self, index: NDArray[np.int64] | slice, margin: int) -> Pixels:
        """The same with `margin` pixels more on each side; beyond a photograph's border its last pixels repeat."""
        places = self.placed(index)
        corners = (places[:, 1:] - self.size) // 2
        return self.pixels(pixels_of(places, corners, self.size, margin))

    def pixels(self, index: NDArray[np.int64] | slice) -> Pixels:
        """Copies of some pixels (..., C), by their number among those of all photographs."""
        return np.array(self.images[index])


def pixels_of(places: NDArray[np.int64], corners: NDArray[np.int64], size: int, margin: int) -> NDArray[np.int64]:
    """Which pixels make up crops (n, size + 2 margin, size + 2 margin), given their top left corners (n, 2)."""
    steps = np.arange(-margin, size + margin)
    rows = np.clip(corners[:, :1] + steps, 0, places[:, 1:2] - 1)
    columns = np.clip(corners[:, 1:] + steps, 0, places[:, 2:] - 1)
    starts: NDArray[np.int64] = places[:, 0, None] + rows * places[:, 2:]
    pixels: NDArray[np.int64] = starts[:, :, None] + columns[:, None, :]
    return pixels


@known_count.register
def _(source: Crops) -> int | None:
    return COUNTS.get(source.source)


@open_data.register
def _(source: Crops, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Photos:
    """Decode a source to 1 or 3 channels at full size, or take it from the cache.

    Raises:
        InputError: the source is not available, or fewer than two photographs in it are as large as a crop.
    """
    channels, size = shape[0], shape[-1]

    def whole(content: bytes | Pixels) -> Pixels:
        image = to_mode(open_picture(content), channels)
        if min(image.size) < size:
            raise Unusable(f"{image.width} x {image.height} pixels are less than a crop of {size}")
        return np.asarray(image).reshape(image.height, image.width, channels)

    listing = open_source(source.source)
    folder, about = decoded(listing, f"whole {size} {channels}", whole, workers=workers, progress=progress)
    sides = np.array(about["sides"], np.int64)
    counts = sides.prod(1)
    starts = np.cumsum(counts) - counts
    if len(sides) < 2:
        raise InputError(
            f"{listing.name} has one photograph that can be used, so none could be held out to judge by; give two or"
            " more."
        )
    return Photos(
        np.memmap(folder / "images.u8", np.uint8, "r", shape=(int(counts.sum()), channels)),
        skipped=about["skipped"],
        fingerprint=folder.name,
        name=listing.name,
        places=np.column_stack([starts, sides]),
        size=size,
    )
