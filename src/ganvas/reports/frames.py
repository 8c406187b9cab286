"""The previews of several runs, cut to the same few z and small enough to be sent in one page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ganvas.runs.previews import Part, Preview
from ganvas.runs.record import Record

ROWS, COLUMNS = 3, 4  # of z shown, where the previews have as many
SIDE = 64  # px of an image on the page at most; larger ones are reduced
WHOLE = 320  # px of a preview that is one plot
BUDGET = 2_000_000  # bytes of all images of a page
LENGTHS = (16, 12, 8, 6, 4, 2)  # moments of each run: as many as the budget allows
TILES = "grid", "triples"  # kinds of previews that are tiles


@dataclass(frozen=True)
class Frame:
    """The fakes of some z at one moment."""

    images_seen: int
    source: str
    """A data: address."""


@dataclass(frozen=True)
class Strip:
    """The moments of one run."""

    frames: tuple[Frame, ...]
    noise: tuple[int, int]
    """Seed and length of z: runs that share both drew the same z. (0, 0) where the same crops were upscaled."""


@dataclass(frozen=True)
class Strips:
    """Those of all runs, cut alike."""

    by_run: dict[str, Strip]
    """By the run's name; runs without a readable preview are absent."""
    reals: str = ""
    """Real images in the same layout, a data: address; empty where no preview shows them."""
    rows: int = 0
    columns: int = 0
    side: int = 0
    """Of an image in px, as embedded."""

    @property
    def noises(self) -> list[tuple[int, int]]:
        """Seed and length of every z that was drawn, in the order of the runs."""
        return list(dict.fromkeys(strip.noise for strip in self.by_run.values()))


def cut_strips(records: Sequence[Record], reals: bool = True) -> Strips:
    """Cut the previews of all runs, and the real images, to the same places; as many moments as fit the budget."""
    shown = {record.name: previews for record in records if (previews := _readable(record))}
    if not shown:
        return Strips({})
    counts = [previews[-1].rows * previews[-1].columns for previews in shown.values()]
    columns = min(COLUMNS, *counts)
    rows = min(ROWS, *(count // columns for count in counts))
    cuts: dict[tuple[Path, Part], str] = {}

    def cut(record: Record, preview: Preview, part: Part = "output") -> str:
        path = record.folder.samples / preview.file
        if (path, part) not in cuts:
            cuts[path, part] = _cut(path, preview, rows * columns, columns, part)
        return cuts[path, part]

    made: dict[str, Strip] = {}
    for length in LENGTHS:
        made = {}
        for record in (record for record in records if record.name in shown):
            frames = [Frame(one.images_seen, cut(record, one)) for one in _spread(shown[record.name], length)]
            latent = int(record.recipe.get("system.latent", 0))
            noise = (0, 0) if shown[record.name][-1].kind == "triples" else (record.seed, latent)
            made[record.name] = Strip(tuple(frame for frame in frames if frame.source), noise)
        if sum(len(frame.source) for strip in made.values() for frame in strip.frames) <= BUDGET:
            break
    beside = next((record for record in records if reals and _shows_reals(shown.get(record.name))), None)
    return Strips(
        {name: strip for name, strip in made.items() if strip.frames},
        cut(beside, shown[beside.name][-1], "real") if beside else "",
        rows,
        columns,
        min(SIDE, max(_side(previews[-1]) for previews in shown.values())),
    )


def _readable(record: Record) -> list[Preview]:
    """Those of the newest's layout, so that one place is one z in all of them."""
    drawn = [preview for preview in record.previews if preview.kind in (*TILES, "plot")]
    layout = [(preview.kind, preview.rows, preview.columns, preview.tile) for preview in drawn]
    return [preview for preview, own in zip(drawn, layout, strict=True) if own == layout[-1]]


def _shows_reals(previews: Sequence[Preview] | None) -> bool:
    return bool(previews) and (previews[-1].kind == "triples" or previews[-1].reals > 0)  # type: ignore[index]


def _side(preview: Preview) -> int:
    return preview.tile[1] // preview.zoom if preview.kind in TILES else WHOLE


def _spread(previews: Sequence[Preview], count: int) -> list[Preview]:
    if len(previews) <= count:
        return list(previews)
    # Closer at the start, where most happens; the first and the last always.
    places = {round((index / (count - 1)) ** 1.5 * (len(previews) - 1)) for index in range(count)}
    return [previews[place] for place in sorted(places)]


def _cut(path: Path, preview: Preview, count: int, columns: int, part: Part) -> str:
    """The first `count` tiles of a preview, without gaps, `columns` beside each other; empty for a damaged file."""
    try:
        with Image.open(path) as file:
            file.load()
            image = file if file.mode in ("L", "RGB") else file.convert("RGB")
    except OSError:
        return ""
    if preview.kind not in TILES:
        image.thumbnail((WHOLE, WHOLE))
        return _data_address(image)
    tiles = [_tile(image, preview, index, part) for index in range(count)]
    width, height = tiles[0].size
    sheet = Image.new(image.mode, (columns * width, count // columns * height))
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % columns * width, index // columns * height))
    return _data_address(sheet)


def _tile(image: Image.Image, preview: Preview, index: int, part: Part) -> Image.Image:
    if preview.classes:
        # One class a row: down the rows, so that as many classes as can be are shown.
        column, row = divmod(index, preview.rows)
        index = row * preview.columns + column
    tile = image.crop(preview.box(index, part))
    if preview.zoom > 1:
        tile = tile.resize((tile.width // preview.zoom, tile.height // preview.zoom), Image.Resampling.NEAREST)
    if max(tile.size) <= SIDE:
        return tile
    share = SIDE / max(tile.size)
    return tile.resize((round(tile.width * share), round(tile.height * share)), Image.Resampling.LANCZOS)


def _data_address(image: Image.Image) -> str:
    buffer = io.BytesIO()
    # Small images are shown enlarged, where a lossy coder's traces would be seen; they weigh little without it.
    small = image.width * image.height <= 96 * 128
    image.save(buffer, "WEBP", lossless=small, quality=80, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
