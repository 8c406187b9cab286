"""Photos of any size, decoded once at full size, from which crops are cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganvas.data.base import Dataset, expect_available, known_count, open_data
from ganvas.data.builtin import COUNTS, NAMES
from ganvas.data.cache import Decoded, decode_source
from ganvas.data.decode import Unusable, open_image, to_mode
from ganvas.data.listing import expect_source
from ganvas.data.pairs import halves
from ganvas.errors import InputError
from ganvas.imaging.grid import Pixels
from ganvas.recipe.sources import Crops, Pairs


@dataclass(frozen=True)
class Photos(Dataset):
    """Full-size photos; `take` and `spread` give the crops at their centres.

    Attributes:
        images: uint8 (P, C), the pixels of all photos, one photo after the other; of pairs, C is that of both.
        places: int64 (N, 3): index of the first pixel, height and width of each photo.
        size: side of the crops in pixels.
        step: crops begin at multiples of so many pixels, such as those of a small picture of a pair.
        kind: plural of the row's name, for messages.
    """

    places: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    size: int = 0
    step: int = 1
    kind: str = "photos"

    @property
    def whole(self) -> int:
        """The number of photos of the whole source."""
        return len(self.places)

    def placed(self, index: NDArray[np.int64] | slice) -> NDArray[np.int64]:
        """The `places` of some photos, by their index within this part."""
        return self.places[index if self.rows is None else self.rows[index]]

    def take(self, index: NDArray[np.int64] | slice) -> Pixels:
        """The crops at the centres of some photos: uint8 (n, size, size, C)."""
        return self.wide(index, 0)

    def wide(self, index: NDArray[np.int64] | slice, margin: int) -> Pixels:
        """The same with `margin` more pixels on each side; beyond its border a photo's last pixels repeat."""
        places = self.placed(index)
        corners = (places[:, 1:] - self.size) // 2 // self.step * self.step
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


@expect_available.register
def _(source: Pairs) -> None:
    before, after = source.source, source.after
    for flag, path in {"--data": before, "--data.after": after or before}.items():
        if not path or path in NAMES or not Path(path).exists():
            raise InputError(
                f"{flag} {path} is no folder or file of pairs; give pictures that hold two side by side (--data PAIRS),"
                " or two folders with pictures of the same names (--data BEFORE --data.after AFTER)."
            )
        expect_source(path)
    if after and Path(before).samefile(after):
        raise InputError(f"--data and --data.after are both {after}; give the pictures after in a folder of their own.")


@known_count.register
def _(source: Crops) -> int | None:
    return COUNTS.get(source.source)


@open_data.register
def _(source: Crops, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Photos:
    """Decode a source to 1 or 3 channels at full size, or read it from the cache.

    Raises:
        InputError: the source is not available, or fewer than two of its photos are as large as a crop.
    """
    decoded = partial(decode_source, source.source, source.column, "", workers=workers, progress=progress)
    return _open(decoded, "whole", lambda pixels: pixels, shape, Photos.kind)


@open_data.register
def _(source: Pairs, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Photos:
    """Decode pairs to 2 or 6 channels at full size, the left picture first, or read them from the cache.

    Raises:
        InputError: the source is not available, or fewer than two of its pairs are as large as a crop.
    """
    expect_available(source)
    decoded = partial(
        decode_source,
        source.source,
        "",
        "",
        after=source.after,
        scale=source.scale,
        workers=workers,
        progress=progress,
    )
    return replace(_open(decoded, "halves", halves, shape, "pairs"), step=source.scale)


def _open(
    decoded: Callable[..., Decoded], manner: str, part: Callable[[Pixels], Pixels], shape: tuple[int, ...], kind: str
) -> Photos:
    """Photos of the pixels (H', W', C') that `part` makes of each image's (H, W, C); `manner` is its name."""
    channels, size = shape[0], shape[-1]

    def whole(content: bytes | Pixels) -> Pixels:
        image = to_mode(open_image(content), channels)
        pixels = part(np.asarray(image).reshape(image.height, image.width, channels))
        height, width = pixels.shape[:2]
        if min(height, width) < size:
            raise Unusable(f"{width} x {height} pixels is smaller than a crop of {size} x {size}")
        return pixels

    found = decoded(f"{manner} {size} {channels}", whole)
    sides = found.sides
    counts = sides.prod(1)
    starts = np.cumsum(counts) - counts
    if len(sides) < 2:
        raise InputError(
            f"{found.name} has only one usable {kind[:-1]}, which leaves none to hold out for validation; give at least"
            " two."
        )
    pixels = np.memmap(found.pixels, np.uint8, "r")
    return Photos(
        pixels.reshape(int(counts.sum()), -1),
        skipped=found.skipped,
        fingerprint=found.fingerprint,
        name=found.name,
        notes=found.notes,
        places=np.column_stack([starts, sides]),
        size=size,
        kind=kind,
    )
