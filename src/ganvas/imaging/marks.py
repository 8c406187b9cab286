"""Thin damage on the surface of a print: scratches, dust, fibres, and the broken emulsion along creases.

All are curves, drawn as stamps along their points: the time grows with the length of the curves, not with the area.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.imaging.clouds import lines

if TYPE_CHECKING:
    from ganvas.imaging.draws import Draws


@dataclass(frozen=True)
class Curves:
    """M curves of P points on the images of a batch; all on the device but `rows`.

    Attributes:
        rows: int64 (M,), on the CPU: the image of each curve.
        points: (M, P, 2): row and column in pixels, at most one pixel apart.
        widths: (M, P): in pixels.
        opacity: (M, P): 0 to 1.
        ragged: (M, 1): how far the edge of a curve strays, as a share of its width.
        bright: bool (M,), on the CPU: lighter than its surroundings, or darker.
    """

    rows: Tensor
    points: Tensor
    widths: Tensor
    opacity: Tensor
    ragged: Tensor
    bright: Tensor


def rows_of(counts: Tensor) -> Tensor:
    """The image of each thing, given the number of things (B,) on each image, which is rounded at random places."""
    return torch.repeat_interleave(torch.arange(len(counts)), counts)


def counted(amount: Tensor, draws: Draws) -> Tensor:
    """Whole numbers that are `amount` (B,) on average, and at least one where there is any."""
    counts = (amount + draws.uniform(len(amount))).floor().long()
    return torch.where(amount > 0, counts.clamp(min=1), 0)


def scratches(counts: Tensor, height: int, width: int, draws: Draws) -> Curves:
    """Long, slightly bent, broken; hairlines or up to six pixels wide; in bundles; bright where they reach paper."""
    rows = rows_of(counts)
    count, side = len(rows), max(height, width)
    length = side * torch.exp(draws.uniform(count, low=math.log(0.08), high=math.log(1.1)))
    ends = _bent(count, height, width, length, 0.12, draws)
    thickness = 0.4 + 1.1 * draws.uniform(count) + 4.5 * draws.uniform(count) ** 8
    bright = draws.chance(0.85, count)
    # A scratch in a bundle runs beside the one before it.
    beside = draws.chance(0.3, count) & (rows == rows.roll(1))
    beside[:1] = False
    step = draws.uniform(count, 1, 2, low=-5, high=5)
    for i in beside.nonzero()[:, 0].tolist():
        ends[i], bright[i] = ends[i - 1] + step[i], bright[i - 1]
    points = max(2, math.ceil(1.2 * side))
    path = _along(ends, points, draws, jag=0.6 * draws.uniform(count), knots=max(4, side // 6))
    broken = 0.7 * lines(draws, count, points, max(4, side // 12)) + lines(draws, count, points, max(4, side // 3)) / 3
    opacity = (0.6 + broken).clamp(0, 1) * _device(draws.uniform(count, 1, low=0.15, high=1), draws)
    # Thin at the ends, as whatever scratched came down and left again.
    taper = (3 - 3 * (torch.linspace(-1, 1, points) ** 2)).clamp(max=1)
    uneven = _device(taper, draws) * (1 + 0.3 * lines(draws, count, points, max(4, side // 12))).clamp(0.3, 1.8)
    ragged = _device(draws.uniform(count, 1, low=0.2), draws)
    return Curves(rows, path, uneven * _device(thickness[:, None], draws), opacity, ragged, bright)


def fibres(counts: Tensor, height: int, width: int, draws: Draws) -> Curves:
    """Hairs and lint: short, thin, strongly bent, of one opacity."""
    rows = rows_of(counts)
    count, points = len(rows), 64
    ends = _bent(count, height, width, draws.uniform(count, low=10, high=45), 0.9, draws)
    path = _along(ends, points, draws, jag=torch.zeros(count), knots=4)
    opacity = _device(draws.uniform(count, 1, low=0.3, high=0.95), draws).expand(-1, points)
    widths = _device(draws.uniform(count, 1, low=0.5, high=1.3), draws).expand(-1, points)
    return Curves(rows, path, widths, opacity, torch.zeros_like(widths[:, :1]), draws.chance(0.4, count))


def dust(counts: Tensor, height: int, width: int, draws: Draws) -> Curves:
    """Specks: dots and short dashes of up to four pixels."""
    rows = rows_of(counts)
    count, points = len(rows), 4
    ends = _bent(count, height, width, 2.5 * draws.uniform(count) ** 2, 0.5, draws)
    path = _along(ends, points, draws, jag=torch.zeros(count), knots=2)
    widths = 0.6 + 0.9 * draws.uniform(count, 1) + 2 * draws.uniform(count, 1) ** 8
    opacity = draws.uniform(count, 1, low=0.25, high=1)
    widths, opacity = (_device(one, draws).expand(-1, points) for one in (widths, opacity))
    return Curves(rows, path, widths, opacity, torch.full_like(widths[:, :1], 0.5), draws.chance(0.65, count))


def drawn(curves: list[Curves], count: int, height: int, width: int, draws: Draws) -> tuple[Tensor, Tensor]:
    """The coverage by bright and by dark curves: two of (count, 1, H, W), 0 to 1."""
    canvas = torch.zeros(2 * count * height * width, device=draws.device)
    edge = functional.avg_pool2d(draws.normal(1, 1, height + 1, width + 1), 2, 1).flatten()
    for one in curves:
        wide = one.widths.amax(1).cpu() > 2 if len(one.rows) else torch.zeros(0, dtype=torch.bool)
        for some in (~wide).nonzero()[:, 0], wide.nonzero()[:, 0]:
            if len(some):
                _stamp(canvas, edge, one, some, height, width, count)
    bright, dark = canvas.view(2, count, 1, height, width)
    return bright, dark


def _stamp(canvas: Tensor, edge: Tensor, curves: Curves, some: Tensor, height: int, width: int, count: int) -> None:
    device = canvas.device
    on = some.to(device)
    points, widths, opacity = curves.points[on], curves.widths[on], curves.opacity[on]
    reach = math.ceil(float(widths.max()) / 2 + 1)
    steps = torch.arange(-reach, reach + 1, device=device)
    corner = points.floor()
    pixel = corner[:, :, None] + steps[:, None]  # (M, P, 2r + 1, 2)
    down, along = (pixel + 0.5 - points[:, :, None]).unbind(3)
    down, along = down[:, :, :, None], along[:, :, None, :]
    # To the piece of the curve around the point: the distance to the point alone would string pearls.
    ahead = torch.gradient(points, dim=1)[0][:, :, :, None, None]
    share = (down * ahead[:, :, 0] + along * ahead[:, :, 1]) / ahead.square().sum(2).clamp(min=1e-6)
    share = share.clamp(-0.5, 0.5)
    distance = torch.hypot(down - share * ahead[:, :, 0], along - share * ahead[:, :, 1])
    half = widths[:, :, None, None] / 2
    row, column = pixel[..., 0].long(), pixel[..., 1].long()
    inside = ((row >= 0) & (row < height))[:, :, :, None] & ((column >= 0) & (column < width))[:, :, None, :]
    place = row.clamp(0, height - 1)[:, :, :, None] * width + column.clamp(0, width - 1)[:, :, None, :]
    stray = 2 * curves.ragged[on][:, :, None, None] * half * edge[place]
    # Lines thinner than a pixel cover a part of it.
    cover = (half + 0.5 + stray.clamp(max=0.5) - distance).clamp(min=0).minimum((2 * half).clamp(max=1))
    image = (~curves.bright[some]).long() * count + curves.rows[some]
    place = place + (image * height * width).to(device).view(-1, 1, 1, 1)
    cover = cover * opacity[:, :, None, None] * inside
    canvas.scatter_reduce_(0, place.flatten(), cover.flatten(), "amax")


def _bent(count: int, height: int, width: int, length: Tensor, bend: float, draws: Draws) -> Tensor:
    """Control points (count, 4, 2) of curves of about these lengths, anywhere and in any direction, on the CPU."""
    middle = draws.uniform(count, 1, 2) * torch.tensor([height, width])
    angle = 2 * math.pi * draws.uniform(count, 1)
    ahead = torch.stack([torch.sin(angle), torch.cos(angle)], 2)
    aside = torch.stack([torch.cos(angle), -torch.sin(angle)], 2)
    steps = torch.tensor([-0.5, -0.17, 0.17, 0.5]).view(1, 4, 1)
    away = torch.randn(count, 4, 1, generator=draws.random) * bend
    return middle + length.view(-1, 1, 1) * (ahead * steps + aside * away)


def _along(ends: Tensor, points: int, draws: Draws, *, jag: Tensor, knots: int) -> Tensor:
    """Points (M, P, 2) of cubic Bezier curves (M, 4, 2), displaced by about `jag` (M,) pixels."""
    t = torch.linspace(0, 1, points)
    weights = torch.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], 1)
    path = _device(weights, draws) @ _device(ends, draws)
    away = torch.stack([lines(draws, len(ends), points, knots) for _ in range(2)], 2)
    return path + away * _device(jag.view(-1, 1, 1), draws)


def _device(one: Tensor, draws: Draws) -> Tensor:
    return one.to(draws.device)
