"""Images as arrays, and grids of tiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ganvas.imaging.lettering import font_for

Pixels = NDArray[np.uint8]

GAP = 2  # pixels between tiles
PAPER = 255  # colour of the gaps
TEXT, LONGEST = 13, 24  # font size of the row labels in pixels, and their maximum number of characters
HEADING = 18  # height in pixels of the names above the columns
LEGIBLE = 48  # tiles smaller than this are magnified by a whole factor, so that people can see them


def to_image(pixels: Pixels) -> Image.Image:
    """uint8 (H, W, C) with one or three channels -> PIL image."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def zoom(size: int) -> int:
    """The whole factor by which a grid magnifies tiles of this size."""
    return max(1, -(-LEGIBLE // size))


def grid(images: Pixels, columns: int) -> Pixels:
    """Lay out (N, H, W, C) in rows of `columns`: one image (H', W', C) with gaps, small tiles magnified."""
    factor = zoom(images.shape[1])
    tiles = images.repeat(factor, axis=1).repeat(factor, axis=2)
    count, height, width, channels = tiles.shape
    rows = -(-count // columns)
    laid_out = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, channels), PAPER, np.uint8)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
        laid_out[top : top + height, left : left + width] = tile
    return laid_out


def evenly_spaced(images: Pixels, count: int) -> Pixels:
    """At most `count` of (N, H, W, C), evenly spaced: the images of a folder may be sorted by class."""
    chosen: Pixels = images[np.linspace(0, len(images) - 1, min(count, len(images))).round().astype(int)]
    return chosen


def label_rows(image: Pixels, names: Sequence[str]) -> Pixels:
    """Write a name to the left of each row of a grid (H, W, C), which has one row per name; no names, no change."""
    if not names:
        return image
    height, width = image.shape[0], labels_width(names)
    margin = Image.new("L", (width, height), PAPER)
    step = (height - GAP) / len(names)
    for row, name in enumerate(names):
        text, font = font_for(name[:LONGEST], TEXT)
        anchor = width - 2 * GAP, GAP / 2 + (row + 0.5) * step
        ImageDraw.Draw(margin).text(anchor, text, fill=0, font=font, anchor="rm")
    left = np.broadcast_to(np.asarray(margin)[..., None], (height, width, image.shape[2]))
    return np.concatenate([left, image], axis=1)


def labels_width(names: Sequence[str]) -> int:
    """Width in pixels of the names to the left of a grid; 0 for none."""
    drawn = (font_for(name[:LONGEST], TEXT) for name in names)
    return 4 * GAP + max(int(font.getlength(text)) for text, font in drawn) if names else 0


def label_columns(image: Pixels, names: Sequence[str], left: int = 0) -> Pixels:
    """Write a name above each column of a grid (H, W, C), which begins at `left` and has one column per name."""
    width, channels = image.shape[1:]
    margin = Image.new("L", (width, HEADING), PAPER)
    step = (width - left - GAP) / len(names)
    for column, name in enumerate(names):
        anchor = left + GAP / 2 + (column + 0.5) * step, HEADING / 2
        text, font = font_for(name, TEXT)
        ImageDraw.Draw(margin).text(anchor, text, fill=0, font=font, anchor="mm")
    return np.concatenate([np.broadcast_to(np.asarray(margin)[..., None], (HEADING, width, channels)), image])


def short(count: int) -> str:
    """A count in at most five characters: 950, 12.3k, 1.63M."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:.3g}{unit}" if count < 999.5 * size else f"{count // size}{unit}"
    return str(count)


def side_by_side(images: Sequence[Pixels]) -> Pixels:
    """Images of equal height from left to right, with a wide gap between them."""
    height, _, channels = images[0].shape
    gap = np.full((height, 4 * GAP, channels), PAPER, np.uint8)
    parts = [part for image in images for part in (gap, image)]
    return np.concatenate(parts[1:], axis=1)
