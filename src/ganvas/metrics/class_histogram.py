"""Class histogram: how often each class of a classifier appears among fakes and reals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import Array, Estimate, bootstrap
from ganvas.metrics.measure import Evidence, Measure, Quantity

COVERED = 0.1  # a mode is covered if the fakes show at least this share of its share among the reals


class ClassHistogram(Measure):
    """By an extractor that knows the classes by name."""

    name, order = "classes", 60
    gives = (
        Quantity("modes covered", higher_is_better=True, least=0),
        Quantity("class KL", higher_is_better=False, unit="nats", least=0),
    )
    needs = frozenset({"probabilities", "class names"})

    def is_default(self, x: Evidence) -> bool:
        """Where the extractor knows the classes by name."""
        return x.extractor is not None and bool(x.extractor.class_names)

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """Two figures."""
        found = classes(x.of_fakes.probabilities, x.of_reals.probabilities, x.seed)
        estimates = {"modes covered": found.modes, "class KL": found.kl}
        return [self.figure(name, estimate, x.on_features) for name, estimate in estimates.items()]


@dataclass(frozen=True)
class Classes:
    """Fakes and reals by the class that a classifier sees in them.

    Attributes:
        fake, real: shares (K,) of sum 1.
        modes: how many of the reals' classes the fakes cover.
        kl: Kullback-Leibler divergence KL(fake || real), in nats.
    """

    fake: Array
    real: Array
    modes: Estimate
    kl: Estimate


def classes(fake: NDArray[np.floating], real: NDArray[np.floating], seed: int = 0) -> Classes:
    """The two histograms of the likeliest classes, the modes covered and the divergence.

    Modes and KL as in Metz et al. 2017 (arXiv:1611.02163, section 3.3), except that one stray fake does not cover a
    mode: the class needs a tenth of its share among the reals. For the KL half an image is added to every class on
    both sides, which keeps it finite; the reals are taken as they are, only the fakes are resampled.

    Args:
        fake, real: probabilities (N, K) and (M, K).
    """
    kinds = fake.shape[1]
    seen, given = fake.argmax(1), real.argmax(1)
    shares = np.bincount(given, minlength=kinds) / len(given)
    smooth = (np.bincount(given, minlength=kinds) + 0.5) / (len(given) + kinds / 2)
    one_hot = np.eye(kinds)[seen]

    def covered(counts: Array) -> Array:
        enough: Array = ((counts @ one_hot >= COVERED * shares * len(seen)) & (shares > 0)).sum(1).astype(float)
        return enough

    def divergence(counts: Array) -> Array:
        p = (counts @ one_hot + 0.5) / (len(seen) + kinds / 2)
        kl: Array = (p * np.log(p / smooth)).sum(1)
        return kl

    return Classes(one_hot.mean(0), shares, bootstrap(covered, len(seen), seed), bootstrap(divergence, len(seen), seed))
