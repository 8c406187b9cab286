"""Mode coverage in 2-D: which Gaussians of a known mixture the fakes have found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ganvas.metrics.figure import Figure
from ganvas.metrics.measure import Evidence, Measure, Quantity

NEAR, FAIR = 3.0, 0.25


class ModeCoverage(Measure):
    """Of 2-D points, whose mixture is known."""

    name, order = "modes-2d", 110
    gives = (
        Quantity("modes found", higher_is_better=True, least=0),
        Quantity("quality", higher_is_better=True, least=0, most=1),
    )
    needs = frozenset({"mixture"})

    def is_default(self, x: Evidence) -> bool:
        """Wherever there is a mixture."""
        return x.mixture is not None

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """Two figures, without intervals."""
        assert x.mixture is not None
        found = coverage(x.fakes, *x.mixture)
        about = {**x.protocol, "of": found.of}
        return [self.figure("modes found", found.covered, about), self.figure("quality", found.quality, about)]


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
