"""Memorization: are fakes nearer to the training images than new images would be?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import Estimate, mean
from ganvas.metrics.measure import Evidence, Measure, Quantity
from ganvas.metrics.neighbors import Nearest

if TYPE_CHECKING:
    from torch import Tensor

PART = 4096  # images compared with all others at a time
SIDE = 32  # px to which images are averaged before they are compared
COPIES = 0.01  # the share of new images that is as near as what counts as a copy


class Memorization(Measure):
    """Held-out images, which nobody memorized, are what fakes are compared with."""

    name, formerly, order = "memorization", "memorisation", 80
    gives = (Quantity("nearness", least=0, most=1), Quantity("copies", least=0, most=1))
    needs = frozenset({"vectors", "training", "held-out"})

    def is_default(self, x: Evidence) -> bool:
        """Always."""
        return True

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """Two figures."""
        assert x.nearest is not None
        assert x.training is not None
        assert x.held_out is not None
        protocol = {key: value for key, value in x.protocol.items() if key not in ("reals", "split")}
        of_images = {"extractor": "pixels", "resize": f"averaged to at most {SIDE} px"}
        training = sum(map(len, x.training()))
        about = {
            **(of_images if x.fakes.dtype == np.uint8 else {}),
            "training": training,
            "new": len(x.held_out),
        }
        advance = x.track("nearest of held-out samples", training)
        found = memorization(x.nearest, nearest(x.held_out, x.training(), advance), x.seed)
        return [self.figure(name, estimate, about | protocol) for name, estimate in found.items()]


def nearest(
    images: NDArray[Any], training: Iterable[NDArray[Any]], advance: Callable[[int], object] = lambda count: None
) -> Nearest:
    """Find the nearest training image of each image, all of them searched.

    The distance is the root mean square difference of pixels, of images averaged to at most 32 px: what copies share,
    seen from a little afar. It knows a copy that was blurred, sharpened or noised, not one that was moved or mirrored.

    Args:
        images: uint8 (N, H, W, C).
        training: the training images in parts (M, H, W, C), so that they need not lie in memory together.
        advance: called with the number of every part's.
    """
    import torch

    rows = _vectors(images)
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
        advance(len(part))
    return Nearest(index.numpy(), best.double().numpy())


def nearest_other(images: NDArray[Any]) -> NDArray[np.float64]:
    """How far each of N images (N, H, W, C) lies from the nearest other one of them, as in `nearest`: (N,)."""
    import torch

    rows = _vectors(images)
    found = []
    for start in range(0, len(rows), PART):
        part = rows[start : start + PART]
        distances = torch.cdist(part, rows)
        distances[torch.arange(len(part)), torch.arange(start, start + len(part))] = torch.inf
        found.append((part - rows[distances.argmin(dim=1)]).square().mean(1).sqrt())
    return torch.cat(found).double().numpy()


def memorization(fakes: Nearest, held_out: Nearest, seed: int = 0) -> dict[str, Estimate]:
    """Compare the fakes' distances to the training images with those of held-out images, which nobody memorized.

    `nearness` is the chance that a fake is nearer to the training images than a held-out image is, the statistic of
    Meehan et al. 2020 (arXiv:2004.05675, section 3) as a probability: 0.5 where fakes are as new as held-out images,
    towards 1 where they copy, towards 0 where they are unlike any image. `copies` is the share of fakes nearer than
    all but 1 % of held-out images, of which a generator that memorizes nothing has about 1 % too; it finds few copies
    among many poor fakes, which `nearness` cannot.

    Args:
        fakes, held_out: what `nearest` found for both in the same training images.
        seed: of the intervals, which resample the fakes.
    """
    reference = np.sort(held_out.distance)
    left, right = (np.searchsorted(reference, fakes.distance, side) for side in ("left", "right"))
    farther = 1 - (left + right) / (2 * len(reference))  # share of held-out images, ties counted half
    line = np.quantile(reference, COPIES)
    return {"nearness": mean(farther, seed), "copies": mean(fakes.distance < line, seed)}


def _vectors(images: NDArray[Any]) -> Tensor:
    """Images (N, H, W, C) as vectors (N, F) of 0..1, averaged to at most SIDE px; of anything else its own numbers."""
    import torch
    from torch.nn import functional

    if images.dtype != np.uint8:
        return torch.from_numpy(np.asarray(images, np.float32)).flatten(1)
    tensor = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 255
    if tensor.shape[-1] > SIDE:
        tensor = functional.adaptive_avg_pool2d(tensor, SIDE)
    return tensor.flatten(1)
