"""Memorisation: are fakes nearer to the training pictures than new pictures would be?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ganvas.metrics.intervals import Estimate, mean

Pixels = NDArray[np.uint8]

PART = 4096  # pictures compared with all others at a time
SIDE = 32  # px to which pictures are averaged before they are compared
COPIES = 0.01  # the share of new pictures that is as near as what counts as a copy


@dataclass(frozen=True)
class Nearest:
    """The training picture nearest to each of N pictures: its number, and the distance, per pixel in 0..1."""

    index: NDArray[np.int64]
    distance: NDArray[np.float64]


def nearest(pictures: Pixels, training: Iterable[Pixels]) -> Nearest:
    """Find the nearest training picture of each picture, all of them searched.

    The distance is the root mean square difference of pixels, of pictures averaged to at most 32 px: what copies share,
    seen from a little afar. It knows a copy that was blurred, sharpened or noised, not one that was moved or mirrored.

    Args:
        pictures: uint8 (N, H, W, C).
        training: the training pictures in parts (M, H, W, C), so that they need not lie in memory together.
    """
    rows = _vectors(pictures)
    best, index = torch.full((len(rows),), torch.inf), torch.zeros(len(rows), dtype=torch.int64)
    seen = 0
    for part in training:
        others = _vectors(part)
        found = torch.cdist(rows, others).argmin(dim=1)
        # By products, the quick way, small distances lose their digits; the winner's is taken again.
        distances = (rows - others[found]).square().mean(1).sqrt()
        closer = distances < best
        best[closer], index[closer] = distances[closer], found[closer] + seen
        seen += len(part)
    return Nearest(index.numpy(), best.double().numpy())


def nearest_other(pictures: Pixels) -> NDArray[np.float64]:
    """How far each of N pictures (N, H, W, C) lies from the nearest other one of them, as in `nearest`: (N,)."""
    rows = _vectors(pictures)
    found = []
    for start in range(0, len(rows), PART):
        part = rows[start : start + PART]
        distances = torch.cdist(part, rows)
        distances[torch.arange(len(part)), torch.arange(start, start + len(part))] = torch.inf
        found.append((part - rows[distances.argmin(dim=1)]).square().mean(1).sqrt())
    return torch.cat(found).double().numpy()


def memorisation(fakes: Nearest, held_out: Nearest, seed: int = 0) -> dict[str, Estimate]:
    """Compare the fakes' distances to the training pictures with those of held-out pictures, which nobody memorised.

    `nearness` is the chance that a fake is nearer to the training pictures than a held-out picture is, the statistic of
    Meehan et al. 2020 (arXiv:2004.05675, section 3) as a probability: 0.5 where fakes are as new as held-out pictures,
    towards 1 where they copy, towards 0 where they are unlike any picture. `copies` is the share of fakes nearer than
    all but 1 % of held-out pictures, of which a generator that memorises nothing has about 1 % too; it finds few copies
    among many poor fakes, which `nearness` cannot.

    Args:
        fakes, held_out: what `nearest` found for both in the same training pictures.
        seed: of the intervals, which resample the fakes.
    """
    reference = np.sort(held_out.distance)
    left, right = (np.searchsorted(reference, fakes.distance, side) for side in ("left", "right"))
    farther = 1 - (left + right) / (2 * len(reference))  # share of held-out pictures, ties counted half
    line = np.quantile(reference, COPIES)
    return {"nearness": mean(farther, seed), "copies": mean(fakes.distance < line, seed)}


def _vectors(pictures: Pixels) -> Tensor:
    """(N, H, W, C) as vectors (N, F) of 0..1, averaged to at most SIDE px."""
    tensor = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 255
    if tensor.shape[-1] > SIDE:
        tensor = functional.adaptive_avg_pool2d(tensor, SIDE)
    return tensor.flatten(1)
