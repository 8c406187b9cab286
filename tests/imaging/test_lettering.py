from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.figure import Figure
from PIL import Image

from ganvas.imaging import lettering
from ganvas.imaging.grid import label_rows, labels_width
from ganvas.imaging.lettering import drawable, font_for, save_chart
from ganvas.imaging.plot2d import Canvas


@pytest.fixture(autouse=True)
def _no_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with matplotlib's own font only."""
    monkeypatch.setattr(lettering, "_system_fonts", lambda: sorted(Path().absolute().glob("*.ttf")))
    forget()
    yield
    forget()


def forget() -> None:
    """What is known of the fonts."""
    lettering._font_of.cache_clear()
    lettering._codes.cache_clear()


def write_font(letters: str) -> Path:
    """A font whose letters are all the same black square."""
    pen = TTGlyphPen(None)
    for point in ((0, 0), (0, 900), (900, 900), (900, 0)):
        (pen.lineTo if point != (0, 0) else pen.moveTo)(point)
    pen.closePath()
    names = [".notdef", *(f"u{ord(letter):x}" for letter in letters)]
    square, empty = pen.glyph(), TTGlyphPen(None).glyph()
    font = FontBuilder(1000)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(letter): f"u{ord(letter):x}" for letter in letters})
    font.setupGlyf({name: empty if name == ".notdef" else square for name in names})
    font.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    font.setupHorizontalHeader(ascent=900, descent=-100)
    font.setupNameTable({"familyName": "Squares", "styleName": "Regular"})
    font.setupOS2(sTypoAscender=900, usWinAscent=900, usWinDescent=100)
    font.setupPost()
    font.save("squares.ttf")
    return Path("squares.ttf").absolute()


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("café", "café"),
        ("笑脸", "XiaoLian"),
        ("3 笑", "3 Xiao"),
        ("🙂", ":slight_smile:"),
        ("a\nb\x1b", "a b "),
        ("\u094d", "\\u094d"),
    ],
)
def test_text_that_no_font_has(text: str, drawn: str) -> None:
    assert drawable(text)[0] == drawn


def test_greek_is_in_a_font_that_is_always_there() -> None:
    text, path = drawable("Ωμέγα")
    assert text == "Ωμέγα"
    assert path
    assert path.name == "DejaVuSans.ttf"


def test_a_font_of_the_machine_is_found() -> None:
    path = write_font("笑脸")
    assert drawable("笑脸") == ("笑脸", path)
    assert drawable("笑🙂") == ("Xiao:slight_smile:", None)  # that font has no Latin letters
    text, font = font_for("笑脸", 13)
    assert (text, font.getname()[0], int(font.getlength(text))) == ("笑脸", "Squares", 26)


def test_rows_of_a_grid_are_named_in_any_script() -> None:
    image = np.zeros((40, 30, 1), np.uint8)
    plain = label_rows(image, ["笑脸", "猫"])
    write_font("笑脸猫")
    forget()
    named = label_rows(image, ["笑脸", "猫"])
    assert labels_width(["笑脸", "猫"]) == named.shape[1] - 30 == 8 + 26
    assert plain.shape[1] > named.shape[1]
    assert (named[:20, :32] < 99).sum() > 200  # two black squares of 12 px


def test_a_chart_has_no_boxes_and_no_formulas(recwarn: pytest.WarningsRecorder) -> None:
    write_font("笑脸")
    figure = Figure(figsize=(3, 2), dpi=100)
    axes = figure.subplots()
    axes.plot([0, 1], [1e-9, 1e9], label="run $x^$ 笑脸")
    axes.set_yscale("log")
    axes.set_xticks([0, 1], ["猫", "笑脸"])
    axes.set_title("🙂 脸")
    axes.legend()
    save_chart(figure, Path("chart.png"), {"Description": "笑脸"})
    assert not [str(one.message) for one in recwarn]  # matplotlib warns of every letter that its fonts lack
    assert axes.get_title() == ":slight_smile: Lian"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["Mao", "笑脸"]
    with Image.open("chart.png") as chart:
        assert chart.text["Description"] == "笑脸"


def test_a_plot_of_points_has_no_boxes_and_no_formulas(recwarn: pytest.WarningsRecorder) -> None:
    plot = Canvas().draw(np.zeros((3, 2), np.float32), "points of $_$ 笑脸")
    assert plot[:40].min() < 99
    assert not [str(one.message) for one in recwarn]
