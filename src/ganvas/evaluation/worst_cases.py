"""The worst cases of a score: the worst images first, each where its result is furthest from the original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import uniform_filter

import ganvas
from ganvas.imaging.grid import Pixels
from ganvas.imaging.lettering import font_for
from ganvas.imaging.saving import save_png
from ganvas.metrics.distortion import luma

SHOWN = 8  # images
WINDOW = 128  # px of the original
ZOOM = 2  # pixel by pixel, so that nothing is smoothed
GAP, LINE, TEXT = 8, 22, 15  # px
INK, PAPER = (20, 20, 20), (255, 255, 255)


@dataclass(frozen=True)
class View:
    """One image: uint8 crops (h, w, 3) of bicubic, result and original, and their caption."""

    score: float
    caption: str
    crops: tuple[Pixels, Pixels, Pixels]


def view(name: str, plain: Pixels, result: Pixels, high: Pixels, scores: dict[str, float]) -> View:
    """Cut the window out in which the result is furthest from the original, by the mean squared error on Y."""
    error = np.square(luma(result)[..., 0] - luma(high)[..., 0].astype(np.float64))
    height, width = (min(WINDOW, length) for length in error.shape)
    sums = uniform_filter(error, (height, width), mode="constant")
    # The filter's centre is at size // 2; only windows that lie inside count.
    inside = sums[height // 2 : error.shape[0] - (height - 1) // 2, width // 2 : error.shape[1] - (width - 1) // 2]
    top, left = np.unravel_index(int(inside.argmax()), inside.shape)
    crops = [
        np.ascontiguousarray(np.broadcast_to(x[top : top + height, left : left + width], (height, width, 3)))
        for x in (plain, result, high)
    ]
    figures = ", ".join(f"{key} {_short(key, value)}" for key, value in scores.items())
    return View(scores["PSNR-Y"], f"{name}: {figures}", (crops[0], crops[1], crops[2]))


def worst_cases(views: Sequence[View]) -> list[View]:
    """The views to show, the worst first."""
    return sorted(views, key=lambda one: one.score)[:SHOWN]


def draw(path: Path, views: Sequence[View], title: str, start: str) -> None:
    """Write the PNG: one row an image, of where the model starts (bicubic or the input), result and original.

    Raises:
        InputError: the file cannot be written.
    """
    width = 3 * ZOOM * WINDOW + 4 * GAP
    tall = [ZOOM * one.crops[0].shape[0] + LINE + GAP for one in views]
    sheet = Image.new("RGB", (width, 2 * LINE + 2 * GAP + sum(tall)), PAPER)
    pen = ImageDraw.Draw(sheet)
    _write(pen, GAP, GAP, title)
    for column, head in enumerate((start, "result", "original")):
        _write(pen, GAP + column * (ZOOM * WINDOW + GAP), GAP + LINE, head)
    top = 2 * LINE + GAP
    for one, height in zip(views, tall, strict=True):
        _write(pen, GAP, top, one.caption, TEXT - 3)
        for column, crop in enumerate(one.crops):
            large = crop.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
            sheet.paste(Image.fromarray(large), (GAP + column * (ZOOM * WINDOW + GAP), top + LINE))
        top += height
    save_png(np.asarray(sheet), path, {"Software": f"ganvas {ganvas.__version__}", "Description": title})


def _write(pen: ImageDraw.ImageDraw, left: int, top: int, text: str, size: int = TEXT) -> None:
    text, font = font_for(text, size)
    pen.text((left, top), text, INK, font)


def _short(measure: str, value: float) -> str:
    return f"{value:.2f}" if "PSNR" in measure else f"{value:.4f}"
