"""Precision and recall: whether fakes lie where reals lie, and whether they lie everywhere there."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import Estimate, mean
from ganvas.metrics.measure import Evidence, Measure, Quantity
from ganvas.metrics.neighbors import between, radii

K = 3


class PrecisionRecall(Measure):
    """By the balls about the features of each set."""

    name, order = "pr", 30
    gives = tuple(Quantity(name, higher_is_better=True, least=0, most=1) for name in ("precision", "recall"))
    needs = frozenset({"features"})

    def is_default(self, x: Evidence) -> bool:
        """Always."""
        return True

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """Two figures."""
        found = precision_recall(x.of_fakes.features, x.of_reals.features, seed=x.seed)
        return [self.figure(name, estimate, x.on_features | {"k": K}) for name, estimate in found.items()]


def precision_recall(
    fake: NDArray[np.floating], real: NDArray[np.floating], k: int = K, seed: int = 0
) -> dict[str, Estimate]:
    """Improved precision and recall (Kynkaanniemi et al. 2019, arXiv:1904.06991, equations 1 and 2).

    A set's manifold is the union of balls about its images, each reaching the image's k-th nearest neighbour in the
    set. Precision is the share of fakes in the manifold of the reals, recall that of reals in that of the fakes.

    Args:
        fake, real: features (N, F) and (M, F), more than k of each. The shares depend on N and M.
        seed: of the intervals, which resample the images counted and keep the manifold.

    Raises:
        InputError: there are not more than k images.
    """
    distances = between(fake, real, k)
    return {
        "precision": mean((distances <= radii(real, k)).any(1), seed),
        "recall": mean((distances <= radii(fake, k)[:, None]).any(0), seed),
    }
