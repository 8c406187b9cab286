"""How far an image is from its original, pixel by pixel: PSNR and SSIM as the literature on super-resolution has them.

Papers: Wang et al. 2004, Image Quality Assessment: From Error Visibility to Structural Similarity, IEEE TIP 13(4);
ITU-R BT.601 for Y.

Every step has a slip that moves the figure by more than most papers gain; docs/score.md gives the price of each.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError

Pixels = NDArray[np.uint8]

PEAK = 255.0
EXACT = 100.0  # dB that an image equal to its original counts in means, as its PSNR has no end
CROP = 4  # px on each side, the scale of x4: what lies outside the image decides them
RADIUS, SIGMA = 5, 1.5  # px, of SSIM's Gaussian window of 11 x 11
C1, C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
TO_LUMA = np.array([65.481, 128.553, 24.966]) / PEAK
ON_Y, ON_RGB = "Y of BT.601 in studio range, rounded", "RGB"
"""What figures are taken on, in the words of protocols."""


def luma(pixels: Pixels) -> Pixels:
    """Y of BT.601 in studio range, 16 to 235, rounded: uint8 (H, W, 3) -> (H, W, 1); grey (H, W, 1) stays as it is."""
    if pixels.shape[-1] == 1:
        return pixels
    return np.floor(16.5 + pixels @ TO_LUMA).astype(np.uint8)[..., None]


def psnr(a: Pixels, b: Pixels, *, crop: int = CROP) -> float:
    """Peak signal-to-noise ratio in dB, of all channels together; infinite for equal images.

    Args:
        a, b: uint8 (H, W, C) of one shape.
        crop: pixels left out on each side.

    Raises:
        InputError: the images are of several shapes, or nothing is left.
    """
    x, y = _cropped(a, b, crop, 1)
    error = float(np.square(x - y).mean())
    return 10 * math.log10(PEAK**2 / error) if error else math.inf


def ssim(a: Pixels, b: Pixels, *, crop: int = CROP) -> float:
    """Structural similarity, at most 1, of which more is more alike (Wang et al. 2004, equation 13).

    Gaussian window of 11 x 11 with sigma 1.5, only where it lies wholly inside; K 0.01 and 0.03; mean over channels.

    Args:
        a, b: uint8 (H, W, C) of one shape.
        crop: pixels left out on each side.

    Raises:
        InputError: the images are of several shapes, or the window does not fit into what is left.
    """
    from scipy.ndimage import correlate1d

    x, y = _cropped(a, b, crop, 2 * RADIUS + 1)
    weights = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SIGMA) ** 2)
    weights /= weights.sum()

    def mean(channels: NDArray[np.float64]) -> NDArray[np.float64]:
        blurred = correlate1d(correlate1d(channels, weights, axis=0), weights, axis=1)
        inside: NDArray[np.float64] = blurred[RADIUS:-RADIUS, RADIUS:-RADIUS]
        return inside

    mean_x, mean_y = mean(x), mean(y)
    both = mean_x * mean_y
    squares = mean_x**2 + mean_y**2
    variances = mean(x * x + y * y) - squares
    covariance = mean(x * y) - both
    return float(((2 * both + C1) * (2 * covariance + C2) / ((squares + C1) * (variances + C2))).mean())


def _cropped(a: Pixels, b: Pixels, crop: int, least: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if a.shape != b.shape:
        raise InputError(
            f"an image of shape {a.shape} cannot be compared with one of {b.shape}; give two of one size and as many"
            " channels."
        )
    height, width = a.shape[:2]
    if crop < 0 or min(height, width) - 2 * crop < least:
        raise InputError(
            f"of an image of {width} x {height} px less than {least} x {least} is left after a crop of {crop} px on"
            " each side; give a larger image."
        )
    inside = slice(crop, height - crop), slice(crop, width - crop)
    return a[inside].astype(np.float64), b[inside].astype(np.float64)
