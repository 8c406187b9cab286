"""Perceptual diversity: how different two fakes look in the mean, beside two reals."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError
from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import Estimate, mean
from ganvas.metrics.measure import Evidence, Measure, Quantity
from ganvas.metrics.perceptual import BATCH, SIDE, PerceptualDistance, prepare

PAIRS = 512


class PerceptualDiversity(Measure):
    """By LPIPS or ST-LPIPS."""

    name, order = "perceptual", 85
    gives = tuple(
        Quantity(f"{title} diversity{of}", least=0) for title in ("ST-LPIPS", "LPIPS") for of in ("", " of the reals")
    )
    needs = frozenset({"distance"})

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """That of the fakes and that of the reals."""
        network = x.distance
        assert network
        about = {
            "extractor": network.name,
            "weights": network.weights,
            "resize": f"at least {SIDE} px",
            "pairs": PAIRS,
            **x.protocol,
        }
        for of, samples in (("", x.fakes), (" of the reals", x.reals)):
            yield self.figure(f"{network.title} diversity{of}", diversity(network, samples, x.seed), about)


def diversity(network: PerceptualDistance, pixels: NDArray[np.uint8], seed: int = 0) -> Estimate:
    """Mean distance of random pairs of images: less than that of reals where fakes look alike.

    Args:
        network: the distance.
        pixels: uint8 (N, H, W, C), N at least 2; upscaled to 64 px if smaller.
        seed: of the 512 pairs, and of the interval, which resamples the pairs.

    Raises:
        InputError: there is no pair.
    """
    if len(pixels) < 2:
        raise InputError(f"{len(pixels)} image has nothing to differ from; give 2 or more.")
    import torch

    rng = np.random.default_rng(seed)
    first = rng.integers(0, len(pixels), PAIRS)
    second = (first + rng.integers(1, len(pixels), PAIRS)) % len(pixels)
    found = []
    with torch.inference_mode():
        for start in range(0, PAIRS, BATCH):
            part = slice(start, start + BATCH)
            found.append(
                network(*(prepare(pixels[chosen[part]]).to(network.device) for chosen in (first, second))).cpu()
            )
    return mean(torch.cat(found).double().numpy(), seed)
