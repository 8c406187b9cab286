"""What time does to a photographic print as a whole: grain, fading, toning, uneven light, and the printer's screen.

Images are floating point (B, C, H, W) from 0 to 1, amounts (B,) on the CPU; an amount of 0 changes nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.imaging.clouds import smooth

if TYPE_CHECKING:
    from ganvas.imaging.draws import Draws

LUMA = (0.299, 0.587, 0.114)


def grained(images: Tensor, amount: Tensor, draws: Draws) -> Tensor:
    """Grain of a deviation of `amount` / 255 in mid-tones, less in black and white; clumps of up to a few pixels."""
    count, channels = images.shape[:2]
    fine = draws.normal(*images.shape)
    # The mean of 3 x 3 pixels has a third of their deviation.
    coarse = 3 * functional.avg_pool2d(functional.pad(fine, [1] * 4, mode="replicate"), 3, 1)
    clump, colour = (_column(draws.uniform(count), images) for _ in range(2))
    grain = (coarse * clump + fine * (1 - clump)) / (clump**2 + (1 - clump) ** 2 + clump * (1 - clump) * 2 / 3).sqrt()
    if channels > 1:
        grain = torch.lerp(grain[:, :1], grain, colour)
    middle = (4 * images * (1 - images)).clamp(min=0.1).sqrt()
    return images + _column(amount / 255, images) * grain * middle


def faded(images: Tensor, amount: Tensor, draws: Draws) -> Tensor:
    """Curves of each channel: black lifted, white dimmed, middle moved; an amount of 1 leaves half of the contrast."""
    count, channels = images.shape[:2]

    def curve(low: float, high: float) -> Tensor:
        common, own = draws.uniform(count, 1), draws.uniform(count, channels)
        return amount[:, None] * (low + (high - low) * (0.65 * common + 0.35 * own))

    black, white, bend = curve(0, 0.4), 1 - curve(0, 0.3), torch.exp(curve(-0.5, 0.5))
    black, white, bend = (_column(one, images) for one in (black, white, bend))
    return black + (white - black) * _power(images, bend)


def bleached(images: Tensor, amount: Tensor, draws: Draws) -> Tensor:
    """Dyes lost, one more than the others: a share `amount` of its density, mostly of cyan, so that prints turn red."""
    if images.shape[1] == 1:
        return images
    count = len(images)
    most = torch.tensor([0, 0, 0, 1, 2, 2])[draws.whole(6, count)]
    lost = draws.uniform(count, 3, high=0.5)
    lost[torch.arange(count), most] = 1
    kept = _power(images, _column(1 - 0.8 * amount[:, None] * lost, images))
    return torch.lerp(kept, luma(kept).expand_as(kept), _column(0.4 * amount, images))


def toned(images: Tensor, amount: Tensor, draws: Draws) -> Tensor:
    """A share `amount` of the way to sepia: dark brown to cream."""
    if images.shape[1] == 1:
        return images
    count = len(images)
    dark = torch.tensor([0.16, 0.09, 0.03]) * draws.uniform(count, 1, low=0.2, high=1.2)
    light = 1 - torch.tensor([0.02, 0.12, 0.32]) * draws.uniform(count, 1, low=0.4, high=1.6)
    brown = _column(dark, images) + _column(light - dark, images) * luma(images)
    return torch.lerp(images, brown, _column(amount, images))


def yellowed(images: Tensor, amount: Tensor, draws: Draws) -> Tensor:
    """Paper and binder that turn yellow or brown: less blue, some less green."""
    if images.shape[1] == 1:
        return images
    lost = torch.stack([draws.uniform(len(images), high=high) for high in (0.06, 0.3, 1.0)], 1)
    lost[:, 2] = lost[:, 2].clamp(min=0.5)
    return images * _column(1 - 0.6 * amount[:, None] * lost, images)


def vignetted(images: Tensor, amount: Tensor, draws: Draws) -> Tensor:
    """Corners darker by a share `amount`, or in a quarter of the images paler, of a photograph that the image is in."""
    count, _, height, width = images.shape
    # The image is a window on a photograph one to three times its size.
    size = draws.uniform(count, low=1, high=3)
    place = draws.uniform(count, 2, low=-1, high=1) * (1 - 1 / size)[:, None]
    rows, columns = (
        (place[:, i : i + 1] + torch.linspace(-1, 1, side) / size[:, None]).to(images.device)
        for i, side in enumerate((height, width))
    )
    distance = (rows[:, None, :, None] ** 2 + columns[:, None, None, :] ** 2) / 2
    shade = distance ** _column(draws.uniform(count, low=0.8, high=2), images) * _column(amount, images)
    paler = _column(draws.chance(0.25, count).float(), images)
    return images * (1 - shade) + paler * shade * 0.95


def unevenly_lit(images: Tensor, amount: Tensor, draws: Draws) -> Tensor:
    """Broad light and shade of a deviation of `amount`."""
    count, _, height, width = images.shape
    return images * (1 + _column(amount, images) * smooth(draws, count, height, width, 3).clamp(-2, 2))


def screened(images: Tensor, amount: Tensor, draws: Draws) -> Tensor:
    """The dots of a printer's screen, or the weave of textured paper: a contrast of up to `amount` in mid-tones."""
    count, channels, height, width = images.shape
    pitch = draws.uniform(count, 1, low=2.5, high=7)
    angle = draws.uniform(count, 1) * math.pi / 2
    # Offset printing turns each colour's screen.
    angle = angle + torch.tensor([0.26, 1.31, 0.0])[:channels] * draws.chance(0.5, count)[:, None]
    along, across = (2 * math.pi * wave(angle) / pitch for wave in (torch.cos, torch.sin))
    along, across = _column(along, images), _column(across, images)
    rows = torch.arange(height, device=images.device).view(-1, 1)
    columns = torch.arange(width, device=images.device)
    dots = torch.cos(columns * along + rows * across) + torch.cos(rows * along - columns * across)
    return images + _column(amount, images) * dots / 2 * (4 * images * (1 - images)).clamp(min=0).sqrt()


def luma(images: Tensor) -> Tensor:
    """Weighted mean of the colours, (B, 1, H, W)."""
    return torch.einsum("bchw,c->bhw", images, images.new_tensor(LUMA))[:, None] if images.shape[1] == 3 else images


def _power(images: Tensor, exponent: Tensor) -> Tensor:
    return images.clamp(1 / 512, 1) ** exponent


def _column(amount: Tensor, images: Tensor) -> Tensor:
    """(B,) or (B, C) as (B, 1 or C, 1, 1), on the device."""
    return amount.to(images.device).view(len(amount), -1, 1, 1)
