"""What each slip in scoring super-resolution costs: the protocol of docs/score.md with one step done wrong at a time.

python benchmarks/slips.py
python benchmarks/slips.py srgan-x4
"""

from __future__ import annotations

import argparse
import math
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter
from torch.nn import functional

from ganvas.evaluation.baselines import BicubicUpscaler
from ganvas.evaluation.test_sets import Pair, find_set
from ganvas.evaluation.upscalers import open_upscaler
from ganvas.experiment import Host
from ganvas.files import write_text
from ganvas.imaging import tensors as resize
from ganvas.inference.super_resolution import SuperResolution
from ganvas.metrics.distortion import C1, C2, TO_LUMA, luma, psnr, ssim

Pixels = NDArray[Any]
SCALE = 4
SETS = ("Set5", "Set14", "BSD100")
FULL_RANGE = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Scoring:
    """One protocol; the default is the right one.

    Attributes:
        low: the low-resolution image of a pair.
        upscale: makes the result; by default the model does.
        after: what happens to the result.
        of: what is compared of both images.
        crop: pixels on each side.
        ssim: its implementation.
        whole: PSNR of the mean squared error of all images, not the mean of their PSNR.
        as_colour: grey images as three channels.
    """

    low: Callable[[Pair], Pixels] = lambda pair: pair.low
    upscale: Callable[[Pixels], Pixels] | None = None
    after: Callable[[Pixels], Pixels] = lambda result: result
    of: Callable[[Pixels], Pixels] = luma
    crop: int = SCALE
    ssim: Callable[..., float] = ssim
    whole: bool = False
    as_colour: bool = False


def _planes(pixels: Pixels) -> torch.Tensor:
    return torch.from_numpy(np.array(pixels, np.float64)).permute(2, 0, 1)[None]


def _pixels(planes: torch.Tensor) -> Pixels:
    rounded = (planes[0] + 0.5).floor().clamp(0, 255).byte()
    return np.ascontiguousarray(rounded.permute(1, 2, 0).numpy())


def plain_cubic(pixels: Pixels, scale: float) -> Pixels:
    """As OpenCV's INTER_CUBIC: a = -3/4, and no antialiasing when it shrinks."""
    return _pixels(functional.interpolate(_planes(pixels), scale_factor=scale, mode="bicubic", align_corners=False))


def pillow(pixels: Pixels, scale: float) -> Pixels:
    """Pillow's BICUBIC, which has antialiasing and rounds once."""
    height, width = (round(length * scale) for length in pixels.shape[:2])
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    return np.atleast_3d(np.asarray(image.resize((width, height), Image.Resampling.BICUBIC)))


def box(pixels: Pixels) -> Pixels:
    """The mean of each square, as OpenCV's INTER_AREA."""
    return _pixels(functional.avg_pool2d(_planes(pixels), SCALE))


def unrounded(pixels: Pixels) -> Pixels:
    """Bicubic without any rounding."""
    made = resize.imresize(_planes(pixels), SCALE).clamp(0, 255)
    return np.ascontiguousarray(made[0].permute(1, 2, 0).numpy())


def float_luma(pixels: Pixels) -> Pixels:
    """Y in studio range, not rounded."""
    return pixels.astype(np.float64) if pixels.shape[-1] == 1 else (16 + pixels @ TO_LUMA)[..., None]


def full_luma(pixels: Pixels) -> Pixels:
    """Y over 0 to 255, as OpenCV and Pillow have it."""
    return pixels if pixels.shape[-1] == 1 else np.floor(pixels @ FULL_RANGE + 0.5)[..., None]


def swapped_luma(pixels: Pixels) -> Pixels:
    """Y of an image with red and blue swapped."""
    return luma(pixels[..., ::-1])


def uniform_ssim(a: Pixels, b: Pixels, *, crop: int) -> float:
    """scikit-image's default: a plain window of 7 x 7, and sample covariances."""
    inside = slice(crop, a.shape[0] - crop), slice(crop, a.shape[1] - crop)
    x, y = a[inside].astype(np.float64), b[inside].astype(np.float64)

    def mean(plane: Pixels) -> Pixels:
        averaged: Pixels = uniform_filter(plane, (7, 7, 1))[3:-3, 3:-3]
        return averaged

    sample = 49 / 48
    mx, my = mean(x), mean(y)
    variances = sample * (mean(x * x + y * y) - mx * mx - my * my)
    covariance = sample * (mean(x * y) - mx * my)
    return float(((2 * mx * my + C1) * (2 * covariance + C2) / ((mx * mx + my * my + C1) * (variances + C2))).mean())


