"""How far two sets of images are apart, without a trained network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError
from ganvas.metrics.figure import Figure
from ganvas.metrics.measure import Evidence, Measure, Quantity

if TYPE_CHECKING:
    from torch import Tensor

PATCH, DIRECTIONS, COARSEST = 7, 64, 16

Projections = list["Tensor"]


class SlicedWasserstein(Measure):
    """Needs no network, and so few numbers that it is taken while training."""

    name, order = "swd", 90
    gives = (Quantity("SWD", higher_is_better=False, least=0),)
    needs = frozenset({"vectors"})

    def is_default(self, x: Evidence) -> bool:
        """Where no network sees the samples."""
        return x.extractor is None

    def check(self, x: Evidence) -> None:
        """As many fakes as reals."""
        if len(x.fakes) != len(x.reals):
            raise InputError(
                f"the sliced Wasserstein distance compares equally many, and there are {len(x.fakes):,} fakes and"
                f" {len(x.reals):,} reals; give --fakes {min(len(x.fakes), len(x.reals))}."
            )

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """One figure, without an interval."""
        found = sliced_wasserstein(*(project(_tensor(samples)) for samples in (x.reals, x.fakes)))
        on = {"extractor": "patches"} if x.fakes.dtype == np.uint8 else {}
        return [self.figure("SWD", found, {**on, **x.protocol})]


def _tensor(samples: NDArray[Any]) -> Tensor:
    import torch

    if samples.dtype == np.uint8:
        from ganvas.imaging.tensors import from_pixels

        return from_pixels(samples)
    return torch.from_numpy(np.asarray(samples, np.float32)).flatten(1)


def project(images: Tensor, seed: int = 0) -> Projections:
    """The sorted projections of a set's patches, one tensor (directions, patches) for each level of the pyramid.

    Args:
        images: (N, C, H, W) in [-1, 1]; or points (N, F), which are images of one pixel.
        seed: decides the directions.
    """
    import torch
    from torch.nn import functional

    generator = torch.Generator().manual_seed(seed)
    images = images if images.ndim == 4 else images[:, :, None, None]
    levels = []
    while True:
        size, channels = images.shape[-1], images.shape[1]
        patch = min(PATCH, size)
        directions = torch.randn(DIRECTIONS, channels * patch**2, generator=generator)
        filters = functional.normalize(directions).view(DIRECTIONS, channels, patch, patch).to(images.device)
        responses = functional.conv2d(images, filters, stride=max(1, size // 8))
        levels.append(_sorted(responses.transpose(0, 1).flatten(1)))
        if size // 2 < COARSEST:
            return levels
        images = functional.avg_pool2d(images, 2)


def _sorted(rows: Tensor) -> Tensor:
    import torch

    if rows.device.type != "cpu":
        return rows.sort(dim=1).values
    # On a CPU torch also sorts the indices, which nobody needs; numpy's sort is three to six times faster.
    return torch.from_numpy(np.sort(rows.float().numpy(), axis=1)).to(rows.dtype)  # numpy has no bfloat16


def sliced_wasserstein(real: Projections, fake: Projections) -> float:
    """Sliced Wasserstein-1 distance between the 7x7 patches of two sets, averaged over an image pyramid.

    On one direction the distance of two equally large sets is the mean gap between their sorted projections (Rabin et
    al. 2012). The pyramid halves the images down to 16 px, after Karras et al. 2018 (arXiv:1710.10196, section 5),
    but without their Laplacian and normalisation, so that colour and brightness count.

    Args:
        real, fake: what `project` made of equally many images of one size with one seed.

    Returns:
        A distance in units of [-1, 1]; 0 for equal sets. Comparable only at equal N, size and seed.
    """
    gaps = [float((a - b).abs().mean()) for a, b in zip(real, fake, strict=True)]
    return sum(gaps) / len(gaps)
