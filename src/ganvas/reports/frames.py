"""The previews of several runs, cut to the same few z and small enough for one page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ganvas.runs.previews import Part, Preview, at_moments
from ganvas.runs.record import Record

ROWS, COLUMNS = 3, 4  # z shown on the page, if the previews have as many
SIDE = 64  # maximum side in px of an image on the page; larger ones are downscaled
WHOLE = 320  # maximum side in px of a preview that is a plot
BUDGET = 2_000_000  # bytes of all images of a page
LENGTHS = (16, 12, 8, 6, 4, 2)  # frames of each run: as many as the budget allows
TILES = "grid", "triples"  # kinds of previews that consist of tiles


@dataclass(frozen=True)
class Frame:
    """The fakes of the same few z at one point in training."""

    images_seen: int
    source: str
    """A data: URL."""


@dataclass(frozen=True)
class Strip:
    """The frames of one run."""

    frames: tuple[Frame, ...]
    noise: tuple[int, int]
    """Seed and length of z: runs that share both have the same z. (0, 0) if the same crops were upscaled."""


@dataclass(frozen=True)
class Strips:
    """The strips of all runs, in the same layout."""

    by_run: dict[str, Strip]
    """Name of a run -> its strip; runs without a readable preview are absent."""
    reals: str = ""
    """Real images in the same layout, as a data: URL; empty if no preview shows them."""
    rows: int = 0
    columns: int = 0
    side: int = 0
    """Side of an embedded image in px."""

    @property
    def noises(self) -> list[tuple[int, int]]:
        """Seed and length of every kind of z, in the order of the runs."""
        return list(dict.fromkeys(strip.noise for strip in self.by_run.values()))


def cut_strips(records: Sequence[Record], reals: bool = True) -> Strips:
    """Cut the same tiles out of the previews of all runs, and real images; as many frames as fit the budget."""
    by_run = {record.name: previews for record in records if (previews := _readable(record))}
    if not by_run:
        return Strips({})
    counts = [previews[-1].rows * previews[-1].columns for previews in by_run.values()]
    columns = min(COLUMNS, *counts)
    rows = min(ROWS, *(count // columns for count in counts))
    furthest = max(previews[-1].images_seen for previews in by_run.values())
    cuts: dict[tuple[Path, Part], str] = {}

    def cut(record: Record, preview: Preview, part: Part = "output") -> str:
        path = record.folder.samples / preview.file
        if (path, part) not in cuts:
            cuts[path, part] = _cut(path, preview, rows * columns, columns, part)
        return cuts[path, part]

    made: dict[str, Strip] = {}
    for length in LENGTHS:
        made = {}
        for record in (record for record in records if record.name in by_run):
            chosen = spread(by_run[record.name], length, furthest)
            frames = [Frame(one.images_seen, cut(record, one)) for one in chosen]
            latent = int(record.recipe.get("system.latent", 0))
            noise = (0, 0) if by_run[record.name][-1].kind == "triples" else (record.seed, latent)
            made[record.name] = Strip(tuple(frame for frame in frames if frame.source), noise)
        if sum(len(frame.source) for strip in made.values() for frame in strip.frames) <= BUDGET:
            break
    with_reals = next((record for record in records if reals and _shows_reals(by_run.get(record.name))), None)
    return Strips(
        {name: strip for name, strip in made.items() if strip.frames},
        cut(with_reals, by_run[with_reals.name][-1], "real") if with_reals else "",
        rows,
        columns,
        min(SIDE, max(_side(previews[-1]) for previews in by_run.values())),
    )


def _readable(record: Record) -> list[Preview]:
    """The previews with the layout of the newest, so that each position shows one z in all of them."""
    images = [preview for preview in record.previews if preview.kind in (*TILES, "plot")]
    layouts = [(preview.kind, preview.rows, preview.columns, preview.tile) for preview in images]
    return [preview for preview, layout in zip(images, layouts, strict=True) if layout == layouts[-1]]


def _shows_reals(previews: Sequence[Preview] | None) -> bool:
    return bool(previews) and (previews[-1].kind == "triples" or previews[-1].reals > 0)  # type: ignore[index]


def _side(preview: Preview) -> int:
    return preview.tile[1] // preview.zoom if preview.kind in TILES else WHOLE


def spread(previews: Sequence[Preview], count: int, furthest: int = 0) -> list[Preview]:
    """About `count` previews up to `furthest` (0: the last one), the first and the last among them.

    Two runs with the same `furthest` show the same moments.
    """
    if len(previews) <= count:
        return list(previews)
    # Denser at the start, where most happens.
    furthest = furthest or previews[-1].images_seen
    moments = [furthest * (index / (count - 1)) ** 1.5 for index in range(count)]
    return at_moments(previews, [previews[0].images_seen, *moments])


def _cut(path: Path, preview: Preview, count: int, columns: int, part: Part) -> str:
    """The first `count` tiles of a preview without gaps, in rows of `columns`; empty for a damaged file."""
    try:
        with Image.open(path) as file:
            file.load()
            image = file if file.mode in ("L", "RGB") else file.convert("RGB")
    except OSError:
        return ""
    if preview.kind not in TILES:
        image.thumbnail((WHOLE, WHOLE))
        return data_url(image)
    tiles = [_tile(image, preview, index, part) for index in range(count)]
    width, height = tiles[0].size
    joined = Image.new(image.mode, (columns * width, count // columns * height))
    for index, tile in enumerate(tiles):
        joined.paste(tile, (index % columns * width, index // columns * height))
    return data_url(joined)


def _tile(image: Image.Image, preview: Preview, index: int, part: Part) -> Image.Image:
    if preview.classes:
        # Every row is a class: go down the columns to show as many classes as possible.
        column, row = divmod(index, preview.rows)
        index = row * preview.columns + column
    tile = image.crop(preview.box(index, part))
    if preview.zoom > 1:
        tile = tile.resize((tile.width // preview.zoom, tile.height // preview.zoom), Image.Resampling.NEAREST)
    if max(tile.size) <= SIDE:
        return tile
    scale = SIDE / max(tile.size)
    return tile.resize((round(tile.width * scale), round(tile.height * scale)), Image.Resampling.LANCZOS)


def data_url(image: Image.Image) -> str:
    """An image as a data: URL, in WebP."""
    buffer = io.BytesIO()
    # Small images are displayed magnified, where lossy artefacts would show; lossless ones are still small.
    small = image.width * image.height <= 96 * 128
    image.save(buffer, "WEBP", lossless=small, quality=80, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
