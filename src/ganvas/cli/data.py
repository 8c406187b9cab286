"""Inspect images or sentences before training: ganvas data images/"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.cli import _text
from ganvas.cli._parser import Parser
from ganvas.errors import InputError

if TYPE_CHECKING:
    from ganvas.imaging.grid import Pixels
    from ganvas.recipe import Change
    from ganvas.recipe.degradations import Degradation

LIMIT = 10  # lines per list
CHANGES = ("colour", "shift", "cut", "blit", "geometry", "tone")
PROBABILITIES = (0.0, 0.2, 0.5, 0.8)


def main(argv: list[str]) -> int:
    """Run ``ganvas data NAME|PATH``."""
    if _text.asked(argv):
        return _text.main(argv)
    parser = Parser(
        "ganvas data",
        description=__doc__,
        epilog="ganvas data FILE.txt --help shows the options for sentences.",
    )
    parser.add_argument("source", help="dataset name, or path of a folder, zip, parquet, npz or IDX file")
    parser.add_argument(
        "--column", default="", help="column of a parquet file, or array of an npz file, with the images"
    )
    parser.add_argument("--labels", default="", help="column or array with the labels")
    parser.add_argument("--pairs", action="store_true", help="every image holds two pictures side by side")
    parser.add_argument("--after", default="", metavar="PATH", help="show pairs: the source is before, PATH after")
    parser.add_argument("--out", type=Path, help="PNG file of the contact sheet (default: ganvas-data-NAME.png)")
    parser.add_argument(
        "--augmented",
        nargs="+",
        choices=CHANGES,
        default=[],
        metavar="CHANGE",
        help=f"also show the images augmented by these changes: {', '.join(CHANGES)}",
    )
    parser.add_argument(
        "--degradation",
        nargs="+",
        default=[],
        metavar=("NAME", "FIELD=VALUE"),
        help="also show what a degradation, such as Aged or Blind, makes of the images in training",
    )
    parser.add_argument(
        "--scale",
        type=int,
        help="how much smaller its results are (default: 1 for Aged, 4 for others); or how much larger pictures after",
    )
    parser.add_argument("--sheet", type=Path, help="PNG file of the degraded images (default: OUT-degraded.png)")
    parser.add_argument("--workers", type=int, default=0, help="number of threads (default: one per core)")
    arguments = parser.parse_args(argv)
    from ganvas.data.examine import examine
    from ganvas.files import expect_ending
    from ganvas.imaging.saving import save_png
    from ganvas.terminal.console import Console

    for flag, file in (("--out", arguments.out), ("--sheet", arguments.sheet)):
        if file:
            expect_ending(file, ".png", flag=flag)
    if (arguments.pairs or arguments.after) and (arguments.augmented or arguments.degradation):
        raise InputError(
            "--augmented and --degradation change single images; leave them out where --pairs or --after is given."
        )
    scale, of_pairs = (None, arguments.scale) if arguments.after else (arguments.scale, None)
    rule = _degradation(arguments.degradation, scale, arguments.sheet)
    which = {"column": arguments.column, "labels": arguments.labels}
    pairs = {"after": arguments.after, "pairs": arguments.pairs}
    found = examine(
        arguments.source, **which, **pairs, scale=_expected(of_pairs) or 1, workers=arguments.workers, progress=True
    )
    console = Console(highlight=False, soft_wrap=True)

    def report(title: str, lines: list[str]) -> None:
        for index, line in enumerate(lines[:LIMIT]):
            console.print(f"{title if index == 0 else '':<12}{line}")
        if len(lines) > LIMIT:
            console.print(f"{'':<12}and {len(lines) - LIMIT} more")

    what = "pairs" if arguments.pairs or arguments.after else "images"
    report("source", [f"{found.name}: {found.usable:,} usable {what} in {found.files:,} files"])
    report("read as", [*found.notes])
    if found.usable:
        sides = sorted(min(size) for size in found.sizes.elements())
        report("sizes", [f"{n:,} of {w} x {h}" for (w, h), n in found.sizes.most_common()])
        report("short side", [f"{sides[0]} px minimum, {sides[len(sides) // 2]} median, {sides[-1]} maximum"])
        report("modes", [f"{n:,} {mode}" for mode, n in found.modes.most_common()])
        report("classes", [f"{n:,} {label}" for label, n in found.labels.items()] or ["none"])
        report("mean RGB", [" ".join(f"{m:.1f} +- {s:.1f} " for m, s in zip(found.mean, found.spread, strict=True))])
    report("duplicates", [" = ".join(group[:4]) for group in found.duplicates] or ["none"])
    broken = [bad for bad in found.skipped if not bad.is_aside]
    report("unusable", [f"{bad.name}: {bad.reason}" for bad in broken] or ["none"])
    report("other files", [bad.name for bad in found.skipped if bad.is_aside])
    if found.sheet is None:
        return 1
    out = arguments.out or Path(f"ganvas-data-{Path(found.name).stem}.png")
    save_png(found.sheet, out)
    report("sheet", [str(out)])
    if arguments.augmented and found.tiles is not None:
        beside = out.with_stem(f"{out.stem}-augmented")
        save_png(_augmented(found.tiles, arguments.augmented), beside)
        report("augmented", [f"{beside}, one row per probability p: {', '.join(map(str, PROBABILITIES))}"])
    if rule:
        from ganvas.data.degraded import degraded_sheet

        scale = arguments.scale or rule.usual_scale
        beside = arguments.sheet or out.with_stem(f"{out.stem}-degraded")
        save_png(degraded_sheet(arguments.source, rule, scale=scale, **which), beside)
        report("degraded", [f"{beside}, at 1/{scale} of the size" if scale > 1 else str(beside)])
    return 0


def _expected(scale: int | None) -> int | None:
    if scale is not None and not 1 <= scale <= 8:
        raise InputError(f"--scale {scale} is not from 1 (the same size) to 8.")
    return scale


def _degradation(words: list[str], scale: int | None, sheet: Path | None) -> Degradation | None:
    """The degradation NAME with the fields FIELD=VALUE, whose values are JSON or several numbers with commas.

    Raises:
        InputError: there is no such degradation, field or value, or no degradation to which the other flags belong.
    """
    if not words:
        if scale is not None or sheet:
            raise InputError("--scale and --sheet belong to --degradation; add it, such as --degradation Aged.")
        return None
    _expected(scale)
    from ganvas.cli._flags import part_named
    from ganvas.recipe.degradations import Degradation
    from ganvas.recipe.serialization import from_plain, to_plain
    from ganvas.untrusted import Unreadable, parse_json

    name, *rest = words
    plain: dict[str, Any] = to_plain(part_named("--degradation", Degradation, name))
    for word in rest:
        key, _, value = word.partition("=")
        *path, last = key.split(".")
        part: Any = plain
        for step in path:
            part = part.get(step) if isinstance(part, dict) else None
        try:
            found = parse_json(f"[{value}]" if "," in value else value)
        except Unreadable:
            part = None
        if not isinstance(part, dict):
            raise InputError(f"--degradation {word} is not of the form FIELD=NUMBER or FIELD=LOW,HIGH.")
        part[last] = found
    return from_plain(Degradation, plain, "--degradation")  # type: ignore[type-abstract]


def _augmented(tiles: Pixels, policy: list[Change]) -> Pixels:
    """The same images in every row, each row augmented with the probability written to its left."""
    import numpy as np
    import torch

    from ganvas.imaging.grid import grid, label_rows
    from ganvas.imaging.tensors import from_pixels, to_pixels
    from ganvas.recipe import Augment
    from ganvas.training.augmentation import augment

    chosen = tiles[np.linspace(0, len(tiles) - 1, min(12, len(tiles))).round().astype(int)]
    torch.manual_seed(0)
    rows = [
        augment(from_pixels(chosen), Augment(differentiable=probability, policy=tuple(policy)), 0)
        for probability in PROBABILITIES
    ]
    return label_rows(grid(to_pixels(torch.cat(rows)), len(chosen)), [f"p {chance:g}" for chance in PROBABILITIES])
