"""Smooth random fields, of which paper, light and dirt are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from ganvas.imaging.draws import Draws


def smooth(draws: Draws, count: int, height: int, width: int, cells: int) -> Tensor:
    """About normal fields (count, 1, H, W) with `cells` independent values along each side."""
    return functional.interpolate(draws.normal(count, 1, cells, cells), (height, width), mode="bicubic")


def clouds(draws: Draws, count: int, height: int, width: int, roughness: float = 0.5) -> Tensor:
    """Fractal fields (count, 1, H, W) of mean 0 and deviation about 1.

    Args:
        roughness: the strength of each octave, relative to the one above it.
    """
    field, strength, total, cells = draws.normal(count, 1, 4, 4), 1.0, 1.0, 4
    while cells < max(height, width):
        cells *= 2
        strength *= roughness
        finer = functional.interpolate(field, (cells, cells), mode="bilinear")
        field = finer + strength * draws.normal(count, 1, cells, cells)
        total += strength**2
    # Interpolation takes about a third of the deviation.
    found: Tensor = field[..., :height, :width] * (1.5 / total**0.5)
    return found


def lines(draws: Draws, count: int, points: int, knots: int) -> Tensor:
    """About normal numbers (count, points) along lines, with `knots` independent values each."""
    return functional.interpolate(draws.normal(count, 1, knots), points, mode="linear", align_corners=True)[:, 0]
