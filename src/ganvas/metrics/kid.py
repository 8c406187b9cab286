"""KID: the kernel distance between two sets of features."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError
from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import GROUPS, Array, Estimate, groups, jackknife
from ganvas.metrics.measure import Evidence, Measure, Quantity


class KID(Measure):
    """Unbiased at any number of images."""

    name, order = "kid", 20
    gives = (Quantity("KID", higher_is_better=False),)
    needs = frozenset({"features"})

    def is_default(self, x: Evidence) -> bool:
        """Always."""
        return True

    def check(self, x: Evidence) -> None:
        """Enough images for an interval."""
        expect_groups(len(x.fakes), len(x.reals))

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """One figure."""
        return [self.figure("KID", kid(x.of_fakes.features, x.of_reals.features), x.on_features)]


def kid(fake: NDArray[np.floating], real: NDArray[np.floating]) -> Estimate:
    """Squared maximum mean discrepancy with the kernel (x.y / F + 1)^3, with its jackknife interval.

    On Inception features it is the KID (Binkowski et al. 2018, arXiv:1801.01401, section 4). The estimator is unbiased
    (Gretton et al. 2012, lemma 6), so that it is defined for any number of images, does not depend on it in the mean,
    and can fall below 0 for sets that do not differ. All pairs of images are used once; the customary mean over
    random subsets estimates the same number with more noise.

    Args:
        fake, real: features (N, F) and (M, F), at least 2 x GROUPS of each.

    Raises:
        InputError: there are fewer images.
    """
    expect_groups(len(fake), len(real))
    ours, theirs = np.asarray(fake, np.float64), np.asarray(real, np.float64)
    sums = _Sums(_block_sums(ours, ours), _block_sums(ours, theirs), _block_sums(theirs, theirs), len(fake), len(real))
    everyone = np.ones(GROUPS, bool)
    left_out = [sums.distance(np.arange(GROUPS) != group) for group in range(GROUPS)]
    return jackknife(sums.distance(everyone), left_out)


def expect_groups(fakes: int, reals: int) -> None:
    """Refuse sets that are too small for an interval.

    Raises:
        InputError: one of them is.
    """
    least = 2 * GROUPS
    if min(fakes, reals) < least:
        raise InputError(
            f"{fakes} fakes and {reals} reals are too few to measure a distance; give {least} or more of each."
        )


class _Sums:
    """Kernel values summed over every pair of groups, from which any choice of groups is put together."""

    def __init__(self, within1: Array, between: Array, within2: Array, count1: int, count2: int) -> None:
        self.within1, self.between, self.within2 = within1, between, within2
        self.sizes1, self.sizes2 = np.bincount(groups(count1)), np.bincount(groups(count2))

    def distance(self, chosen: NDArray[np.bool_]) -> float:
        pairs = np.ix_(chosen, chosen)
        n, m = self.sizes1[chosen].sum(), self.sizes2[chosen].sum()
        same = self.within1[pairs].sum() / (n * (n - 1)) + self.within2[pairs].sum() / (m * (m - 1))
        return float(same - 2 * self.between[pairs].sum() / (n * m))


def _block_sums(a: Array, b: Array) -> Array:
    """Sums of the kernel over each pair of groups (GROUPS, GROUPS), an image with itself left out where `a` is `b`."""
    sums = np.empty((GROUPS, GROUPS))
    group_a, group_b = groups(len(a)), groups(len(b))
    for i in range(GROUPS):
        # A tenth of the rows at a time bounds the memory.
        rows = a[group_a == i]
        kernel = (rows @ b.T / a.shape[1] + 1) ** 3
        if a is b:
            kernel[np.arange(len(rows)), np.flatnonzero(group_a == i)] = 0
        sums[i] = [kernel[:, group_b == j].sum() for j in range(GROUPS)]
    return sums
