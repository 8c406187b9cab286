"""Images as tensors, and bicubic resizing as MATLAB's imresize does it, bit for bit.

The published low-resolution files were made with it: Keys' cubic kernel with a = -1/2 (Keys 1981, Cubic Convolution
Interpolation), widened when shrinking (antialiasing), replicated borders, rows before columns. Weights at scales 2, 4
and 8 are dyadic fractions, so that even float32 sums them exactly.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from ganvas.imaging.grid import Pixels

WHOLE = 1024  # pixels up to which a dense matrix is quicker than gathering tap by tap


def to_pixels(pictures: Tensor) -> Pixels:
    """(N, C, H, W) in [-1, 1] -> uint8 (N, H, W, C), rounded and clipped."""
    scaled = pictures.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    return scaled.byte().permute(0, 2, 3, 1).cpu().numpy()


def from_pixels(pixels: Pixels) -> Tensor:
    """uint8 (N, H, W, C) -> (N, C, H, W) in [-1, 1]."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def bicubic(pictures: Tensor, scale: float) -> Tensor:
    """Resize 8-bit pictures; each of the two passes is rounded to 8 bit, as MATLAB does with uint8.

    Args:
        pictures: uint8 (..., H, W).
        scale: factor on both sides, e.g. 0.25 or 4; the result has ceil(H * scale) rows.

    Returns:
        uint8 (..., ceil(H * scale), ceil(W * scale))
    """
    rows = _rounded(_along(pictures.double(), scale, -2))
    return _rounded(_along(rows, scale, -1)).byte()


def imresize(pictures: Tensor, scale: float) -> Tensor:
    """The same without any rounding or clipping: floating point (..., H, W) of any range, differentiable."""
    return _along(_along(pictures, scale, -2), scale, -1)


def _rounded(pictures: Tensor) -> Tensor:
    return (pictures + 0.5).floor_().clamp_(0, 255)


def _along(pictures: Tensor, scale: float, dim: int) -> Tensor:
    index, weights = _taps(pictures.shape[dim], scale)
    index, weights = index.to(pictures.device), weights.to(pictures)
    if pictures.shape[dim] <= WHOLE:
        matrix = weights.new_zeros(len(index), pictures.shape[dim]).scatter_add_(1, index, weights)
        return matrix @ pictures if dim == -2 else pictures @ matrix.T
    shape = (-1, 1) if dim == -2 else (-1,)
    columns = zip(index.unbind(1), weights.unbind(1), strict=True)
    parts = (pictures.index_select(dim, i) * w.view(shape) for i, w in columns)
    total = next(parts)
    for part in parts:
        total += part
    return total


@lru_cache(64)
def _taps(length: int, scale: float) -> tuple[Tensor, Tensor]:
    """For each output place the inputs it is made of, (n, taps) int64 and their weights (n, taps) float64."""
    stretch = min(scale, 1.0)  # antialiasing only where it shrinks
    width = 4 / stretch
    # Places count from 1 and pixels have their centres on whole numbers.
    place = torch.arange(1, math.ceil(length * scale) + 1, dtype=torch.float64) / scale + 0.5 * (1 - 1 / scale)
    first = torch.floor(place - width / 2)
    at = first[:, None] + torch.arange(math.ceil(width) + 2, dtype=torch.float64)
    weights = _cubic((place[:, None] - at) * stretch)
    return (at.long() - 1).clamp(0, length - 1), weights / weights.sum(1, keepdim=True)


def _cubic(t: Tensor) -> Tensor:
    t = t.abs()
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return near * (t <= 1) + far * ((t > 1) & (t <= 2))
