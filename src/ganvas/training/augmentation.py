"""What the discriminator sees of a picture: reals and fakes changed alike, so that gradients still reach the fakes."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.recipe import Augment
from ganvas.recipe.ramp import at
from ganvas.training.geometric import Chance, exact, perhaps, warp


def as_seen(pictures: Tensor, augment: Augment, images: int, chance: Chance | None = None) -> Tensor:
    """Images (B, C, H, W) as the discriminator sees them once `images` real images have been seen.

    The changes of the policy, each to each picture with the recipe's probability, or with `chance`: ADA's (Karras et
    al. 2020, arXiv:2006.06676, appendix B), then DiffAugment's (Zhao et al. 2020, arXiv:2006.10738); then instance
    noise (Sonderby et al. 2017, arXiv:1610.04490, section 3.2). All can be differentiated twice.
    """
    chance = at(augment.differentiable, images) if chance is None else chance
    if isinstance(chance, Tensor) or chance:
        blit, geometry = "blit" in augment.policy, "geometry" in augment.policy
        if blit or geometry:
            pictures = warp(pictures, chance, blit=blit, geometry=geometry)
        if "tone" in augment.policy:
            pictures = _tone(pictures, augment.tone_factor * chance)
        for name, change in (("colour", _colour), ("shift", _shift), ("cut", _cut)):
            if name in augment.policy:
                chosen = torch.rand(len(pictures), 1, 1, 1, device=pictures.device) < chance
                pictures = torch.where(chosen, change(pictures), pictures)
    strength = at(augment.noise, images)
    return pictures + strength * torch.randn_like(pictures) if strength else pictures


def _tone(x: Tensor, chance: Chance) -> Tensor:
    """Brightness by N(0, 0.2), contrast times 2^N(0, 0.5), grey values turned over; of colours also the hue turned
    about the grey axis by any angle, and saturation times 2^N(0, 1). fp32.
    """

    def normal(scale: float) -> Tensor:
        return scale * torch.randn(len(x), 1, 1, 1, device=x.device)

    brightness, contrast = perhaps(chance, normal(0.2), 0), perhaps(chance, 2 ** normal(0.5), 1)
    over = perhaps(chance, 1 - 2 * torch.randint(0, 2, (len(x), 1, 1, 1), device=x.device), 1)
    # What lies along the grey axis, and what stands upright on it: no change mixes the two.
    x = exact(x)
    grey = x.mean(dim=1, keepdim=True)
    toned = over * contrast * (grey + brightness)
    if x.shape[1] == 1:
        return toned
    colour = x - grey
    angle = perhaps(chance, (2 * torch.rand(len(x), 1, 1, 1, device=x.device) - 1) * math.pi, 0)
    saturation = perhaps(chance, 2 ** normal(1.0), 1)
    upright = (colour.roll(1, dims=1) - colour.roll(-1, dims=1)) / math.sqrt(3)  # a quarter turn about the axis
    changed: Tensor = toned + contrast * saturation * (angle.cos() * colour + angle.sin() * upright)
    return changed


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
