"""samples/index.json: the layout of every preview of a run, so that readers need not guess. Imports no torch."""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ganvas.files import write_text
from ganvas.untrusted import Unreadable, open_regular, parse_json, read_bytes

if TYPE_CHECKING:
    from PIL import Image

INDEX = "index.json"
LARGEST = 2**53  # a count beyond it is damage

Part = Literal["input", "output", "real"]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """One preview: an image of equal tiles, a plot, or a text, at a count of real images seen."""

    file: str
    """File name in the folder samples/."""
    images_seen: int
    kind: str
    """grid (tiles of fakes), triples (input, output, original), plot (no tiles) or text."""
    rows: int = 1
    """Rows of tiles."""
    columns: int = 1
    """Tiles of fakes, or triples, per row."""
    tile: tuple[int, int] = (0, 0)
    """Height and width of one tile as drawn, in pixels."""
    zoom: int = 1
    """Factor by which pixels are repeated in both directions."""
    left: int = 0
    """Width of the margin with the row names, in pixels."""
    gap: int = 2
    """Gap between tiles in pixels."""
    reals: int = 0
    """Columns of real images to the right of the fakes."""
    classes: tuple[str, ...] = ()
    """Class name of each row."""
    seed: int = 0
    """Seed of the noise for the fakes."""

    def box(self, index: int, part: Part = "output") -> tuple[int, int, int, int]:
        """Left, top, right and bottom in pixels of a tile, counted row by row.

        Args:
            part: "output" for the fake; in triples also "input", and "real" for the original; in a grid with reals also
                "real", the one at the same position.
        """
        row, column = divmod(index, self.columns)
        height, width = self.tile
        left, top = self.left + self.gap, self.gap + row * (height + self.gap)
        if self.kind == "triples":
            column = 3 * column + ("input", "output", "real").index(part)
        elif part == "real":
            left += self.columns * (width + self.gap) + 5 * self.gap  # past the fakes, their last gap and a wide gap
        left += column * (width + self.gap)
        return left, top, left + width, top + height


def read_previews(samples: Path) -> list[Preview]:
    """The previews of a run in order of images seen, omitting damaged entries and missing files."""
    entries = _entries(samples) or []
    found = [preview for preview in map(_preview, entries) if preview and (samples / preview.file).is_file()]
    return sorted(found, key=lambda preview: preview.images_seen)


def open_preview(samples: Path, preview: Preview) -> Image.Image | None:
    """The image of a preview, decoded; None if the file is damaged, or no image at all."""
    from PIL import Image

    try:
        with os.fdopen(open_regular(samples / preview.file), "rb") as file, Image.open(file) as image:
            return image.copy()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def at_moments(previews: Sequence[Preview], moments: Iterable[float]) -> list[Preview]:
    """The newest preview at or before each moment, given in images seen; each only once.

    A moment before the first preview has none.

    Args:
        previews: in order of images seen.
    """
    counts = [preview.images_seen for preview in previews]
    chosen = {bisect_right(counts, moment) - 1 for moment in moments}
    return [previews[index] for index in sorted(chosen) if index >= 0]


def set_aside(samples: Path) -> str:
    """Rename a damaged index, and write its sound entries anew; its new name, or empty if there was no need."""
    index, entries = samples / INDEX, _entries(samples)
    if not os.path.lexists(index) or (entries is not None and all(map(_preview, entries))):
        return ""
    kept, sound = samples / f"{INDEX}.damaged", read_previews(samples)
    with suppress(OSError):  # if it cannot be renamed, it cannot be replaced either, which will be said
        index.replace(kept)
    if sound:
        write_previews(samples, sound)
    return kept.name


def _entries(samples: Path) -> list[Any] | None:
    """The entries of the index; None if there is none, or if it is damaged."""
    try:
        entries = parse_json(read_bytes(samples / INDEX))
    except (FileNotFoundError, Unreadable):
        return None
    return entries if isinstance(entries, list) else None


def _preview(entry: Any) -> Preview | None:
    """The preview that an entry describes; None for one that is damaged, or that names a file elsewhere."""
    if not isinstance(entry, dict):
        return None
    known = {name: entry[name] for name in Preview.__dataclass_fields__ if name in entry}
    values: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in known.items()}
    try:
        preview = Preview(**values)
    except TypeError:
        return None
    least = {"columns": 1, "zoom": 1}
    sizes = ("images_seen", "rows", "columns", "zoom", "left", "gap", "reals")
    sound = (
        all(_is_size(getattr(preview, name), least.get(name, 0)) for name in sizes)
        and isinstance(preview.tile, tuple)
        and len(preview.tile) == 2
        and all(_is_size(side, 0) for side in preview.tile)
        and isinstance(preview.classes, tuple)
        and all(isinstance(name, str) for name in preview.classes)
        and isinstance(preview.kind, str)
        and isinstance(preview.file, str)
        and Path(preview.file).name == preview.file
        and not preview.file.startswith(".")
    )
    return preview if sound else None


def _is_size(value: Any, least: int) -> bool:
    return type(value) is int and least <= value < LARGEST


def write_previews(samples: Path, previews: list[Preview]) -> None:
    """Write the whole index atomically."""
    entries = map(_entry, sorted(previews, key=lambda preview: preview.images_seen))
    write_text(samples / INDEX, "[\n" + ",\n".join(entries) + "\n]\n")


@lru_cache(maxsize=512)
def _entry(preview: Preview) -> str:
    """One line of the index, which is written anew with every preview."""
    return json.dumps(asdict(preview))
