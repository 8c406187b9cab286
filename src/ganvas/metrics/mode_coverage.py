"""Which modes of a known mixture, or which of many equally frequent classes, the fakes have found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganvas.metrics.classifier_score import COVERED
from ganvas.metrics.intervals import GROUPS, Estimate, groups, jackknife

NEAR, FAIR = 3.0, 0.25


@dataclass(frozen=True)
class Coverage:
    """What part of a mixture was found."""

    covered: int
    """Modes with at least a quarter of their fair share of high-quality fakes."""
    of: int
    """Modes there are."""
    quality: float
    """Share of fakes that are of high quality: within three standard deviations of a mode."""


def coverage(points: ArrayLike, modes: ArrayLike, std: float) -> Coverage:
    """Count the modes of equal, round Gaussians that fakes cover, and the fakes of high quality.

    High quality is as in VEEGAN (Srivastava et al. 2017, arXiv:1705.07761) and PacGAN (Lin et al. 2018,
    arXiv:1712.04086): within three standard deviations of the nearest mode; of the data themselves 98.9 % are. There a
    mode counts from its first such fake. Here it takes a quarter of its fair share (N / modes), so that a stray point
    on the way from one mode to another is not taken for a mode that was learned.

    Args:
        points: fakes (N, 2).
        modes: centres (M, 2).
        std: standard deviation of every Gaussian.
    """
    x, centres = np.asarray(points, np.float64), np.asarray(modes, np.float64)
    distances = np.linalg.norm(x[:, None] - centres[None], axis=2)
    good = distances.min(1) <= NEAR * std
    found = np.bincount(distances.argmin(1)[good], minlength=len(centres))
    return Coverage(int((found >= FAIR * len(x) / len(centres)).sum()), len(centres), float(good.mean()))


@dataclass(frozen=True)
class Spread:
    """How fakes spread over classes that should be equally frequent.

    Attributes:
        modes: classes with at least one fake, as the literature counts them.
        covered: classes with at least a tenth of their fair share, which single mistakes of the classifier are not.
        kl: Kullback-Leibler divergence KL(fakes || uniform), in nats; a class without fakes adds nothing.
    """

    modes: Estimate
    covered: Estimate
    kl: Estimate


def spread(labels: NDArray[np.integer], classes: int) -> Spread:
    """Count classes as for Stacked MNIST (Metz et al. 2017, arXiv:1611.02163, section 3.3), with jackknife intervals.

    N fakes of a perfect sampler have a KL of about (`classes` - 1) / 2N, since their histogram is never flat.

    Args:
        labels: class of each fake (N,), in 0..`classes` - 1.
        classes: how many there are.
    """
    group = groups(len(labels))
    whole = _spread(labels, classes)
    left_out = np.array([_spread(labels[group != one], classes) for one in range(GROUPS)])
    modes, covered, kl = (jackknife(value, without) for value, without in zip(whole, left_out.T, strict=True))
    most = float(classes)
    return Spread(_within(modes, most), _within(covered, most), _within(kl, float(np.log(classes))))


def _spread(labels: NDArray[np.integer], classes: int) -> tuple[float, float, float]:
    found = np.bincount(labels, minlength=classes)
    share = found[found > 0] / len(labels)
    covered = (found >= max(1, COVERED * len(labels) / classes)).sum()
    return float((found > 0).sum()), float(covered), float((share * np.log(share * classes)).sum())


def _within(estimate: Estimate, most: float) -> Estimate:
    return Estimate(estimate.value, max(estimate.low, 0.0), min(estimate.high, most))
