"""Several versions of the same images side by side, on one self-contained HTML page.

A slider compares any two versions; a magnifier shows the same region of all versions, pixel by pixel.
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

BUDGET = 18_000_000  # bytes of all images of a page, roughly
EXACT, LOSSY = 1.9, 0.6  # bytes per pixel of a photo as WebP, lossless and at QUALITY
QUALITY = 95
WORTH = 160_000  # pixels per image below which a lossless image is not worth its smaller crop
LARGEST, SIDE = 1_000_000, 8_000  # maximum pixels of an image on the page, and of its longer side
FIRST = 12  # the magnifier starts on a window of one such fraction of the shorter side
ROWS = 100
REFERENCE = "original"  # label of the ground truth


@dataclass(frozen=True)
class ViewerRow:
    """Several versions of one image."""

    name: str
    images: Mapping[str, Image.Image]
    """Label (bicubic, SRGAN, original, ...) -> image, in display order; at least two, all of the same size."""
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Label -> name of the score -> value; ↑ or ↓ at the end of a name says which values are better."""
    note: str = ""
    """A sentence below the name."""


def room(images: int, budget: int = BUDGET) -> int:
    """How many pixels each of so many images may have on a page."""
    return int(min(LARGEST, _share(images, budget) / LOSSY))


def viewer_page(
    title: str,
    rows: Sequence[ViewerRow],
    *,
    lead: str = "",
    budget: int = BUDGET,
    whole: bool = False,
    left_out: int = 0,
) -> str:
    """A self-contained page that shows every row with a slider and a magnifier.

    Args:
        title: title of the page.
        rows: the rows to show; the page notes that rows beyond 100 are left out.
        lead: a sentence below the title.
        budget: size of all images in bytes, roughly; larger images are cropped to where the first two sides differ
            most.
        whole: crop no image, and rather lose exact pixels; `room` says how many pixels fit the budget.
        left_out: how many more images there are, which the page notes.

    Raises:
        InputError: there is no row, or a row has fewer than two images or images of different sizes.
    """
    viewer = viewer_values(rows, budget, whole)
    viewer["left_out"] += left_out
    styles, scripts = ["page.css", "viewer.css"], ["viewer.js"]
    return render("viewer.html", title=title, lead=lead, styles=styles, scripts=scripts, viewer=viewer)


def viewer_values(rows: Sequence[ViewerRow], budget: int = BUDGET, whole: bool = False) -> dict[str, Any]:
    """The values for the template `rows.html`.

    Raises:
        InputError: see `viewer_page`.
    """
    if not rows:
        raise InputError("there are no images to show; give at least one row.")
    for row in rows:
        _check(row)
    shown = rows[:ROWS]
    images = sum(len(row.images) for row in shown)
    losslessly, largest = _share(images, budget) / EXACT, max(map(_pixels, shown))
    exact = losslessly >= (largest if whole else WORTH)
    allowed = int(min(LARGEST, losslessly)) if exact else room(images, budget)
    allowed = max(allowed, largest) if whole else allowed
    labels = list(dict.fromkeys(label for row in shown for label in row.images))
    left, right = sides(labels)
    return {
        "labels": [(label, label) for label in labels],
        "left": left,
        "right": right,
        "left_out": len(rows) - len(shown),
        "rows": [_row(row, allowed, exact) for row in shown],
    }


def _share(images: int, budget: int) -> float:
    """The bytes that each image may have; base64 turns three of them into four."""
    return budget * 3 / 4 / images


def _pixels(row: ViewerRow) -> int:
    width, height = next(iter(row.images.values())).size
    return width * height


def _check(row: ViewerRow) -> None:
    if len(row.images) < 2:
        raise InputError(f"{row.name} has too few images to compare ({len(row.images)}); give at least two.")
    (first, image), *others = row.images.items()
    for label, other in others:
        if other.size != image.size:
            raise InputError(
                f"{row.name} has images of different sizes, {first} of {image.width} x {image.height} px and {label} of"
                f" {other.width} x {other.height} px; give images of one size."
            )
    for label in row.scores:
        if label not in row.images:
            raise InputError(f"{row.name} has scores but no image for {label!r}; give the image too.")


def sides(labels: Sequence[str]) -> tuple[str, str]:
    """The two labels initially under the slider: the first, and the last that is not the original."""
    others = [label for label in labels if label != REFERENCE]
    return labels[0], (others if len(others) > 1 else list(labels))[-1]


def _row(row: ViewerRow, allowed: int, exact: bool) -> dict[str, Any]:
    width, height = next(iter(row.images.values())).size
    box = _box(row, allowed)
    crops = {label: image.crop(box) for label, image in row.images.items()}
    wide, high = box[2] - box[0], box[3] - box[1]
    side = max(1, min(wide, high) // FIRST)
    corner = _most_different(crops, side, side)
    x, y = ((start + side / 2) / length for start, length in zip(corner, (wide, high), strict=True))
    coding = "lossless" if exact else f"WebP at quality {QUALITY}: open the original files for exact pixels"
    about = f"{width:,} x {height:,} px, {coding}."
    if (wide, high) != (width, height):
        about = (
            f"A crop of {wide:,} x {high:,} px at ({box[0]:,}, {box[1]:,}) of {width:,} x {height:,} px, where the"
            f" two sides differ most; {coding}."
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
            {"label": label, "source": _data_url(image, exact), "scores": list(_scores(row, label))}
            for label, image in crops.items()
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
    """The crop to show (left, top, right, bottom): the whole image, or as much as allowed where it differs most."""
    width, height = next(iter(row.images.values())).size
    if width * height <= allowed and max(width, height) <= SIDE:
        return 0, 0, width, height
    # Keep the image's aspect ratio, unless it is a strip.
    ratio = min(max(width / height, 0.5), 2.0)
    wide = min(width, max(1, int((allowed * ratio) ** 0.5)))
    high = min(height, max(1, allowed // wide), SIDE)
    wide = min(width, max(wide, allowed // high), SIDE)
    left, top = _most_different(row.images, wide, high)
    return left, top, left + wide, top + high


def _most_different(images: Mapping[str, Image.Image], wide: int, high: int) -> tuple[int, int]:
    """Left and top of the window of the given size in which the two sides differ most."""
    a, b = (_eight_bit(images[label]).convert("L") for label in sides(list(images)))
    step = max(1, min(wide, high) // 8)
    gap = np.asarray(ImageChops.difference(a, b).reduce(step), np.float64)
    rows, columns = min(len(gap), max(1, high // step)), min(gap.shape[1], max(1, wide // step))
    sums = np.pad(gap.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    totals = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
    top, left = (int(place) * step for place in np.unravel_index(int(totals.argmax()), totals.shape))
    return min(left, a.width - wide), min(top, a.height - high)


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) / 257).round().astype(np.uint8))
    return image


def _data_url(image: Image.Image, exact: bool) -> str:
    """A data: URL of an image, with its colour profile if that is an RGB profile."""
    profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
    image = _eight_bit(image)
    transparent = "A" in image.getbands() or "transparency" in image.info
    buffer = io.BytesIO()
    mode = "RGBA" if transparent else "RGB"
    options = {"icc_profile": profile} if profile else {}
    image.convert(mode).save(buffer, "WEBP", lossless=exact, quality=60 if exact else QUALITY, method=3, **options)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
