"""What the discriminator sees of a picture: reals and fakes changed alike, so that gradients still reach the fakes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.ramp import at
from ganvas.recipe import Augment


def as_seen(pictures: Tensor, augment: Augment, images: int) -> Tensor:
    """Pictures (B, C, H, W) as the discriminator sees them once `images` real images have been seen.

    DiffAugment (Zhao et al. 2020, arXiv:2006.10738): colour, shift and cut, each to each picture with the recipe's
    probability; then instance noise (Sonderby et al. 2017, arXiv:1610.04490, section 3.2).
    """
    chance = at(augment.differentiable, images)
    if chance:
        for change in (_colour, _shift, _cut):
            chosen = torch.rand(len(pictures), 1, 1, 1, device=pictures.device) < chance
            pictures = torch.where(chosen, change(pictures), pictures)
    strength = at(augment.noise, images)
    return pictures + strength * torch.randn_like(pictures) if strength else pictures


def _colour(x: Tensor) -> Tensor:
    """Brightness by up to 0.5, saturation times 0..2, contrast times 0.5..1.5."""
    brightness, saturation, contrast = torch.rand(3, len(x), 1, 1, 1, device=x.device)
    x = x + brightness - 0.5
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * 2 * saturation
    middle = x.mean(dim=(1, 2, 3), keepdim=True)
    changed: Tensor = middle + (x - middle) * (contrast + 0.5)
    return changed


def _shift(x: Tensor) -> Tensor:
    """By up to an eighth of the side in each direction; what comes in is grey."""
    size = x.shape[-1]
    most = max(1, round(size / 8))
    down, right = torch.randint(0, 2 * most + 1, (2, len(x), 1), device=x.device)
    place = torch.arange(size, device=x.device)
    padded = functional.pad(x, (most, most, most, most))
    picture = torch.arange(len(x), device=x.device)[:, None, None]
    # Indexed with the channels last, as the tensors lie in memory.
    moved = padded.permute(0, 2, 3, 1)[picture, (place + down)[:, :, None], (place + right)[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def _cut(x: Tensor) -> Tensor:
    """A grey square of half the side around a random place."""
    size = x.shape[-1]
    top, left = torch.randint(0, size + 1, (2, len(x), 1), device=x.device) - size // 4
    place = torch.arange(size, device=x.device)
    rows, columns = (((place >= start) & (place < start + size // 2)) for start in (top, left))
    kept: Tensor = x * ~(rows[:, None, :, None] & columns[:, None, None, :])
    return kept
