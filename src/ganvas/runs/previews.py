"""samples/index.json: the layout of every preview of a run, so that readers need not guess. Imports no torch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ganvas.files import write_text

INDEX = "index.json"

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
    try:
        entries = json.loads((samples / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    found = []
    for entry in entries if isinstance(entries, list) else ():
        try:
            known = {name: entry[name] for name in Preview.__dataclass_fields__ if name in entry}
            values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
            preview = Preview(**values)
        except (TypeError, KeyError):
            continue
        if (samples / preview.file).is_file():
            found.append(preview)
    return sorted(found, key=lambda preview: preview.images_seen)


def add_preview(samples: Path, preview: Preview) -> None:
    """Add a preview to the index, replacing one at the same image count; its file must exist."""
    others = [other for other in read_previews(samples) if other.images_seen != preview.images_seen]
    write_previews(samples, [*others, preview])


def write_previews(samples: Path, previews: list[Preview]) -> None:
    """Write the whole index atomically."""
    entries = [asdict(preview) for preview in sorted(previews, key=lambda preview: preview.images_seen)]
    write_text(samples / INDEX, "[\n" + ",\n".join(map(json.dumps, entries)) + "\n]\n")
