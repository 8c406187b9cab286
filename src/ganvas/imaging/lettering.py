"""Text in pictures, in any script: in a font that has its letters, or else in Latin letters, never as empty boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from PIL import ImageFont

from ganvas.files import write_atomically

PREFERRED = "SourceHanSans", "NotoSansCJK", "NotoSans", "PingFang", "msyh", "simhei", "Arial Unicode", "wqy"
WEIGHTS = re.compile(r"bold|black|heavy|light|thin|medium|italic|oblique|mono|serif|condensed", re.IGNORECASE)


def drawable(text: str) -> tuple[str, Path | None]:
    """A text that one font can draw, and that font's file; None if the fonts drawn with by default can.

    What no font of this machine has is written in Latin letters: 笑脸 as XiaoLian.
    """
    known = "".join(char if char.isprintable() else " " for char in text)
    known = "".join(char if _is_latin(char) or _font_of(frozenset(char)) else _latin(char) for char in known)
    font = _font_of(frozenset(known))
    if not font and not _is_latin(known):
        known = "".join(char if _is_latin(char) else _latin(char) for char in known)  # scripts of several fonts
    return known or text.encode("ascii", "backslashreplace").decode(), font


def font_for(text: str, size: int) -> tuple[str, Any]:
    """The same for Pillow: the text to draw, and the font of that size in pixels."""
    text, path = drawable(text)
    return text, ImageFont.truetype(str(path), size) if path else ImageFont.load_default(size)


def save_chart(figure: Any, path: Path, metadata: Mapping[str, str] | None = None, **options: Any) -> None:
    """Write a matplotlib figure atomically as PNG, all its names in letters that a font has and none read as a formula.

    Raises:
        InputError: the file cannot be written.
    """
    for axes in figure.axes:
        if not axes.axison:
            axes.set(xticks=(), yticks=())  # never drawn, they would take most of the time of a chart of images
    for text in _texts(figure):
        make_drawable(text)
    write_atomically(path, lambda part: figure.savefig(part, format="png", metadata=metadata, **options))


def make_drawable(text: Any) -> None:
    """Show a text of matplotlib in letters that a font has, and not as a formula."""
    shown = text.get_text()
    text.set_parse_math("\\mathdefault" in shown)  # the axes' own powers of ten
    if not all(line.isascii() and line.isprintable() for line in shown.split("\n")):
        lines, fonts = zip(*map(drawable, shown.split("\n")), strict=True)
        text.set_text("\n".join(lines))
        text.set_fontfamily(["DejaVu Sans", *map(_family, dict.fromkeys(filter(None, fonts)))])


def _texts(artist: Any) -> Iterator[Any]:
    """All texts but the numbers at the axes: to ask for those lays out every tick, half the time of a chart."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    if isinstance(artist, Text):
        yield artist
    elif not isinstance(artist, Axis):
        for child in artist.get_children():
            yield from _texts(child)
    else:
        yield artist.label
        if isinstance(artist.get_major_formatter(), FixedFormatter | FuncFormatter):
            labels = [label.get_text() for label in artist.get_ticklabels()]
            shown = [drawable(label)[0] for label in labels]
            if shown != labels:
                artist.set_ticks(artist.get_ticklocs(), shown)  # a label's own text is replaced when it is drawn
            yield from artist.get_ticklabels()


@cache
def _family(path: Path) -> str:
    """The name under which matplotlib knows a font from now on."""
    from matplotlib import font_manager

    font_manager.fontManager.addfont(path)
    return str(font_manager.FontProperties(fname=path).get_name())


def _latin(char: str) -> str:
    from anyascii import anyascii

    return anyascii(char)


def _is_latin(text: str) -> bool:
    return all(char <= "\xff" for char in text)


@cache
def _font_of(letters: frozenset[str]) -> Path | None:
    """The first font with all these letters; None if there is none, or if none is needed."""
    if _is_latin("".join(letters)):
        return None
    codes = set(map(ord, letters))
    return next((path for path in _fonts() if codes <= _codes(path)), None)


@cache
def _codes(path: Path) -> frozenset[int]:
    """The characters of a font that can be drawn at any size; none for a font that cannot, such as coloured bitmaps."""
    from matplotlib.ft2font import FT2Font

    try:
        ImageFont.truetype(str(path), 13)
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


def _fonts() -> Iterator[Path]:
    """The fonts of this machine: matplotlib's own first, then plain ones of well-known families, then the others."""
    import matplotlib

    yield Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    yield from _system_fonts()


@cache
def _system_fonts() -> tuple[Path, ...]:
    from matplotlib import font_manager

    found = [
        path for path in map(Path, font_manager.findSystemFonts()) if path.suffix.lower() in (".ttf", ".ttc", ".otf")
    ]
    return tuple(sorted(found, key=_order))


def _order(path: Path) -> tuple[bool, int, str]:
    name = path.stem.replace("-", "").lower()
    place = next((i for i, known in enumerate(PREFERRED) if name.startswith(known.replace(" ", "").lower())), 99)
    return bool(WEIGHTS.search(path.stem)), place, path.name
