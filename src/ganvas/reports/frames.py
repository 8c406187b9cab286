"""Sample sheets of several runs, cut to the same few z and small enough to be sent in one page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ganvas.imaging.grid import GAP, MARGIN, Pixels, tile_corner, zoom
from ganvas.runs.record import Record

ROWS, COLUMNS = 3, 4  # of z shown, where the sheets have as many
SIDE = 64  # px of a picture on the page at most; larger ones are reduced
WHOLE = 320  # px of a sheet that is one picture
BUDGET = 2_000_000  # bytes of all pictures of a page
FRAMES = (16, 12, 8, 6, 4, 2)  # moments of each run: as many as the budget allows


@dataclass(frozen=True)
class Sheet:
    """The layout of a run's sheets, read off their size and the recipe."""

    side: int
    """Of a tile, as drawn; 0 where the sheet is one picture."""
    factor: int
    """How many times the pictures were enlarged for the sheet."""
    rows: int
    columns: int
    with_reals: bool
    triples: bool = False
    """Whether a picture is three tiles: low resolution, enlarged, original. `columns` counts pictures."""
    margin: int = 0
    """Pixels to the left of the tiles, where the names of classes stand."""


@dataclass(frozen=True)
class Frame:
    """The fakes of some z at one moment."""

    images: int
    source: str
    """A data: address."""


@dataclass(frozen=True)
class Film:
    """The moments of one run."""

    frames: tuple[Frame, ...]
    noise: tuple[int, int]
    """Seed and length of z: runs that share both drew the same z. (0, 0) where the same crops were enlarged."""


@dataclass(frozen=True)
class Films:
    """Those of all runs, cut alike."""

    films: dict[str, Film]
    """By the run's name; runs without a readable sheet are absent."""
    reals: str
    """Real pictures in the same layout, a data: address; empty where no sheet shows them."""
    rows: int
    columns: int
    side: int
    """Of a picture in px, as embedded."""


def films(records: Sequence[Record], reals: bool = True) -> Films:
    """Cut the sheets of all runs, and the real pictures, to the same places; as many moments as fit the budget."""
    layouts = {record.name: layout for record in records if (layout := _layout(record))}
    if not layouts:
        return Films({}, "", 0, 0, 0)
    columns = min(COLUMNS, *(layout.rows * layout.columns for layout in layouts.values()))
    rows = min(ROWS, *(layout.rows * layout.columns // columns for layout in layouts.values()))
    shown = [record for record in records if record.name in layouts]
    cuts: dict[tuple[Path, bool], str] = {}

    def cut(record: Record, path: Path, right: bool = False) -> str:
        if (path, right) not in cuts:
            cuts[path, right] = _cut(path, layouts[record.name], rows * columns, columns, right)
        return cuts[path, right]

    made: dict[str, Film] = {}
    for count in FRAMES:
        made = {}
        for record in shown:
            chosen = [(int(path.stem), cut(record, path)) for path in _spread(record.sheets, count)]
            latent = int(record.recipe.get("system.latent", 0))
            noise = (0, 0) if layouts[record.name].triples else (record.seed, latent)
            made[record.name] = Film(tuple(Frame(images, source) for images, source in chosen if source), noise)
        if sum(len(frame.source) for film in made.values() for frame in film.frames) <= BUDGET:
            break
    real = next((record for record in shown if reals and layouts[record.name].with_reals), None)
    side = min(SIDE, max(layout.side // layout.factor or WHOLE for layout in layouts.values()))
    return Films(
        {name: film for name, film in made.items() if film.frames},
        cut(real, real.sheets[-1], right=True) if real else "",
        rows,
        columns,
        side,
    )


def _spread(sheets: Sequence[Path], count: int) -> list[Path]:
    if len(sheets) <= count:
        return list(sheets)
    # Closer at the start, where most happens; the first and the last always.
    places = np.linspace(0, 1, count) ** 1.5 * (len(sheets) - 1)
    return [sheets[index] for index in sorted({round(place) for place in places})]


def _layout(record: Record) -> Sheet | None:
    try:
        with Image.open(record.sheets[-1]) as picture:
            width, height = picture.size
            margin = int(picture.info.get(MARGIN, 0))
    except (OSError, IndexError):
        return None
    size = record.recipe.get("system.size")
    if not isinstance(size, int):
        return Sheet(0, 1, 1, 1, False)  # points, drawn as one picture
    side = size * zoom(size)
    step = side + GAP
    rows, rest = divmod(height - GAP, step)
    if record.recipe.get("data.type") == "Crops":
        columns, left = divmod(width - GAP, 3 * step)
        return Sheet(side, zoom(size), rows, columns, True, triples=True) if rows > 0 and not (rest or left) else None
    # Fakes alone, or fakes, a gap of four and reals: no width can be read as both.
    for parts, space in ((1, 0), (2, 4 * GAP)):
        columns, left = divmod(width - margin - space - parts * GAP, parts * step)
        if rows > 0 and columns > 0 and not rest and not left:
            return Sheet(side, zoom(size), rows, columns, parts == 2, margin=margin)
    return None


def _cut(path: Path, layout: Sheet, count: int, columns: int, reals: bool) -> str:
    """The first `count` tiles of a sheet, without gaps, `columns` beside each other; empty for a damaged sheet."""
    try:
        with Image.open(path) as picture:
            if not layout.side:
                picture.thumbnail((WHOLE, WHOLE))
            sheet = np.asarray(picture)
    except OSError:
        return ""
    if not layout.side:
        return _data_address(sheet)
    sheet = sheet.reshape(*sheet.shape[:2], -1)
    offset = layout.columns * (layout.side + GAP) + 5 * GAP if reals else 0
    tiles = []
    for index in range(count):
        if layout.triples:
            top, left = tile_corner(3 * index + 1 + reals, 3 * layout.columns, layout.side, layout.side)
        else:
            # A sheet with a margin has one class a row: down the rows, so that as many classes as can be are shown.
            down, right = divmod(index, layout.columns) if not layout.margin else divmod(index, layout.rows)[::-1]
            top, left = tile_corner(down * layout.columns + right, layout.columns, layout.side, layout.side)
            left += layout.margin + offset
        tile = sheet[top : top + layout.side : layout.factor, left : left + layout.side : layout.factor]
        tiles.append(_reduced(tile))
    rows = [np.concatenate(tiles[start : start + columns], axis=1) for start in range(0, count, columns)]
    return _data_address(np.concatenate(rows))


def _reduced(tile: Pixels) -> Pixels:
    if len(tile) <= SIDE:
        return tile
    small = Image.fromarray(tile.squeeze()).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(small).reshape(SIDE, SIDE, -1)


def _data_address(pixels: Pixels) -> str:
    buffer = io.BytesIO()
    # Small pictures are shown enlarged, where a lossy coder's traces would be seen; they weigh little without it.
    small = pixels.shape[0] * pixels.shape[1] <= 96 * 128
    Image.fromarray(pixels.squeeze()).save(buffer, "WEBP", lossless=small, quality=80, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
