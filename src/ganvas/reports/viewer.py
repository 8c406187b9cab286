"""Several versions of the same pictures, to be looked at side by side: one HTML page that holds all it shows.

Any two versions lie on each other under a slider; a loupe shows the same spot of all of them, pixel by pixel.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image, ImageChops

from ganvas import __version__
from ganvas.errors import InputError

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
    pictures: Mapping[str, Image.Image]
    """Label (bicubic, SRGAN, original, ...) -> picture, in the order of showing; at least two, all of one size."""
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
        budget: bytes the pictures may weigh, roughly; larger ones are cut to where the first two sides differ most.

    Raises:
        InputError: there is no row, or a row has fewer than two pictures or pictures of unequal sizes.
    """
    page = Template((Path(__file__).parent / "templates" / "viewer.html").read_text(encoding="utf-8"))
    style, script = assets()
    return page.substitute(
        title=escape(title),
        lead=escape(lead),
        style=(Path(__file__).parent / "templates" / "page.css").read_text(encoding="utf-8") + style,
        script=script,
        viewer=viewer(rows, budget=budget),
        version=__version__,
    )


def assets() -> tuple[str, str]:
    """The style and the script that the markup of `viewer` needs, beside the page's own style."""
    folder = Path(__file__).parent / "templates"
    return (folder / "viewer.css").read_text(encoding="utf-8"), (folder / "viewer.js").read_text(encoding="utf-8")


def viewer(rows: Sequence[ViewerRow], *, budget: int = BUDGET) -> str:
    """The markup of the viewer, to be put into a page with its `assets`.

    Raises:
        InputError: as `viewer_page`.
    """
    if not rows:
        raise InputError("there is no picture to show; give at least one row.")
    for row in rows:
        _check(row)
    shown = rows[:ROWS]
    share = budget * 3 / 4 / sum(len(row.pictures) for row in shown)  # base64 makes four bytes of three
    exact = share / EXACT >= WORTH
    allowed = min(LARGEST, share / (EXACT if exact else LOSSY))
    labels = list(dict.fromkeys(label for row in shown for label in row.pictures))
    parts = [_bar(labels)]
    if len(rows) > ROWS:
        parts.append(f'<p class="warning">{len(rows) - ROWS} more pictures are left out to keep the page small.</p>')
    if len(shown) > 1:
        links = "".join(f'<a href="#picture-{index}">{escape(row.name)}</a>' for index, row in enumerate(shown))
        parts.append(f'<nav class="index" aria-label="Pictures">{links}</nav>')
    return "".join(parts + [_row(index, row, int(allowed), exact) for index, row in enumerate(shown)])


def _check(row: ViewerRow) -> None:
    if len(row.pictures) < 2:
        raise InputError(f"{row.name} has {len(row.pictures)} picture, which is nothing to compare; give two or more.")
    (first, picture), *others = row.pictures.items()
    for label, other in others:
        if other.size != picture.size:
            raise InputError(
                f"{row.name} has {first} of {picture.width} x {picture.height} px and {label} of {other.width} x"
                f" {other.height} px; give pictures of one size."
            )
    for label in row.scores:
        if label not in row.pictures:
            raise InputError(f"{row.name} has scores of {label!r} and no such picture; give the picture too.")


def _bar(labels: Sequence[str]) -> str:
    first, last = sides(labels)

    def choice(name: str, told: str, values: Sequence[tuple[str, str]], chosen: str) -> str:
        options = "".join(
            f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(text)}</option>'
            for value, text in values
        )
        return f'<label>{told} <select data-choice="{name}">{options}</select></label>'

    both = [(label, label) for label in labels]
    parts = [
        choice("left", "left", both, first),
        '<button type="button" data-swap title="swap the sides" aria-label="swap the sides">⇄</button>',
        choice("right", "right", both, last),
        choice("size", "size", [("fit", "fit"), ("1", "1:1"), ("2", "2:1")], "fit"),
        choice("zoom", "loupe", [(str(zoom), f"{zoom}x") for zoom in (2, 4, 8, 16)], "4"),
    ]
    return f'<div class="bar choices" role="group" aria-label="What is shown">{"".join(parts)}</div>'


