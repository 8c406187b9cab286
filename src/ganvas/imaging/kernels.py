"""Blur kernels, and images filtered by one each.

Gaussian, generalised Gaussian and plateau-shaped kernels of any two widths (Wang et al. 2021, Real-ESRGAN,
arXiv:2107.10833, section 3.2), and the low-pass whose cut-off makes ringing (section 3.4).
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from ganvas.imaging.draws import Draws

RADIUS = 10  # pixels on each side of a kernel's centre


def bells(widths: Tensor, angle: Tensor, shape: Tensor, plateau: Tensor, reach: Tensor) -> Tensor:
    """Kernels that fall off from their centre, of sum 1.

    Args:
        widths: (B, 2): the standard deviation in pixels along each of two axes.
        angle: (B,): of the first axis, in radians.
        shape: (B,): 1 is a Gaussian; less has longer tails, more is flatter.
        plateau: bool (B,): 1 / (1 + q^shape) instead of exp(-q^shape / 2), q the squared distance in widths.
        reach: (B,): pixels from the centre, along rows and columns, at which a kernel ends; at most RADIUS.

    Returns:
        (B, 21, 21)
    """
    along, across = _axes()
    cosine, sine = torch.cos(angle)[:, None, None], torch.sin(angle)[:, None, None]
    first, second = (width[:, None, None].clamp(min=1e-3) for width in widths.unbind(1))
    squared = ((cosine * along + sine * across) / first) ** 2 + ((cosine * across - sine * along) / second) ** 2
    power = squared.clamp(min=1e-12) ** shape[:, None, None]
    kernels = torch.where(plateau[:, None, None], 1 / (1 + power), torch.exp(-power / 2))
    inside = torch.maximum(along.abs(), across.abs()) <= reach[:, None, None]
    kernels = kernels * inside
    return _of_sum_1(kernels)


def ringing(cutoff: Tensor) -> Tensor:
    """Low-passes that end at a frequency (B,) in radians per pixel: (B, 21, 21), each of sum 1."""
    along, across = _axes()
    distance = torch.hypot(along, across).clamp(min=1e-6)
    edge = cutoff[:, None, None]
    kernels = edge * torch.special.bessel_j1(edge * distance) / (2 * math.pi * distance)
    kernels[:, RADIUS, RADIUS] = cutoff**2 / (4 * math.pi)
    return _of_sum_1(kernels)


def drawn(
    draws: Draws, count: int, blur: tuple[float, float], anisotropic: float, generalised: float, plateau: float
) -> Tensor:
    """Kernels (count, 21, 21) with widths in `blur`, of kinds with the given shares; the rest are plain Gaussians."""
    widths = draws.uniform(count, 2, low=blur[0], high=blur[1])
    widths = torch.where(draws.chance(anisotropic, count)[:, None], widths, widths[:, :1])
    kind = draws.uniform(count)
    flat = (kind >= generalised) & (kind < generalised + plateau)
    # Half of the shapes are on each side of the Gaussian.
    low, high = draws.uniform(count, low=0.5, high=1), draws.uniform(count, low=1, high=4)
    shape = torch.where(draws.chance(0.5, count), low, high)
    shape = torch.where(flat, draws.uniform(count, low=1, high=2), torch.where(kind < generalised, shape, 1))
    return bells(widths, math.pi * draws.uniform(count), shape, flat, 3.0 + draws.whole(RADIUS - 2, count))


def filtered(images: Tensor, kernels: Tensor) -> Tensor:
    """Each image (B, C, H, W) by its own kernel (B, 21, 21); beyond the border its last pixels repeat."""
    padded = functional.pad(images, [RADIUS] * 4, mode="replicate")
    # What wraps around reaches only the padding.
    sides = [_smooth(side) for side in padded.shape[-2:]]
    spectrum = torch.fft.rfft2(padded, s=sides) * torch.fft.rfft2(kernels.to(images)[:, None], s=sides)
    found: Tensor = torch.fft.irfft2(spectrum, s=sides)
    return found[..., 2 * RADIUS :, 2 * RADIUS :][..., : images.shape[-2], : images.shape[-1]]


def _of_sum_1(kernels: Tensor) -> Tensor:
    return kernels / kernels.sum((1, 2), keepdim=True)


@cache
def _axes() -> tuple[Tensor, Tensor]:
    line = torch.arange(-RADIUS, RADIUS + 1).float()
    return line.expand(len(line), -1), line[:, None].expand(-1, len(line))


def _smooth(length: int) -> int:
    """The next number without a prime factor above 5, for which the Fourier transform is fast."""
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 1
