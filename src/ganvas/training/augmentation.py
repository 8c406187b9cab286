"""Differentiable augmentation: reals and fakes are changed alike before the discriminator sees them."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.recipe import Augment
from ganvas.recipe.ramp import at
from ganvas.training.geometric import Probability, exact, maybe, warp


def augment(images: Tensor, settings: Augment, images_seen: int, probability: Probability | None = None) -> Tensor:
    """Augment images (B, C, H, W) for the discriminator, after `images_seen` real images.

    Applies each change of the policy to each image with the recipe's probability, or with `probability`: first ADA's
    (Karras et al. 2020, arXiv:2006.06676, appendix B), then DiffAugment's (Zhao et al. 2020, arXiv:2006.10738), and
    finally instance noise (Sonderby et al. 2017, arXiv:1610.04490, section 3.2). All are twice differentiable.
    """
    probability = at(settings.differentiable, images_seen) if probability is None else probability
    if isinstance(probability, Tensor) or probability:
        blit, geometry = "blit" in settings.policy, "geometry" in settings.policy
        if blit or geometry:
            images = warp(images, probability, blit=blit, geometry=geometry)
        if "tone" in settings.policy:
            images = _tone(images, settings.tone_factor * probability)
        for name, change in (("colour", _colour), ("shift", _shift), ("cut", _cut)):
            if name in settings.policy:
                chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < probability
                images = torch.where(chosen, change(images), images)
    strength = at(settings.noise, images_seen)
    return images + strength * torch.randn_like(images) if strength else images


def _tone(x: Tensor, probability: Probability) -> Tensor:
    """Brightness plus N(0, 0.2), contrast times 2^N(0, 0.5), and luma inverted; for RGB also hue rotated about the grey
    axis by any angle, and saturation times 2^N(0, 1). fp32.
    """

    def normal(scale: float) -> Tensor:
        return scale * torch.randn(len(x), 1, 1, 1, device=x.device)

    brightness, contrast = maybe(probability, normal(0.2), 0), maybe(probability, 2 ** normal(0.5), 1)
    flip = maybe(probability, 1 - 2 * torch.randint(0, 2, (len(x), 1, 1, 1), device=x.device), 1)
    # The components along the grey axis and perpendicular to it: no change mixes the two.
    x = exact(x)
    grey = x.mean(dim=1, keepdim=True)
    toned = flip * contrast * (grey + brightness)
    if x.shape[1] == 1:
        return toned
    colour = x - grey
    angle = maybe(probability, (2 * torch.rand(len(x), 1, 1, 1, device=x.device) - 1) * math.pi, 0)
    saturation = maybe(probability, 2 ** normal(1.0), 1)
    perpendicular = (colour.roll(1, dims=1) - colour.roll(-1, dims=1)) / math.sqrt(3)  # a quarter turn about the axis
    changed: Tensor = toned + contrast * saturation * (angle.cos() * colour + angle.sin() * perpendicular)
    return changed


def _colour(x: Tensor) -> Tensor:
    """Brightness plus -0.5..0.5, saturation times 0..2, contrast times 0.5..1.5."""
    brightness, saturation, contrast = torch.rand(3, len(x), 1, 1, 1, device=x.device)
    x = x + brightness - 0.5
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * 2 * saturation
    middle = x.mean(dim=(1, 2, 3), keepdim=True)
    changed: Tensor = middle + (x - middle) * (contrast + 0.5)
    return changed


def _shift(x: Tensor) -> Tensor:
    """Shift by up to an eighth of the side in each direction, filled with grey."""
    size = x.shape[-1]
    limit = max(1, round(size / 8))
    down, right = torch.randint(0, 2 * limit + 1, (2, len(x), 1), device=x.device)
    position = torch.arange(size, device=x.device)
    padded = functional.pad(x, (limit, limit, limit, limit))
    image = torch.arange(len(x), device=x.device)[:, None, None]
    # Indexed with the channels last, the memory layout of the tensors.
    moved = padded.permute(0, 2, 3, 1)[image, (position + down)[:, :, None], (position + right)[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def _cut(x: Tensor) -> Tensor:
    """Cover a square of half the side, at a random position, with grey."""
    size = x.shape[-1]
    top, left = torch.randint(0, size + 1, (2, len(x), 1), device=x.device) - size // 4
    position = torch.arange(size, device=x.device)
    rows, columns = (((position >= start) & (position < start + size // 2)) for start in (top, left))
    kept: Tensor = x * ~(rows[:, None, :, None] & columns[:, None, None, :])
    return kept
