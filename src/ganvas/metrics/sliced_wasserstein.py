"""How far two sets of pictures are apart, without a trained network."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

PATCH, DIRECTIONS, COARSEST = 7, 64, 16


def sliced_wasserstein(real: Tensor, fake: Tensor, seed: int = 0) -> float:
    """Sliced Wasserstein-1 distance between the 7x7 patches of two sets, averaged over an image pyramid.

    Patches are projected on random unit directions, where the distance of two equally large sets is the mean gap
    between their sorted values (Rabin et al. 2012); the pyramid halves the pictures down to 16 px, after Karras et
    al. 2018 (arXiv:1710.10196, section 5), but without their Laplacian and normalisation, so that colour counts.

    Args:
        real, fake: (N, C, H, W) in [-1, 1], the same shape.
        seed: decides the directions.

    Returns:
        A distance in units of [-1, 1]; 0 for equal sets. Comparable only at equal N, size and seed.
    """
    assert real.shape == fake.shape, "the sliced distance compares equally large sets"
    generator = torch.Generator().manual_seed(seed)
    patch = min(PATCH, real.shape[-1])
    levels = []
    while True:
        directions = torch.randn(DIRECTIONS, real.shape[1], patch, patch, generator=generator)
        directions = (directions / directions.flatten(1).norm(dim=1)[:, None, None, None]).to(real.device)
        gap = _project(real, directions) - _project(fake, directions)
        levels.append(float(gap.abs().mean()))
        if real.shape[-1] // 2 < COARSEST:
            return sum(levels) / len(levels)
        real, fake = functional.avg_pool2d(real, 2), functional.avg_pool2d(fake, 2)


def _project(pictures: Tensor, directions: Tensor) -> Tensor:
    stride = max(1, pictures.shape[-1] // 8)
    return functional.conv2d(pictures, directions, stride=stride).transpose(0, 1).flatten(1).sort(dim=1).values
