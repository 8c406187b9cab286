"""The knee of a run on the perception-distortion plane: where more adversary no longer pays.

Paper: Blau & Michaeli 2018, The Perception-Distortion Tradeoff, arXiv:1711.06077: beyond some quality, images can
look more real only by being further from the truth. A run that learns to look real moves along that trade-off. It is
worth going on while a step buys enough, that is while

    ln(perceptual distance) + PRICE * ln(root mean squared error)

still falls. At a price of 1, each dB of PSNR that is lost must buy at least 10.9 % of perceptual distance
(1 - 10^(-1/20)); both may also fall together. The state in which the sum is smallest is the knee.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

PRICE = 1.0
SMOOTHED = 3  # measurements of which the median is taken, since one lucky measurement is no knee
CLEARLY = 0.005  # by which the sum must fall for a later state to be better: half a per cent
FEWEST = 4  # measurements beyond the knee, however far apart, before it is believed


@dataclass(frozen=True)
class Step:
    """A run's place on the plane at one moment. Of both less is better."""

    images: int
    distortion: float
    """Root mean squared error; of a PSNR it is 255 * 10^(-PSNR / 20)."""
    perception: float
    """Perceptual distance to the true images, above 0."""


@dataclass(frozen=True)
class Knee:
    """Where a run was worth its price, and what came after."""

    step: Step
    after: Step
    """Medians of the last measurements; its `images` is the last one's."""

    def __str__(self) -> str:
        decibels = 20 * math.log10(self.after.distortion / self.step.distortion)
        change = self.after.perception / self.step.perception - 1
        return (
            f"the knee lies at image {self.step.images:,}: since then the perceptual distance changed by {change:+.1%}"
            f" and the PSNR by {-decibels:+.2f} dB, which does not pay"
        )


def sums(path: Sequence[Step], price: float = PRICE) -> list[float]:
    """What each step of a run is worth, smoothed over the steps before it; less is better, infinite for no number."""
    raw = [
        math.log(step.perception) + price * math.log(step.distortion)
        if _is_sound(step.perception) and _is_sound(step.distortion)
        else math.inf
        for step in path
    ]
    # Of the past alone: what a state is worth is known when it can still be kept.
    return [statistics.median_high(raw[max(0, index + 1 - SMOOTHED) : index + 1]) for index in range(len(raw))]


def best_step(path: Sequence[Step], price: float = PRICE) -> int:
    """The index of the step to keep: the last that was clearly better than all before; -1 where none is sound.

    Adding steps to a path never changes what the answer was for its beginning, so that it can be asked as a run goes.
    """
    best, least = -1, math.inf
    for index, worth in enumerate(sums(path, price)):
        if worth < least - (CLEARLY if best >= 0 else 0.0):
            best, least = index, worth
    return best


def find_knee(path: Sequence[Step], patience: float, price: float = PRICE) -> Knee | None:
    """The knee of a run so far, or None while it is still worth going on.

    Args:
        path: the measurements of a run from where its game began, in order.
        patience: images that must have passed since the knee, besides at least four measurements.
        price: per cent of perceptual distance that a per cent of error must buy.
    """
    best = best_step(path, price)
    if best < 0 or len(path) - 1 - best < FEWEST or path[-1].images - path[best].images < patience:
        return None
    last = [step for step in path[-SMOOTHED:] if _is_sound(step.distortion) and _is_sound(step.perception)]
    if not last:
        return None
    distortion, perception = (statistics.median(values) for values in zip(*map(_both, last), strict=True))
    return Knee(path[best], Step(path[-1].images, distortion, perception))


def _both(step: Step) -> tuple[float, float]:
    return step.distortion, step.perception


def _is_sound(value: float) -> bool:
    return math.isfinite(value) and value > 0
