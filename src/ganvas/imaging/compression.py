"""JPEG on tensors, step by step as libjpeg computes it, without files.

ITU-T T.81 with the tables of its annex K, scaled by quality as the Independent JPEG Group does; colours, chroma and
samples are rounded to 8 bits wherever libjpeg rounds them. `ganvas.imaging.tensors.jpeg` is the older, rougher one.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.imaging.tensors import jpeg_tables


def compressed(
    images: Tensor, quality: Tensor, *, phase: Tensor | None = None, subsampled: Tensor | None = None
) -> Tensor:
    """Compress and decompress images, each at its own quality.

    Args:
        images: (B, C, H, W) from 0 to 255, of one or three channels; rounded to whole numbers.
        quality: (B,) from 1 to 100.
        phase: int64 (B, 2) from 0 to 15: rows and columns of the grid of blocks above and to the left of the image, as
            of an image that was cut out after it was compressed; None for none.
        subsampled: bool (B,): chroma at half the resolution (4:2:0) instead of the full (4:4:4); None for full.

    Returns:
        Whole numbers from 0 to 255, in the type of `images`.
    """
    count, _, height, width = images.shape
    if subsampled is not None and images.shape[1] == 3:
        subsampled = subsampled.cpu()
        if bool(subsampled.any()) and not bool(subsampled.all()):
            out = torch.empty_like(images)
            for flag in (False, True):
                at = (subsampled == flag).nonzero()[:, 0]
                on = at.to(images.device)
                part = None if phase is None else phase[at.to(phase.device)]
                out[on] = compressed(images[on], quality[at.to(quality.device)], phase=part, subsampled=subsampled[at])
            return out
    half = subsampled is not None and images.shape[1] == 3 and bool(subsampled.any())
    start = torch.zeros(count, 2, dtype=torch.int64) if phase is None else phase
    start = start.to(images.device)
    slack = 0 if phase is None else 15
    sides = [-(-(side + slack) // 16) * 16 for side in (height, width)]
    # Rows and columns beyond the image repeat its border.
    down, along = (
        (torch.arange(sides[i], device=images.device) - start[:, i : i + 1]).clamp(0, (height, width)[i] - 1)
        for i in (0, 1)
    )
    back = _round_trip(_gathered(images.float().add(0.5).floor(), down, along), quality.to(images.device), half)
    down, along = (torch.arange((height, width)[i], device=images.device) + start[:, i : i + 1] for i in (0, 1))
    return (back[..., :height, :width] if phase is None else _gathered(back, down, along)).to(images.dtype)


def _gathered(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Rows (B, R) and columns (B, S) of images (B, C, H, W)."""
    channels, width = images.shape[1], images.shape[3]
    index = (rows[:, :, None] * width + columns[:, None, :]).flatten(1)[:, None].expand(-1, channels, -1)
    return images.flatten(2).gather(2, index).view(len(images), channels, rows.shape[1], columns.shape[1])


def _round_trip(images: Tensor, quality: Tensor, half: bool) -> Tensor:
    steps = _steps(quality)
    if images.shape[1] == 1:
        return _blocks(images, steps[:, :1])
    r, g, b = images.unbind(1)
    luma = (0.299 * r + 0.587 * g + 0.114 * b).add(0.5).floor()
    cb = (-0.168735892 * r - 0.331264108 * g + 0.5 * b + 128).add(0.5 - 1e-4).floor()
    cr = (0.5 * r - 0.418687589 * g - 0.081312411 * b + 128).add(0.5 - 1e-4).floor()
    chroma = torch.stack([cb, cr], 1)
    if half:
        # libjpeg rounds halves down in even columns and up in odd ones, to favour neither.
        bias = torch.arange(chroma.shape[-1] // 2, device=images.device).remainder(2).add(1) / 4
        chroma = functional.avg_pool2d(chroma, 2).add(bias).floor()
    luma = _blocks(luma[:, None], steps[:, :1])[:, 0]
    chroma = _blocks(chroma, steps[:, 1:])
    if half:
        # Three quarters of the nearer and one of the farther sample, in both directions.
        fine = functional.interpolate(chroma, scale_factor=2, mode="bilinear")
        chroma = (fine + 0.5 - torch.arange(fine.shape[-1], device=images.device).remainder(2) / 16).floor()
    cb, cr = (chroma - 128).unbind(1)
    rgb = [luma + 1.402 * cr, luma - 0.344136286 * cb - 0.714136286 * cr, luma + 1.772 * cb]
    return torch.stack(rgb, 1).add(0.5).floor().clamp(0, 255)


def _blocks(planes: Tensor, steps: Tensor) -> Tensor:
    """Transform, quantize and transform back planes (B, C, H, W) of sides that are multiples of 8."""
    count, channels, height, width = planes.shape
    cosines = _cosines().to(planes)
    tiled = (planes - 128).view(count, channels, height // 8, 8, width // 8, 8).transpose(3, 4).flatten(4)
    step = steps[:, :, None, None]
    ratio = tiled @ cosines.T / step
    kept = ratio.abs().add(0.5 + 1e-4).floor().copysign(ratio) * step
    samples = (kept @ cosines).view(count, channels, height // 8, width // 8, 8, 8).transpose(3, 4)
    return samples.reshape(planes.shape).add(128.5).floor().clamp(0, 255)


def _steps(quality: Tensor) -> Tensor:
    """The quantization of luma and both chroma: (B, 3, 64)."""
    quality = quality.float().round().clamp(1, 100)
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    tables = jpeg_tables()[0].to(quality)
    return ((tables.flatten(1) * percent[:, None, None] + 50) / 100).floor().clamp(1, 255)


@cache
def _cosines() -> Tensor:
    """The transform of a block of 8 x 8 as one matrix (64, 64)."""
    line = jpeg_tables()[1]
    return torch.kron(line, line)