def sides(labels: Sequence[str]) -> tuple[str, str]:
    """The two labels that lie under the slider at first: the first, and the last that is not the original."""
    others = [label for label in labels if label != REFERENCE]
    return labels[0], (others if len(others) > 1 else list(labels))[-1]


def _row(index: int, row: ViewerRow, allowed: int, exact: bool) -> str:
    width, height = next(iter(row.pictures.values())).size
    box = _box(row, allowed)
    part = {label: picture.crop(box) for label, picture in row.pictures.items()}
    wide, high = box[2] - box[0], box[3] - box[1]
    side = max(1, min(wide, high) // FIRST)
    x, y = ((place + side / 2) / length for place, length in zip(_apart(part, side, side), (wide, high), strict=True))
    coded = "lossless" if exact else f"WebP of quality {QUALITY}: for exact pixels open the files themselves"
    told = f"{width:,} x {height:,} px, {coded}."
    if (wide, high) != (width, height):
        told = (
            f"A part of {wide:,} x {high:,} px at ({box[0]:,}, {box[1]:,}) of {width:,} x {height:,} px, where the"
            f" two sides differ most; {coded}."
        )
    images = "".join(
        f'<img data-label="{escape(label)}" src="{_address(picture, exact)}" width="{wide}" height="{high}"'
        f' alt="{escape(row.name)}, {escape(label)}" draggable="false">'
        for label, picture in part.items()
    )
    loupes = "".join(
        f'<figure data-label="{escape(label)}"><canvas></canvas><figcaption><b>{escape(label)}</b>'
        f"{_scores(row, label)}</figcaption></figure>"
        for label in row.pictures
    )
    note = f'<p class="hint">{escape(row.note)}</p>' if row.note else ""
    name = escape(row.name)
    return (
        f'<section class="picture" id="picture-{index}" data-x="{x:.4f}" data-y="{y:.4f}"><h2>{name}</h2>{note}'
        '<div class="view"><div class="canvas"><div class="scroller">'
        f'<div class="stage" tabindex="0" role="group" style="--w:{wide};--h:{high}"'
        f' aria-label="{name}: the arrow keys move the loupe">{images}<span class="tag left"></span>'
        '<span class="tag right"></span><span class="divider"></span><span class="spot"></span></div></div>'
        '<input class="divide" type="range" min="0" max="1000" value="500"'
        f' aria-label="{name}: where the left picture ends"></div><div class="loupes">{loupes}</div></div>'
        f'<p class="about">{escape(told)}</p></section>'
    )


def _scores(row: ViewerRow, label: str) -> str:
    lines = []
    for name, value in row.scores.get(label, {}).items():
        all_values = [scores[name] for scores in row.scores.values() if name in scores]
        best = {"↑": max(all_values), "↓": min(all_values)}.get(name[-1:])
        tag = "strong" if value == best and len(all_values) > 1 else "span"
        lines.append(f"<div><span>{escape(name)}</span><{tag}>{_number(value)}</{tag}></div>")
    return f'<div class="scores">{"".join(lines)}</div>' if lines else ""


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "∞" if value > 0 else "-"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.4f}"


def _box(row: ViewerRow, allowed: int) -> tuple[int, int, int, int]:
    """What is shown of a picture (left, top, right, bottom): all, or as many pixels as allowed where most differs."""
    width, height = next(iter(row.pictures.values())).size
    if width * height <= allowed and max(width, height) <= SIDE:
        return 0, 0, width, height
    # Of the picture's own shape, unless that is a strip.
    ratio = min(max(width / height, 0.5), 2.0)
    wide = min(width, max(1, int((allowed * ratio) ** 0.5)))
    high = min(height, max(1, allowed // wide), SIDE)
    wide = min(width, max(wide, allowed // high), SIDE)
    left, top = _apart(row.pictures, wide, high)
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
