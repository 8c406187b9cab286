"""Images as arrays, and grids of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]

GAP = 2  # pixels between the tiles of a sheet
PAPER = 255  # their colour
TEXT, LONGEST = 13, 24  # pixels of the letters beside a sheet, and how many of them a name has at most
MARGIN = "Margin"  # the text chunk of a sheet that says how wide the names to the left of its tiles are
LEGIBLE = 48  # smaller tiles are enlarged by whole factors, pixel by pixel, so that people can see them


def to_image(pixels: Pixels) -> Image.Image:
    """uint8 (H, W, C) with one or three channels -> a PIL picture."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def zoom(size: int) -> int:
    """The whole factor by which tiles of this size are enlarged on sheets."""
    return max(1, -(-LEGIBLE // size))


def grid(pictures: Pixels, columns: int) -> Pixels:
    """Lay (N, H, W, C) out in rows of `columns`; one picture (H', W', C) with gaps, small tiles enlarged."""
    factor = zoom(pictures.shape[1])
    tiles = pictures.repeat(factor, axis=1).repeat(factor, axis=2)
    count, height, width, channels = tiles.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, channels), PAPER, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = tile_corner(index, columns, height, width)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def some(pictures: Pixels, count: int) -> Pixels:
    """At most `count` of (N, H, W, C), evenly spaced: the pictures of a folder may be sorted by class."""
    chosen = np.linspace(0, len(pictures) - 1, min(count, len(pictures))).round().astype(int)
    shown: Pixels = pictures[chosen]
    return shown


def tile_corner(index: int, columns: int, height: int, width: int) -> tuple[int, int]:
    """Top and left of a tile of the given size on a sheet."""
    row, column = divmod(index, columns)
    return GAP + row * (height + GAP), GAP + column * (width + GAP)


def with_names(sheet: Pixels, names: Sequence[str]) -> tuple[Pixels, dict[str, str]]:
    """A sheet with a name to the left of each of its rows, and the text chunk that says how wide they are.

    Args:
        sheet: (H, W, C) as `grid` or `beside` make it, of as many rows as there are names; none leave it as it is.
    """
    if not names:
        return sheet, {}
    height, width = sheet.shape[0], names_width(names)
    margin = Image.new("L", (width, height), PAPER)
    step = (height - GAP) / len(names)
    for row, name in enumerate(_legible(names)):
        place = width - 2 * GAP, GAP / 2 + (row + 0.5) * step
        ImageDraw.Draw(margin).text(place, name, fill=0, font=ImageFont.load_default(TEXT), anchor="rm")
    left = np.broadcast_to(np.asarray(margin)[..., None], (height, width, sheet.shape[2]))
    return np.concatenate([left, sheet], axis=1), {MARGIN: str(width)}


def names_width(names: Sequence[str]) -> int:
    """Pixels that names take to the left of a sheet; 0 for none."""
    font = ImageFont.load_default(TEXT)
    return 4 * GAP + max(int(font.getlength(name)) for name in _legible(names)) if names else 0


def _legible(names: Sequence[str]) -> list[str]:
    # The font knows the letters of Latin alone.
    return [name[:LONGEST] if _is_latin(name) else f"class {number}" for number, name in enumerate(names)]


def _is_latin(name: str) -> bool:
    try:
        name.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def beside(sheets: Sequence[Pixels]) -> Pixels:
    """Sheets of one height from left to right, with a wide gap."""
    height, _, channels = sheets[0].shape
    gap = np.full((height, 4 * GAP, channels), PAPER, np.uint8)
    parts = [part for sheet in sheets for part in (gap, sheet)]
    return np.concatenate(parts[1:], axis=1)
