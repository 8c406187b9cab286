"""How far two sets of pictures are apart, without a trained network."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

PATCH, DIRECTIONS, COARSEST = 7, 64, 16


Projections = list[Tensor]


def project(pictures: Tensor, seed: int = 0) -> Projections:
    """The sorted projections of a set's patches, one tensor (directions, patches) for each level of the pyramid.

    Args:
        pictures: (N, C, H, W) in [-1, 1]; or points (N, F), which are pictures of one pixel.
        seed: decides the directions.
    """
    generator = torch.Generator().manual_seed(seed)
    pictures = pictures if pictures.ndim == 4 else pictures[:, :, None, None]
    levels = []
    while True:
        size, channels = pictures.shape[-1], pictures.shape[1]
        patch = min(PATCH, size)
        directions = torch.randn(DIRECTIONS, channels * patch**2, generator=generator)
        filters = functional.normalize(directions).view(DIRECTIONS, channels, patch, patch).to(pictures.device)
        responses = functional.conv2d(pictures, filters, stride=max(1, size // 8))
        levels.append(responses.transpose(0, 1).flatten(1).sort(dim=1).values)
        if size // 2 < COARSEST:
            return levels
        pictures = functional.avg_pool2d(pictures, 2)


def sliced_wasserstein(real: Projections, fake: Projections) -> float:
    """Sliced Wasserstein-1 distance between the 7x7 patches of two sets, averaged over an image pyramid.

    On one direction the distance of two equally large sets is the mean gap between their sorted projections (Rabin et
    al. 2012). The pyramid halves the pictures down to 16 px, after Karras et al. 2018 (arXiv:1710.10196, section 5),
    but without their Laplacian and normalisation, so that colour and brightness count.

    Args:
        real, fake: what `project` made of equally many pictures of one size with one seed.

    Returns:
        A distance in units of [-1, 1]; 0 for equal sets. Comparable only at equal N, size and seed.
    """
    gaps = [float((a - b).abs().mean()) for a, b in zip(real, fake, strict=True)]
    return sum(gaps) / len(gaps)
