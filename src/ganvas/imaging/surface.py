"""Broad damage on the surface of a print: creases, stains, and what is torn off.

Images are floating point (B, C, H, W) from 0 to 1, amounts (B,) on the CPU.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganvas.imaging.clouds import clouds, lines
from ganvas.imaging.marks import Curves, counted

if TYPE_CHECKING:
    from ganvas.imaging.draws import Draws

MOST = 3  # creases of an image


def creased(images: Tensor, amount: Tensor, draws: Draws) -> tuple[Tensor, Curves]:
    """About `amount` folds across each image: shaded on both sides, and the curves along which the emulsion broke."""
    count, _, height, width = images.shape
    counts = counted(amount, draws).clamp(max=MOST)
    through = draws.uniform(count, MOST, 2, low=0.05, high=0.95) * torch.tensor([height, width])
    # Mostly along the sides, as photographs are folded.
    angle = math.pi / 2 * draws.whole(2, count, MOST) + 0.25 * torch.randn(count, MOST, generator=draws.random)
    angle = torch.where(draws.chance(0.3, count, MOST), math.pi * draws.uniform(count, MOST), angle)
    depth = 0.16 * draws.uniform(count, MOST) ** 1.5 * torch.where(draws.chance(0.5, count, MOST), 1, -1)
    reach = draws.uniform(count, MOST, low=2, high=14)
    shade = torch.ones_like(images[:, :1])
    rows, columns = (torch.arange(side, device=images.device) + 0.5 for side in (height, width))
    there = torch.arange(MOST) < counts[:, None]
    for k in range(MOST):
        some = there[:, k].nonzero()[:, 0]
        if not len(some):
            continue
        centre, turn, deep, far = (
            one[some, k].to(images.device)[..., None, None] for one in (through, angle, depth, reach)
        )
        across = torch.cos(turn) * (rows.view(1, -1, 1) - centre[:, 0]) - torch.sin(turn) * (columns - centre[:, 1])
        step = torch.tanh(across / 1.5) * torch.exp(-across.abs() / far)
        shade[some.to(images.device), 0] *= 1 + deep * step
    row, which = there.nonzero(as_tuple=True)
    # As long as the diagonal, so that it leaves the image on both sides wherever it passes.
    length = 2 * math.hypot(height, width)
    points = math.ceil(length)
    along = torch.stack([torch.sin(angle[row, which]), torch.cos(angle[row, which])], 1).to(images.device)
    t = torch.linspace(-length / 2, length / 2, points, device=images.device).view(1, -1, 1)
    jag = draws.uniform(len(row), 1, 1, low=0.2, high=1.8).to(images.device)
    away = torch.stack([lines(draws, len(row), points, max(2, points // n)) for n in (4, 4, 24, 24)], 2)
    path = (
        through[row, which].to(images.device)[:, None] + t * along[:, None] + jag * (away[..., :2] / 2 + away[..., 2:])
    )
    thickness = (0.5 + 4 * draws.uniform(len(row), 1) ** 2).to(images.device)
    widths = thickness * (1 + 0.4 * lines(draws, len(row), points, max(2, points // 8))).clamp(0.2, 2)
    broken = draws.uniform(len(row), 1, low=-0.3, high=1.5).to(images.device)
    opacity = broken + 0.8 * lines(draws, len(row), points, max(2, points // 40))
    opacity = (opacity + lines(draws, len(row), points, max(2, points // 6)) / 2).clamp(0, 1)
    ragged = torch.ones_like(thickness)
    return images * shade, Curves(row, path, widths, opacity, ragged, draws.chance(0.85, len(row)))


def stained(images: Tensor, amount: Tensor, draws: Draws) -> Tensor:
    """Water and dirt: broad brown patches of an opacity up to `amount` with darker rims; some bleach instead."""
    count, channels, height, width = images.shape

    def column(one: Tensor) -> Tensor:
        return one.to(images.device).view(count, -1, 1, 1)

    height_of = clouds(draws, count, height, width, roughness=0.3) - column(draws.uniform(count, low=0.2, high=1.6))
    inside = torch.sigmoid(height_of / column(draws.uniform(count, low=0.02, high=0.25)))
    rim = torch.exp(-((height_of / column(draws.uniform(count, low=0.05, high=0.2))) ** 2))
    body = column(draws.uniform(count, low=0.2, high=1))
    cover = column(amount) * (body * inside + column(draws.uniform(count)) * rim * (height_of > -0.3)).clamp(0, 1)
    brown = torch.tensor([0.55, 0.4, 0.22])[:, None] + 0.3 * draws.uniform(3, count)
    brown = brown.mean(0, keepdim=True) if channels == 1 else brown
    dirty = images * (1 - cover * (1 - column(brown.T)))
    bleached = torch.lerp(images, torch.full_like(images, 0.92), cover * 0.7)
    return torch.where(column(draws.chance(0.2, count)), bleached, dirty)


def torn(images: Tensor, corners: Tensor, tears: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
    """Corners missing up to a share `corners` of the side, and tears from the border up to a share `tears` of it.

    Returns:
        The images, and where they are lost: (B, 1, H, W) from 0 to 1. The rim of a hole is bare paper.
    """
    lost = torch.zeros_like(images[:, :1])
    some = ((corners > 0) | (tears > 0)).nonzero()[:, 0]
    if not len(some):
        return images, lost
    on = some.to(images.device)
    channels, height, width = images.shape[1:]
    count, side = len(some), min(height, width)

    def column(one: Tensor) -> Tensor:
        return one.to(images.device).view(count, -1, 1, 1)

    rough = clouds(draws, count, height, width, roughness=0.55) * column(draws.uniform(count, low=1, high=5))
    rows, columns = (torch.arange(n, device=images.device) + 0.5 for n in (height, width))
    rows, columns = rows.view(1, 1, -1, 1), columns.view(1, 1, 1, -1)
    # Pixels to the edge of what is lost; negative inside.
    distance = _corners(corners[some] * side, rows, columns, height, width, draws)
    distance = distance.minimum(_tears(tears[some] * side, rows, columns, height, width, rough, draws)) + rough
    hole = (0.5 - distance).clamp(0, 1)
    rim = column(5 * draws.uniform(count) ** 2) * (1 + 0.3 * rough)
    paper = torch.tensor([0.97, 0.95, 0.9]) * draws.uniform(count, 1, low=0.85, high=1)
    kind = draws.uniform(count)
    level = torch.where(
        kind < 0.4, 0.95 + kind / 8, torch.where(kind < 0.7, (kind - 0.4) / 4, draws.uniform(count, low=0.1, high=0.9))
    )
    bed = (level[:, None] * (1 + 0.08 * (draws.uniform(count, 3) - 0.5))).clamp(0, 1)
    paper, bed = (column(one.mean(1) if channels == 1 else one) for one in (paper, bed))
    # Fibres of paper catch the light of the scanner.
    grain = 1 + 0.06 * draws.normal(count, 1, height, width)
    behind = torch.lerp(bed.expand(-1, -1, height, width), paper * grain, (distance + rim + 0.5).clamp(0, 1))
    out = images.clone()
    out[on] = torch.lerp(images[on], behind, hole)
    lost[on] = hole
    return out, lost


def _corners(size: Tensor, rows: Tensor, columns: Tensor, height: int, width: int, draws: Draws) -> Tensor:
    count = len(size)
    there = draws.chance(0.4, count, 4)
    # One at least.
    there[torch.arange(count), draws.whole(4, count)] = True
    legs = size[:, None, None] * draws.uniform(count, 4, 2, low=0.25, high=1)
    legs = torch.where((there & (size > 0)[:, None])[:, :, None], legs, -1.0).to(rows.device)
    a, b = (leg[:, :, None, None] for leg in legs.unbind(2))
    mirror = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], device=rows.device).view(1, 4, 2, 1, 1)
    down = torch.where(mirror[:, :, 0] == 1, height - rows, rows)
    along = torch.where(mirror[:, :, 1] == 1, width - columns, columns)
    # Of the line through (a, 0) and (0, b).
    distance = (down * b + along * a - a * b) / torch.hypot(a, b)
    found = torch.where(a > 0, distance, math.inf).amin(1, keepdim=True)
    # Worn edges, of a few pixels.
    worn = torch.where(draws.chance(0.3, count) & (size > 0), 3 * draws.uniform(count), -math.inf)
    edge = torch.minimum(torch.minimum(rows, height - rows), torch.minimum(columns, width - columns))
    return found.minimum(edge - worn.to(rows.device).view(-1, 1, 1, 1))


def _tears(size: Tensor, rows: Tensor, columns: Tensor, height: int, width: int, rough: Tensor, draws: Draws) -> Tensor:
    """Wedges from the border inwards, at most two."""
    count = len(size)
    there = (size > 0)[:, None] & torch.stack([torch.ones(count, dtype=torch.bool), draws.chance(0.3, count)], 1)
    length = size[:, None] * draws.uniform(count, 2, low=0.4, high=1)
    half = length * (0.02 + 0.3 * draws.uniform(count, 2) ** 2) + 0.7
    border, place = draws.whole(4, count, 2), draws.uniform(count, 2)
    zero, one = torch.zeros(()), torch.ones(())
    row = torch.where(border < 2, place, torch.where(border == 2, zero, one)) * height
    column = torch.where(border >= 2, place, torch.where(border == 0, zero, one)) * width
    inward = torch.tensor([0, math.pi, math.pi / 2, -math.pi / 2])[border]
    angle = inward + 0.8 * torch.randn(count, 2, generator=draws.random).clamp(-1, 1)
    length, half, row, column, angle, there = (
        part.to(rows.device)[:, :, None, None] for part in (length, half, row, column, angle, there)
    )
    deep = torch.sin(angle) * (rows - row) + torch.cos(angle) * (columns - column)
    across = torch.cos(angle) * (rows - row) - torch.sin(angle) * (columns - column)
    share = deep / length.clamp(min=1)
    wedge = (across + (1 + length / 20).clamp(max=4) * rough).abs() - half * (1 - share)
    outside = torch.maximum(wedge, deep - length)
    return torch.where(there, outside, math.inf).amin(1, keepdim=True)
