"""Several versions of the same pictures, to be looked at side by side: one HTML page that holds all it shows.

Any two versions lie on each other under a slider; a loupe shows the same spot of all of them, pixel by pixel.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageChops

from ganvas.errors import InputError
from ganvas.reports.templating import render

BUDGET = 18_000_000  # bytes of all pictures of a page, roughly
EXACT, LOSSY = 1.9, 0.6  # bytes a pixel of a photograph in WebP takes, lossless and at QUALITY
QUALITY = 95
WORTH = 160_000  # px of a picture below which being exact is not worth the smaller crop
LARGEST, SIDE = 1_000_000, 8_000  # px of a picture on the page, and of a side of it
FIRST = 12  # the loupe begins on a window of this share of the shorter side
ROWS = 100
REFERENCE = "original"  # the label of what the others try to reach


@dataclass(frozen=True)
class ViewerRow:
    """One motif in several versions."""

    name: str
    images: Mapping[str, Image.Image]
    """Label (bicubic, SRGAN, original, ...) -> image, in the order of showing; at least two, all of one size."""
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Label -> name of the score -> value; a name that ends in ↑ or ↓ says which is better."""
    note: str = ""
    """A sentence beneath the name."""


def viewer_page(title: str, rows: Sequence[ViewerRow], *, lead: str = "", budget: int = BUDGET) -> str:
    """A self-contained page that shows every row under a slider and a loupe.

    Args:
        title: of the page.
        rows: what to show; beyond 100 the rest is left out, which the page says.
        lead: a sentence beneath the title.
        budget: bytes the images may weigh, roughly; larger ones are cut to where the first two sides differ most.

    Raises:
        InputError: there is no row, or a row has fewer than two images or images of unequal sizes.
    """
    viewer = viewer_values(rows, budget)
    styles, scripts = ["page.css", "viewer.css"], ["viewer.js"]
    return render("viewer.html", title=title, lead=lead, styles=styles, scripts=scripts, viewer=viewer)


def viewer_values(rows: Sequence[ViewerRow], budget: int = BUDGET) -> dict[str, Any]:
    """What the template `rows.html` shows.

    Raises:
        InputError: as `viewer_page`.
    """
    if not rows:
        raise InputError("there is no picture to show; give at least one row.")
    for row in rows:
        _check(row)
    shown = rows[:ROWS]
    share = budget * 3 / 4 / sum(len(row.images) for row in shown)  # base64 makes four bytes of three
    exact = share / EXACT >= WORTH
    allowed = int(min(LARGEST, share / (EXACT if exact else LOSSY)))
    labels = list(dict.fromkeys(label for row in shown for label in row.images))
    left, right = sides(labels)
    return {
        "labels": [(label, label) for label in labels],
        "left": left,
        "right": right,
        "left_out": len(rows) - len(shown),
        "rows": [_row(row, allowed, exact) for row in shown],
    }


def _check(row: ViewerRow) -> None:
    if len(row.images) < 2:
        raise InputError(f"{row.name} has {len(row.images)} picture, which is nothing to compare; give two or more.")
    (first, image), *others = row.images.items()
    for label, other in others:
        if other.size != image.size:
            raise InputError(
                f"{row.name} has {first} of {image.width} x {image.height} px and {label} of {other.width} x"
                f" {other.height} px; give pictures of one size."
            )
    for label in row.scores:
        if label not in row.images:
            raise InputError(f"{row.name} has scores of {label!r} and no such picture; give the picture too.")


def sides(labels: Sequence[str]) -> tuple[str, str]:
    """The two labels that lie under the slider at first: the first, and the last that is not the original."""
    others = [label for label in labels if label != REFERENCE]
    return labels[0], (others if len(others) > 1 else list(labels))[-1]


def _row(row: ViewerRow, allowed: int, exact: bool) -> dict[str, Any]:
    width, height = next(iter(row.images.values())).size
    box = _box(row, allowed)
    part = {label: image.crop(box) for label, image in row.images.items()}
    wide, high = box[2] - box[0], box[3] - box[1]
    side = max(1, min(wide, high) // FIRST)
    x, y = ((place + side / 2) / length for place, length in zip(_apart(part, side, side), (wide, high), strict=True))
    coded = "lossless" if exact else f"WebP of quality {QUALITY}: for exact pixels open the files themselves"
    about = f"{width:,} x {height:,} px, {coded}."
    if (wide, high) != (width, height):
        about = (
            f"A part of {wide:,} x {high:,} px at ({box[0]:,}, {box[1]:,}) of {width:,} x {height:,} px, where the"
            f" two sides differ most; {coded}."
        )
    return {
        "name": row.name,
        "note": row.note,
        "x": f"{x:.4f}",
        "y": f"{y:.4f}",
        "width": wide,
        "height": high,
        "about": about,
        "versions": [
            {"label": label, "source": _address(image, exact), "scores": list(_scores(row, label))}
            for label, image in part.items()
        ],
    }


def _scores(row: ViewerRow, label: str) -> Iterator[dict[str, Any]]:
    for name, value in row.scores.get(label, {}).items():
        all_values = [scores[name] for scores in row.scores.values() if name in scores]
        best = {"↑": max(all_values), "↓": min(all_values)}.get(name[-1:])
        yield {"name": name, "text": _number(value), "is_best": value == best and len(all_values) > 1}


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "∞" if value > 0 else "-"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.4f}"


def _box(row: ViewerRow, allowed: int) -> tuple[int, int, int, int]:
    """What is shown of a picture (left, top, right, bottom): all, or as many pixels as allowed where most differs."""
    width, height = next(iter(row.images.values())).size
    if width * height <= allowed and max(width, height) <= SIDE:
        return 0, 0, width, height
    # Of the picture's own shape, unless that is a strip.
    ratio = min(max(width / height, 0.5), 2.0)
    wide = min(width, max(1, int((allowed * ratio) ** 0.5)))
    high = min(height, max(1, allowed // wide), SIDE)
    wide = min(width, max(wide, allowed // high), SIDE)
    left, top = _apart(row.images, wide, high)
    return left, top, left + wide, top + high


def _apart(pictures: Mapping[str, Image.Image], wide: int, high: int) -> tuple[int, int]:
    """Left and top of the window of that size in which the two sides differ most."""
    a, b = (_eight_bit(pictures[label]).convert("L") for label in sides(list(pictures)))
    step = max(1, min(wide, high) // 8)
    gap = np.asarray(ImageChops.difference(a, b).reduce(step), np.float64)
    rows, columns = min(len(gap), max(1, high // step)), min(gap.shape[1], max(1, wide // step))
    sums = np.pad(gap.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    totals = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
    top, left = (int(place) * step for place in np.unravel_index(int(totals.argmax()), totals.shape))
    return min(left, a.width - wide), min(top, a.height - high)


def _eight_bit(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) / 257).round().astype(np.uint8))
    return picture


def _address(picture: Image.Image, exact: bool) -> str:
    """A data: address. A profile is kept where it is one of RGB, so that colours are shown as they are meant."""
    profile = picture.info.get("icc_profile") if picture.mode in ("RGB", "RGBA") else None
    picture = _eight_bit(picture)
    clear = "A" in picture.getbands() or "transparency" in picture.info
    buffer = io.BytesIO()
    mode = "RGBA" if clear else "RGB"
    options = {"icc_profile": profile} if profile else {}
    picture.convert(mode).save(buffer, "WEBP", lossless=exact, quality=60 if exact else QUALITY, method=3, **options)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
