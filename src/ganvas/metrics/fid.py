"""FID: the Frechet distance between two sets of features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError
from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import GROUPS, Array, Estimate, groups, jackknife
from ganvas.metrics.measure import Evidence, Measure, Quantity


class FID(Measure):
    """Called FID on the features of the Inception network, and FD on those of any other."""

    name, order = "fd", 10
    gives = tuple(Quantity(name, higher_is_better=False, least=0) for name in ("FD", "FID"))
    needs = frozenset({"features"})

    def is_default(self, x: Evidence) -> bool:
        """Always."""
        return True

    def check(self, x: Evidence) -> None:
        """More images than features."""
        assert x.extractor is not None
        expect_enough(len(x.fakes), len(x.reals), x.extractor.count)

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """One figure."""
        assert x.extractor is not None
        found = frechet_distance(x.of_fakes.features, x.of_reals.features)
        return [self.figure(x.extractor.names.get("FD", "FD"), found, x.on_features)]


def frechet_distance(fake: NDArray[np.floating], real: NDArray[np.floating]) -> Estimate:
    """Frechet distance of two sets of features, each taken for a Gaussian, with its jackknife interval.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), the squared Wasserstein-2 distance of N(m1, S1) and N(m2, S2) (Dowson &
    Landau 1982); on the features of the Inception network it is the FID (Heusel et al. 2017, arXiv:1706.08500, eq. 6).
    It is biased upwards, the more so the fewer images there are, so that only equal counts compare (Chong & Forsyth
    2020, arXiv:1911.07023).

    Args:
        fake, real: features (N, F) and (M, F); N and M more than F.

    Returns:
        A distance of at least 0, computed in float64.

    Raises:
        InputError: there are too few images for a covariance of F features.
    """
    expect_enough(len(fake), len(real), fake.shape[1])
    # Near the origin, so that sums of squares keep their digits.
    origin = np.asarray(real, np.float64).mean(0)
    ours, theirs = (_gaussians(np.asarray(rows, np.float64) - origin) for rows in (fake, real))
    whole, *left_out = [distance(*one, *other) for one, other in zip(ours, theirs, strict=True)]
    return jackknife(whole, left_out)


def expect_enough(fakes: int, reals: int, features: int) -> None:
    """Refuse sets whose covariance cannot be estimated.

    Raises:
        InputError: there are not more images than features.
    """
    for name, count in (("fakes", fakes), ("reals", reals)):
        if count <= features:
            raise InputError(
                f"the Frechet distance on {features:,} features is undefined for {count:,} {name}; give more than"
                f" {features:,} images, or measure the KID, which is defined for any number."
            )


def distance(mean1: Array, covariance1: Array, mean2: Array, covariance2: Array) -> float:
    """Squared Wasserstein-2 distance of two Gaussians, by eigenvalues of symmetric matrices alone.

    tr (S1 S2)^(1/2) = tr (R' S2 R)^(1/2) with S1 = R R'. Negative eigenvalues, which only rounding makes, count as 0;
    so no ridge has to be added for a singular covariance.
    """
    values, vectors = np.linalg.eigh(covariance1)
    root = vectors * np.sqrt(values.clip(0))
    cross = np.sqrt(np.linalg.eigvalsh(root.T @ covariance2 @ root).clip(0)).sum()
    gap = np.square(mean1 - mean2).sum()
    return max(0.0, float(gap + np.trace(covariance1) + np.trace(covariance2) - 2 * cross))


def _gaussians(rows: Array) -> Iterator[tuple[Array, Array]]:
    """Mean and covariance of all rows, then of the rows without each group in turn."""
    total, products = rows.sum(0), rows.T @ rows
    yield _gaussian(len(rows), total, products)
    for group in range(GROUPS):
        part = rows[groups(len(rows)) == group]
        yield _gaussian(len(rows) - len(part), total - part.sum(0), products - part.T @ part)


def _gaussian(count: int, total: Array, products: Array) -> tuple[Array, Array]:
    mean = total / count
    return mean, (products - count * np.outer(mean, mean)) / (count - 1)
