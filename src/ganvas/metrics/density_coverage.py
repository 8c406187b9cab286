"""Density and coverage: precision and recall that one outlier cannot move far."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import Estimate, mean
from ganvas.metrics.measure import Evidence, Measure, Quantity
from ganvas.metrics.neighbors import between, radii

K = 5


class DensityCoverage(Measure):
    """By the balls about the features of the reals."""

    name, order = "dc", 40
    gives = (
        Quantity("density", higher_is_better=True, least=0),
        Quantity("coverage", higher_is_better=True, least=0, most=1),
    )
    needs = frozenset({"features"})

    def is_default(self, x: Evidence) -> bool:
        """Always."""
        return True

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """Two figures."""
        found = density_coverage(x.of_fakes.features, x.of_reals.features, seed=x.seed)
        return [self.figure(name, estimate, x.on_features | {"k": K}) for name, estimate in found.items()]


def density_coverage(
    fake: NDArray[np.floating], real: NDArray[np.floating], k: int = K, seed: int = 0
) -> dict[str, Estimate]:
    """Density and coverage (Naeem et al. 2020, arXiv:2002.09797, equations 3 and 4).

    Density is the mean number of real balls that a fake lies in, over k: 1 where the sets are alike, more where fakes
    crowd among the reals. Coverage is the share of real balls with a fake in them; an outlier among the fakes cannot
    raise it, as it can the recall. For two samples of one distribution it is 1 - 2^-k in the mean, 0.97 for k = 5.

    Args:
        fake, real: features (N, F) and (M, F), more than k of each.
        seed: of the intervals, which resample the images counted and keep the balls.

    Raises:
        InputError: there are not more than k images.
    """
    inside = between(fake, real, k) <= radii(real, k)
    return {"density": mean(inside.sum(1) / k, seed), "coverage": mean(inside.any(0), seed)}
