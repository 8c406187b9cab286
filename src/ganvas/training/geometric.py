"""ADA's blit and geometry changes: one affine warp per image, with a twice differentiable sampler."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Probability = float | Tensor


def maybe(probability: Probability, drawn: Tensor, neutral: float) -> Tensor:
    """The drawn values (B, ...), each with this probability, else the neutral one."""
    chosen = torch.rand(len(drawn), *(1 for _ in drawn.shape[1:]), device=drawn.device) < probability
    return torch.where(chosen, drawn, neutral)


def exact(x: Tensor) -> Tensor:
    """Convert to at least fp32."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def warp(x: Tensor, probability: Probability, *, blit: bool, geometry: bool) -> Tensor:
    """Warp square images (B, C, H, W); fp32, reflected at the borders (Karras et al. 2020, appendix B).

    Blit: flip, quarter turns, a shift by whole pixels up to an eighth of the side; pixel values stay unmixed. Geometry:
    scale by 2^N(0, 0.2), rotate, stretch by 2^N(0, 0.2) in one direction and its inverse in the other, rotate again,
    shift by N(0, 1/8) of the side. Each change is applied with `probability`, which also holds for the two rotations
    together. All changes are composed, and the image is sampled once, bilinearly.
    """
    count, size, device = len(x), x.shape[-1], x.device
    one = torch.ones(count, device=device)
    # The maps from output to input positions: the inverse changes in reverse order. Each has the same distribution as
    # its inverse.
    inverses: list[Tensor] = []
    if blit:
        inverses += [
            _scaling(maybe(probability, 1 - 2 * torch.randint(0, 2, (count,), device=device), 1), one),
            _rotation(maybe(probability, torch.randint(0, 4, (count,), device=device) * (math.pi / 2), 0)),
            _translation(
                maybe(probability, ((torch.rand(count, 2, device=device) - 0.5) * size / 4).round() / size, 0)
            ),
        ]
    if geometry:
        scale = maybe(probability, 2 ** (0.2 * torch.randn(count, device=device)), 1)
        stretch = maybe(probability, 2 ** (0.2 * torch.randn(count, device=device)), 1)
        either = 1 - (1 - probability) ** 0.5  # per rotation, so that at least one of the two has `probability`
        before, after = (
            maybe(either, (2 * torch.rand(count, device=device) - 1) * math.pi, 0) for _ in ("before", "after")
        )
        moved = maybe(probability, torch.randn(count, 2, device=device) / 8, 0)
        inverses += [
            _scaling(scale, scale),
            _rotation(before),
            _scaling(stretch, 1 / stretch),
            _rotation(after),
            _translation(moved),
        ]
    x = exact(x)
    with torch.autocast(device.type, enabled=False):
        matrix = reduce(torch.matmul, inverses)[:, :2].to(x.dtype)
        grid = functional.affine_grid(matrix, [count, 1, size, size], align_corners=False)
        sampled: Tensor = _Sampled.apply(x, grid)  # type: ignore[no-untyped-call]
        return sampled


def _scaling(across: Tensor, down: Tensor) -> Tensor:
    return torch.diag_embed(torch.stack([across, down, torch.ones_like(across)], dim=-1))


def _rotation(angle: Tensor) -> Tensor:
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    rows = ([cos, -sin, zero], [sin, cos, zero], [zero, zero, torch.ones_like(angle)])
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _translation(fractions: Tensor) -> Tensor:
    """Translation by fractions (B, 2) of the side, horizontal and vertical."""
    matrix = torch.eye(3, device=fractions.device).repeat(len(fractions), 1, 1)
    matrix[:, :2, 2] = 2 * fractions  # the side spans -1 to 1
    return matrix


class _Sampled(torch.autograd.Function):
    """Images (B, C, H, W) sampled bilinearly at positions (B, H, W, 2).

    Not every supported torch version can differentiate its own sampler twice. Sampling is linear in the image: its
    gradient is the transposed map, and the gradient of that is sampling again.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        return functional.grid_sample(x, grid, padding_mode="reflection", align_corners=False)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Transposed.apply(gradient, *ctx.saved_tensors), None  # type: ignore[no-untyped-call]


class _Transposed(torch.autograd.Function):
    """Values (B, C, H, W) scattered back to the positions (B, H, W, 2) that `_Sampled` read."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        bilinear, reflection = 0, 2
        scattered: Tensor = torch.ops.aten.grid_sampler_2d_backward(
            values, values, grid, bilinear, reflection, False, [True, False]
        )[0]
        return scattered

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Sampled.apply(gradient, *ctx.saved_tensors), None  # type: ignore[no-untyped-call]
