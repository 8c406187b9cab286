"""ADA's blit and geometry: one affine warp for each picture, by a sampler that can be differentiated twice."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Chance = float | Tensor


def perhaps(chance: Chance, drawn: Tensor, neutral: float) -> Tensor:
    """Values (B, ...) drawn for each picture, each kept with the probability, else neutral."""
    chosen = torch.rand(len(drawn), *(1 for _ in drawn.shape[1:]), device=drawn.device) < chance
    return torch.where(chosen, drawn, neutral)


def exact(x: Tensor) -> Tensor:
    """In fp32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def warp(x: Tensor, chance: Chance, *, blit: bool, geometry: bool) -> Tensor:
    """Square pictures (B, C, H, W), moved in the plane; fp32, mirrored at the borders (Karras et al. 2020, appendix B).

    Blit: mirror, quarter turns, a shift by whole pixels up to an eighth of the side; no value is mixed with another.
    Geometry: scale by 2^N(0, 0.2), turn, stretch by 2^N(0, 0.2) one way and its inverse the other, turn again, shift by
    N(0, 1/8) of the side. Each change comes with the probability `chance`, the two turns together too. Everything is
    composed before the picture is sampled, bilinearly, once.
    """
    count, size, device = len(x), x.shape[-1], x.device
    one = torch.ones(count, device=device)
    # The maps from where a pixel is seen to where it comes from: the changes' inverses, the last change's first. Each
    # is distributed as its inverse is.
    back: list[Tensor] = []
    if blit:
        back += [
            _scaled(perhaps(chance, 1 - 2 * torch.randint(0, 2, (count,), device=device), 1), one),
            _turned(perhaps(chance, torch.randint(0, 4, (count,), device=device) * (math.pi / 2), 0)),
            _moved(perhaps(chance, ((torch.rand(count, 2, device=device) - 0.5) * size / 4).round() / size, 0)),
        ]
    if geometry:
        scale = perhaps(chance, 2 ** (0.2 * torch.randn(count, device=device)), 1)
        stretch = perhaps(chance, 2 ** (0.2 * torch.randn(count, device=device)), 1)
        either = 1 - (1 - chance) ** 0.5  # of two turns, so that any turn at all comes with the probability
        before, after = (
            perhaps(either, (2 * torch.rand(count, device=device) - 1) * math.pi, 0) for _ in ("before", "after")
        )
        moved = perhaps(chance, torch.randn(count, 2, device=device) / 8, 0)
        back += [_scaled(scale, scale), _turned(before), _scaled(stretch, 1 / stretch), _turned(after), _moved(moved)]
    x = exact(x)
    with torch.autocast(device.type, enabled=False):
        matrix = reduce(torch.matmul, back)[:, :2].to(x.dtype)
        grid = functional.affine_grid(matrix, [count, 1, size, size], align_corners=False)
        sampled: Tensor = _Sampled.apply(x, grid)  # type: ignore[no-untyped-call]
        return sampled


def _scaled(across: Tensor, down: Tensor) -> Tensor:
    return torch.diag_embed(torch.stack([across, down, torch.ones_like(across)], dim=-1))


def _turned(angle: Tensor) -> Tensor:
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    rows = ([cos, -sin, zero], [sin, cos, zero], [zero, zero, torch.ones_like(angle)])
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _moved(shares: Tensor) -> Tensor:
    """By shares (B, 2) of the side, across and down."""
    matrix = torch.eye(3, device=shares.device).repeat(len(shares), 1, 1)
    matrix[:, :2, 2] = 2 * shares  # the side is 2 long, from -1 to 1
    return matrix


class _Sampled(torch.autograd.Function):
    """Images (B, C, H, W) at places (B, H, W, 2), bilinearly.

    Not every torch that ganvas runs on can differentiate its own sampler twice. Sampling is linear in the picture: its
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
    """Values (B, C, H, W) put back to the places (B, H, W, 2) where `_Sampled` took them."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        bilinear, reflection = 0, 2
        put: Tensor = torch.ops.aten.grid_sampler_2d_backward(
            values, values, grid, bilinear, reflection, False, [True, False]
        )[0]
        return put

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Sampled.apply(gradient, *ctx.saved_tensors), None  # type: ignore[no-untyped-call]
