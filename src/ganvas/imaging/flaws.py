"""What is wrong with a photo, measured without its original: the steps of its JPEG, its noise and its blur."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from math import cos, pi, sqrt
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

TILE, ALONG = 128, 4  # of larger photos, 4 x 4 tiles of 128 px are read
BLOCK = 8  # side of JPEG's blocks
SMALLEST = 3 * BLOCK  # side below which nothing can be measured
EMPTY = 0.5  # magnitude below which a coefficient is zero
ROUNDED = 1.5  # and up to which it may be one whose colours were rounded to 8 bits
GRID = 0.1  # excess of zero coefficients above which a grid of JPEG is certain; 0.04 is the most without one
STRONGEST = 0.05  # share of the pixels that are taken for edges
FLATTEST = 0.1  # share of the blocks that are taken for flat
QUARTER, TYPICAL = 0.25, 1.2  # of those the noisier ones may have texture; what the others have less of noise
ONE_TONE = 0.16  # share of the colour that may be other than one tone
SMOOTHEST, GRAIN = 0.03, 1.6  # share of the blocks, and the standard deviation in them that is grain
_DCT = np.array(
    [[sqrt((2 if k else 1) / 8) * cos(pi * (2 * n + 1) * k / 16) for n in range(BLOCK)] for k in range(BLOCK)],
    np.float32,
)
_LOW = [(u, v) for u in range(4) for v in range(4) if 1 <= u + v <= 3]  # frequencies that JPEG rounds finely


@dataclass(frozen=True)
class Flaws:
    """How a photo is spoiled; zeros where there is nothing to measure, as in a black one.

    Attributes:
        jpeg: the smallest step to which JPEG rounded the low frequencies, on the scale 0..255: about 17 at quality 30,
            7 at 70 and 3 at 90. 0 without a grid of 8 x 8 blocks, which can lie at any place.
        noise: standard deviation of the noise of brightness, on the scale 0..255.
        colour_noise: that of the noise of each colour.
        blur: width of the strongest edges, as the standard deviation in pixels of the Gaussian that makes edges so
            wide: about 0.5 in a sharp photo, 0.9 after a blur of 1 px, and 1.6 after one of 3.
        sepia: distance from grey, on the scale 0..255, of a picture all in one brown and with grain even where it is
            smoothest: the scan of an old print. 0 of other pictures.
    """

    jpeg: float = 0.0
    noise: float = 0.0
    colour_noise: float = 0.0
    blur: float = 0.0
    sepia: float = 0.0

    def above(self, limits: Flaws) -> list[str]:
        """The names of those that are larger than in another."""
        return [one.name for one in fields(self) if getattr(self, one.name) > getattr(limits, one.name)]


LIMITS = Flaws(jpeg=4.4, noise=2.5, colour_noise=0.8, blur=0.64, sepia=6)
"""A photo with more of any of these is spoiled; how they were found is in docs/decisions/0031."""


class Picture(Protocol):
    """What can be read in parts."""

    @property
    def height(self) -> int:
        """Height in pixels."""

    @property
    def width(self) -> int:
        """Width in pixels."""

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        """float32 (height, width, 1 or 3) in [0, 1]"""


def tiles(picture: Picture) -> Iterator[Floats]:
    """The whole of a small picture, else parts that are spread over it and lie alike on any grid of JPEG blocks."""
    for top, height in _spans(picture.height):
        for left, width in _spans(picture.width):
            yield picture.region(top, left, height, width)


def _spans(side: int) -> list[tuple[int, int]]:
    if side <= ALONG * TILE:
        return [(0, side)]
    return [(at * (side - TILE) // (ALONG - 1) // BLOCK * BLOCK, TILE) for at in range(ALONG)]


def measured(parts: Sequence[Floats]) -> Flaws:
    """The flaws of a photo of which these are parts: float32 (H, W, 1 or 3) in [0, 1], encoded as in sRGB.

    The grid of JPEG is found as by Nikoukhah et al. 2021, ZERO, IPOL 11, by where most coefficients are zero. Noise is
    what the flattest blocks have more of in the highest frequencies than in those below, as texture has not: of the
    masks of Immerkaer 1996 and of first differences. Blur is the largest of three steps in a row across the strongest
    edges, by the height of all three.
    """
    usable = [part * np.float32(255) for part in parts if min(part.shape[:2]) >= SMALLEST]
    if not usable:
        return Flaws()
    coloured = usable[0].shape[2] == 3
    luma = [_luma(part) for part in usable]
    whole: list[Mask] = [np.all((part > 2) & (part < 253), axis=2) for part in usable]
    return Flaws(
        jpeg=_jpeg_step(luma, whole),
        noise=_noise(luma, whole),
        # Of red less green, whose noise is that of both.
        colour_noise=_noise([part[:, :, 0] - part[:, :, 1] for part in usable], whole) / sqrt(2) if coloured else 0.0,
        blur=_blur(luma),
        sepia=_sepia(usable, luma) if coloured else 0.0,
    )


def _jpeg_step(luma: Sequence[Floats], whole: Sequence[Mask]) -> float:
    zeros, pixels = np.zeros((BLOCK, BLOCK)), 0
    for part in luma:
        for y, found in enumerate(_coefficients(part)):
            empty = (found < EMPTY).sum((0, 1, 3))
            zeros[y] += empty.reshape(-1, BLOCK).sum(0)
        pixels += found[:, :, ::BLOCK].size
    share = zeros / pixels
    y, x = divmod(int(share.argmax()), BLOCK)
    if share[y, x] - np.median(share) < GRID:
        return 0.0
    values = np.concatenate([_low(part, inside, y, x) for part, inside in zip(luma, whole, strict=True)])
    values = values[values > ROUNDED]
    return float(np.quantile(values, 0.05)) if len(values) >= 10 else 0.0


def _coefficients(part: Floats, rows: Sequence[int] = range(BLOCK)) -> Iterator[Floats]:
    """Magnitudes of the DCT of all blocks from each of these rows on: (blocks down, 8, lefts, 8)."""
    high, wide = ((side - BLOCK + 1) // BLOCK for side in part.shape)
    windows = np.lib.stride_tricks.sliding_window_view(part, BLOCK, axis=1)[:, : wide * BLOCK]
    across = windows @ _DCT.T
    for y in rows:
        blocks = across[y : y + high * BLOCK].reshape(high, BLOCK, -1)
        yield np.abs(_DCT @ blocks).reshape(high, BLOCK, wide * BLOCK, BLOCK)


def _low(part: Floats, inside: Mask, y: int, x: int) -> Floats:
    """The low frequencies of the blocks of one grid, but for those with clipped pixels, whose steps are others."""
    found = next(_coefficients(part, [y]))[:, :, x::BLOCK]
    kept = _in_blocks(inside[y:, x:]).all(1)
    high, wide = found.shape[0], found.shape[2]
    across = (part.shape[1] - x) // BLOCK
    kept = kept.reshape(-1, across)[:high, :wide]
    kept |= not kept.any()
    return np.concatenate([found[:, u, :, v][kept] for u, v in _LOW])


def _noise(planes: Sequence[Floats], whole: Sequence[Mask]) -> float:
    """Of planes, in the flattest of their blocks without clipped pixels."""
    highest, high, slope = list[Floats](), list[Floats](), list[Floats]()
    for plane, inside in zip(planes, whole, strict=True):
        twice = np.diff(np.diff(plane, 2, axis=0), 2, axis=1)
        smooth = _box(plane)
        steep = np.zeros_like(smooth)
        steep[:, 1:] += np.diff(smooth, axis=1) ** 2
        steep[1:] += np.diff(smooth, axis=0) ** 2
        usable = _in_blocks(inside[1:-1, 1:-1]).mean(1) >= 0.5
        for kept, values in ((highest, twice**2 / 36), (high, _first(plane)), (slope, steep)):
            kept.append(_in_blocks(values).mean(1)[usable])
    slopes = np.concatenate(slope)
    if len(slopes) < 8:
        return 0.0
    flattest = np.argsort(slopes, kind="stable")[: max(8, int(len(slopes) * FLATTEST))]
    top, below = (np.concatenate(kept)[flattest] for kept in (highest, high))
    return TYPICAL * float(np.sqrt(max(0.0, np.quantile(2 * top - below, QUARTER))))


def _blur(luma: Sequence[Floats]) -> float:
    shares = []
    for planes in (luma, [part.T for part in luma]):
        steps = [np.abs(np.diff(part, axis=1)) for part in planes]
        largest = np.concatenate([np.maximum(np.maximum(s[:, :-2], s[:, 1:-1]), s[:, 2:]).ravel() for s in steps])
        whole = np.concatenate([np.abs(part[:, 3:] - part[:, :-3]).ravel() for part in planes])
        edges = whole >= max(np.quantile(whole, 1 - STRONGEST), 2.0)
        if edges.any():
            shares.append(float(largest[edges].sum() / whole[edges].sum()))
    return _width(float(np.mean(shares))) if shares else 0.0


def _sepia(parts: Sequence[Floats], luma: Sequence[Floats]) -> float:
    bright = np.concatenate([part.ravel() for part in luma])
    blue = 0.564 * (np.concatenate([part[:, :, 2].ravel() for part in parts]) - bright)  # Cb and Cr of JPEG
    red = 0.713 * (np.concatenate([part[:, :, 0].ravel() for part in parts]) - bright)
    if blue.mean() >= 0 or red.mean() <= 0:
        return 0.0
    power = np.stack([np.ones_like(bright), bright / 255, (bright / 255) ** 2], axis=1)
    both = np.stack([blue, red], axis=1)
    left = both - power @ np.linalg.lstsq(power, both, rcond=None)[0]
    grain = np.concatenate([_in_blocks(_first(part)).mean(1) for part in luma])
    if (left**2).sum() > ONE_TONE**2 * (both**2).sum() or np.quantile(grain, SMOOTHEST) < GRAIN**2:
        return 0.0
    return float(np.hypot(blue.mean(), red.mean()))


def _first(plane: Floats) -> Floats:
    """The mean square of the four first differences at each inner pixel, as much as the variance of white noise."""
    across, down = np.diff(plane, axis=1) ** 2, np.diff(plane, axis=0) ** 2
    return np.asarray((across[1:-1, :-1] + across[1:-1, 1:] + down[:-1, 1:-1] + down[1:, 1:-1]) / 8, np.float32)


def _width(share: float) -> float:
    """The Gaussian that leaves this share of the height of an edge to the largest of three steps."""
    widths = np.linspace(0.1, 3, 300)
    shares = erf(0.5 / np.sqrt(2) / widths) / erf(1.5 / np.sqrt(2) / widths)
    return float(np.interp(-share, -shares, widths, left=0.0))


def _luma(part: Floats) -> Floats:
    if part.shape[2] == 1:
        return part[:, :, 0]
    return np.asarray(part @ np.array([0.299, 0.587, 0.114], np.float32))


def _box(plane: Floats) -> Floats:
    """Means over 3 x 3 pixels, of all but the border."""
    rows = plane[:-2] + plane[1:-1] + plane[2:]
    return np.asarray((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9, np.float32)


def _in_blocks(plane: NDArray[Any]) -> NDArray[Any]:
    """(H, W) -> (blocks, 64)"""
    height, width = (side // BLOCK for side in plane.shape)
    cut = plane[: height * BLOCK, : width * BLOCK]
    return cut.reshape(height, BLOCK, width, BLOCK).swapaxes(1, 2).reshape(-1, BLOCK * BLOCK)