RIGHT = Scoring()
SLIPS = {
    "Y over 0 to 255 (OpenCV, Pillow)": replace(RIGHT, of=full_luma),
    "RGB instead of Y": replace(RIGHT, of=lambda pixels: pixels),
    "red taken for blue in Y": replace(RIGHT, of=swapped_luma),
    "Y not rounded": replace(RIGHT, of=float_luma),
    "result not rounded, nor between the passes": replace(RIGHT, upscale=unrounded),
    "no crop": replace(RIGHT, crop=0),
    "crop of 6 px": replace(RIGHT, crop=6),
    "crop of 8 px": replace(RIGHT, crop=8),
    "result 1 px to the right": replace(RIGHT, after=lambda result: np.roll(result, 1, axis=1)),
    "PSNR of the mean error, not mean of PSNR": replace(RIGHT, whole=True),
    "SSIM by 7 x 7 plain windows (scikit-image's default)": replace(RIGHT, ssim=uniform_ssim),
    "grey image by RGB to Y": replace(RIGHT, as_colour=True),
    "low side by cubic without antialiasing (OpenCV)": replace(
        RIGHT, low=lambda pair: plain_cubic(pair.high, 1 / SCALE)
    ),
    "low side by averaging squares (OpenCV's area)": replace(RIGHT, low=lambda pair: box(pair.high)),
    "low side by Pillow's BICUBIC": replace(RIGHT, low=lambda pair: pillow(pair.high, 1 / SCALE)),
}
OF_BICUBIC = {
    "upscaled by OpenCV's cubic": replace(RIGHT, upscale=lambda low: plain_cubic(low, SCALE)),
    "both sides by OpenCV's cubic": replace(
        RIGHT, low=lambda pair: plain_cubic(pair.high, 1 / SCALE), upscale=lambda low: plain_cubic(low, SCALE)
    ),
    "both sides by Pillow's BICUBIC": replace(
        RIGHT, low=lambda pair: pillow(pair.high, 1 / SCALE), upscale=lambda low: pillow(low, SCALE)
    ),
}


def measure(model: SuperResolution, name: str, scorings: dict[str, Scoring]) -> dict[str, tuple[float, float]]:
    """PSNR and SSIM of one set by each protocol."""
    found: dict[str, list[tuple[float, float]]] = {what: [] for what in scorings}
    for pair in find_set(name, SCALE):
        right = model.upscale(pair.low, colour_lock=False)
        for what, scoring in scorings.items():
            low = scoring.low(pair)
            if scoring.upscale:
                result = scoring.upscale(low)
            else:
                result = right if low is pair.low else model.upscale(low, colour_lock=False)
            result, high = scoring.after(result), pair.high
            if scoring.as_colour:
                result, high = (np.broadcast_to(x, (*x.shape[:2], 3)) for x in (result, high))
            a, b = scoring.of(result), scoring.of(high)
            found[what].append((psnr(a, b, crop=scoring.crop), scoring.ssim(a, b, crop=scoring.crop)))
    rows = {}
    for what, scores in found.items():
        values = np.array(scores)
        whole = scorings[what].whole
        decibel = -10 * math.log10(float(np.mean(10 ** (-values[:, 0] / 10)))) if whole else values[:, 0].mean()
        rows[what] = (float(decibel), float(values[:, 1].mean()))
    return rows


def table(model: SuperResolution, scorings: dict[str, Scoring], sets: Sequence[str]) -> list[str]:
    """The rows of the page: what each slip adds to PSNR and SSIM."""
    columns = {name: measure(model, name, {"right": RIGHT, **scorings}) for name in sets}
    lines = [f"| {model.name} | {' | '.join(sets)} |", "|---|" + "--:|" * len(sets)]
    right = {name: column["right"] for name, column in columns.items()}
    lines.append("| as it should be | " + " | ".join(f"**{p:.3f} / {s:.4f}**" for p, s in right.values()) + " |")
    for what in scorings:
        cells = (
            f"{column[what][0] - right[name][0]:+.3f} / {column[what][1] - right[name][1]:+.4f}"
            for name, column in columns.items()
        )
        lines.append(f"| {what} | {' | '.join(cells)} |")
    print("\n".join(lines), flush=True)
    return [*lines, ""]


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["bicubic"], help="as ganvas evaluate takes them")
    parser.add_argument("--on", nargs="+", default=SETS, help="test sets")
    parser.add_argument("--out", type=Path, default=Path("docs/results/slips.md"), help="the page")
    arguments = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    host = Host().describe()
    command = " ".join(["python benchmarks/slips.py", *arguments.models]).removesuffix(" bicubic")
    lines = [
        "# What each slip in scoring super-resolution costs",
        "",
        "PSNR in dB and SSIM at a scale of 4. The first row is right; every other says what one slip adds to both.",
        "How to read it: [How we score](../score.md).",
        "",
        f"{host['processor']}, {host['cores']} cores, torch {host['torch']}, commit {commit.stdout.strip()}:",
        f"`{command}`",
        "",
    ]
    for word in arguments.models:
        model = open_upscaler(word)[0]
        if isinstance(model, BicubicUpscaler):
            scorings = SLIPS | OF_BICUBIC
        else:  # a network rounds its result itself
            scorings = {name: scoring for name, scoring in SLIPS.items() if scoring.upscale is None}
        lines += table(model, scorings, arguments.on)
    write_text(arguments.out, "\n".join(lines).strip() + "\n")


if __name__ == "__main__":
    main()
