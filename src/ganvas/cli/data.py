"""Examine pictures before using them: ganvas data pictures/"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.cli._parser import Parser

if TYPE_CHECKING:
    from ganvas.imaging.grid import Pixels
    from ganvas.recipe import Change

SHOWN = 10  # lines of any list
CHANGES = ("colour", "shift", "cut", "blit", "geometry", "tone")
CHANCES = (0.0, 0.2, 0.5, 0.8)


def main(argv: list[str]) -> int:
    """Run ``ganvas data NAME|PATH``."""
    parser = Parser("ganvas data", description=__doc__)
    parser.add_argument("source", help="a data set's name, or the path of a folder, zip, parquet or npz file")
    parser.add_argument("--out", type=Path, help="PNG file of the contact sheet (default: ganvas-data-NAME.png)")
    parser.add_argument(
        "--augmented",
        nargs="+",
        choices=CHANGES,
        default=[],
        metavar="CHANGE",
        help=f"also show the pictures as an augmented D sees them; some of {', '.join(CHANGES)}",
    )
    parser.add_argument("--workers", type=int, default=0, help="threads (default: one per core)")
    arguments = parser.parse_args(argv)
    from rich.console import Console

    from ganvas.data.examine import examine
    from ganvas.imaging.saving import save_png

    found = examine(arguments.source, workers=arguments.workers, progress=True)
    console = Console(highlight=False, soft_wrap=True)

    def tell(title: str, lines: list[str]) -> None:
        for index, line in enumerate(lines[:SHOWN]):
            console.print(f"{title if index == 0 else '':<12}{line}", markup=False)
        if len(lines) > SHOWN:
            console.print(f"{'':<12}and {len(lines) - SHOWN} more")

    tell("source", [f"{found.name}: {found.usable:,} usable pictures in {found.files:,} files"])
    if found.usable:
        sides = sorted(min(size) for size in found.sizes.elements())
        tell("sizes", [f"{n:,} of {w} x {h}" for (w, h), n in found.sizes.most_common()])
        tell("short side", [f"{sides[0]} px at least, {sides[len(sides) // 2]} in the middle, {sides[-1]} at most"])
        tell("modes", [f"{n:,} {mode}" for mode, n in found.modes.most_common()])
        tell("classes", [f"{n:,} {label}" for label, n in found.labels.items()] or ["none"])
        tell("mean RGB", [" ".join(f"{m:.1f} +- {s:.1f} " for m, s in zip(found.mean, found.spread, strict=True))])
    tell("duplicates", [" = ".join(group[:4]) for group in found.duplicates] or ["none"])
    tell("unusable", [f"{bad.name}: {bad.reason}" for bad in found.skipped] or ["none"])
    if found.sheet is None:
        return 1
    out = arguments.out or Path(f"ganvas-data-{Path(found.name).stem}.png")
    save_png(found.sheet, out)
    tell("sheet", [str(out)])
    if arguments.augmented and found.tiles is not None:
        out = out.with_stem(f"{out.stem}-augmented")
        save_png(_augmented(found.tiles, arguments.augmented), out)
        tell("augmented", [f"{out}, a row for each probability p: {', '.join(map(str, CHANCES))}"])
    return 0


def _augmented(tiles: Pixels, policy: list[Change]) -> Pixels:
    """The same images in every row, each row augmented with the probability written to its left."""
    import numpy as np
    import torch

    from ganvas.imaging.grid import grid, label_rows
    from ganvas.imaging.tensors import from_pixels, to_pixels
    from ganvas.recipe import Augment
    from ganvas.training.augmentation import as_seen

    chosen = tiles[np.linspace(0, len(tiles) - 1, min(12, len(tiles))).round().astype(int)]
    torch.manual_seed(0)
    seen = [as_seen(from_pixels(chosen), Augment(differentiable=chance, policy=tuple(policy)), 0) for chance in CHANCES]
    return label_rows(grid(to_pixels(torch.cat(seen)), len(chosen)), [f"p {chance:g}" for chance in CHANCES])
