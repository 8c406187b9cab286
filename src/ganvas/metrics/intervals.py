"""How sure a figure is: intervals over the images it was computed from.

They answer one question alone: how far would the figure move with other images of the same generator and the same
reals? They do not cover another training seed, which usually moves it further.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LEVEL = 0.95
GROUPS = 10
STUDENT = 2.262  # the 97.5 % point of Student's t with GROUPS - 1 degrees of freedom
RESAMPLES = 1000


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def groups(count: int) -> NDArray[np.int64]:
    """The group of each of `count` images: equally many of each as far as can be, in an order drawn once for all."""
    # Images may come in an order of their own, such as a class after another, ten classes in turn.
    return np.random.default_rng(0).permutation(np.arange(count) % GROUPS)


def jackknife(value: float, left_out: Sequence[float]) -> Estimate:
    """The interval of a figure from its values without one group of images at a time (Efron 1982, chapter 3).

    For distances between sets. Their bootstrap is wrong upwards: an image drawn twice is at distance 0 from itself,
    and fewer distinct images make poorer covariances. Leaving a tenth out repeats nothing, and what the smaller
    number of images adds is common to all groups and cancels in their spread.

    Args:
        value: of all images.
        left_out: GROUPS values, the g-th without the images of group g.
    """
    spread = float(np.sqrt((GROUPS - 1) / GROUPS * np.square(np.subtract(left_out, np.mean(left_out))).sum()))
    return Estimate(value, value - STUDENT * spread, value + STUDENT * spread)


def bootstrap(statistic: Callable[[Array], Array], count: int, seed: int) -> Estimate:
    """The percentile interval over resampled images (Efron & Tibshirani 1993, chapter 13).

    For figures that are means over images, or functions of such means.

    Args:
        statistic: how often each image counts (R, count), each row of sum `count`, to the figure of each row (R,).
        count: images.
        seed: decides the resamples.
    """
    value = float(statistic(np.ones((1, count)))[0])
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    low, high = np.quantile(statistic(drawn.astype(np.float64)), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    # Resampling shifts a function of means a little; the figure itself is never left outside.
    return Estimate(value, min(float(low), value), max(float(high), value))


def mean(scores: ArrayLike, seed: int) -> Estimate:
    """The mean of one score (N,) an image, with its bootstrap interval."""
    values = np.asarray(scores, np.float64)
    return bootstrap(lambda counts: counts @ values / len(values), len(values), seed)
