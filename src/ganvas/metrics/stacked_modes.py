"""Mode coverage of Stacked MNIST: which of the 1,000 stacks of three digits the fakes show, and how evenly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError
from ganvas.metrics.class_histogram import COVERED
from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import GROUPS, Estimate, groups, jackknife
from ganvas.metrics.measure import Evidence, Measure, Quantity

SOURCE, UNSEEN = "stacked-mnist", "stacked-mnist-test"
FAKES = 26_000  # as in all published tables
DIGITS, CLASSES = 3, 1_000


class StackedModes(Measure):
    """The classifier of digits reads the channels of every stack."""

    name, order = "modes", 100
    gives = (
        Quantity("modes", higher_is_better=True, least=0, most=1000),
        Quantity("modes covered", higher_is_better=True, least=0, most=1000),
        Quantity("modes KL", higher_is_better=False, unit="nats", least=0),
    )
    needs = frozenset({"extractor"})
    sources, alone, extractor, fakes = (SOURCE, UNSEEN), True, "digits", FAKES

    def check(self, x: Evidence) -> None:
        """Three channels."""
        channels = x.fakes.shape[-1]
        if channels != DIGITS:
            raise InputError(f"{x.name} makes images of {channels} channels; stacks have {DIGITS} (--system.channels).")

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """Three figures."""
        assert x.extractor is not None
        digits = as_digits(x.fakes)
        seen = x.extractor.extract(digits, advance=x.track("digits of fakes", len(digits)))
        self.labels = labels_of(seen.probabilities)
        found = spread(self.labels, CLASSES)
        resize = "each channel for itself, " + x.extractor.resize.removeprefix("grey, ")
        about = {**x.extractor.protocol, "resize": resize, **x.protocol}
        estimates = {"modes": found.modes, "modes covered": found.covered, "modes KL": found.kl}
        return [self.figure(name, estimate, about) for name, estimate in estimates.items()]

    def notes(self, x: Evidence) -> Iterable[str]:
        """What the figures of a perfect sampler are."""
        least = (CLASSES - 1) / (2 * len(x.fakes))
        return [
            f"A perfect sampler of {CLASSES:,} equally frequent classes has a KL of about {least:.3f} in"
            f" {len(x.fakes):,} images; modes counts a class from its first on, modes covered from a tenth of its share"
            " on."
        ]

    def panel(self, x: Evidence) -> Callable[[Any], None]:
        """The counts of the classes in falling order."""
        counts = np.sort(np.bincount(self.labels, minlength=CLASSES))[::-1]

        def draw(axes: Any) -> None:
            axes.fill_between(np.arange(CLASSES), counts, step="mid", linewidth=0, label="fakes")
            axes.axhline(len(x.fakes) / CLASSES, color="black", linestyle=":", label="fair share")
            axes.set_xlim(0, CLASSES)
            axes.set_xlabel("classes, the most frequent first")
            axes.set_ylabel("fakes of the class")
            axes.legend(frameon=False)

        return draw


def as_digits(stacks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The channels of stacks (N, H, W, 3), one after another (3 N, H, W, 1)."""
    return np.ascontiguousarray(np.moveaxis(stacks, 3, 1)).reshape(-1, *stacks.shape[1:3], 1)


def labels_of(probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """The class (N,) of each stack by what a classifier says of its digits (3 N, 10): the three read as one number."""
    labels: NDArray[np.int64] = probabilities.argmax(1).reshape(-1, DIGITS) @ 10 ** np.arange(DIGITS)[::-1]
    return labels


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
