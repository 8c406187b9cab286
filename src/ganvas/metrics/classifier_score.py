"""Classifier score: how sure a classifier is of each image, and how many classes it sees. Looks at no reals."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import Array, Estimate, bootstrap
from ganvas.metrics.measure import Evidence, Measure, Quantity

SPLITS = 1


class ClassifierScore(Measure):
    """Called Inception score by the probabilities of the Inception network."""

    name, order = "score", 50
    gives = tuple(Quantity(name, higher_is_better=True, least=1) for name in ("classifier score", "Inception score"))
    needs = frozenset({"probabilities"})

    def is_default(self, x: Evidence) -> bool:
        """Always."""
        return True

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """One figure."""
        assert x.extractor is not None
        name = x.extractor.names.get("classifier score", "classifier score")
        found = classifier_score(x.of_fakes.probabilities, SPLITS, x.seed)
        return [self.figure(name, found, x.on_features | {"splits": SPLITS})]


def classifier_score(probabilities: NDArray[np.floating], splits: int = SPLITS, seed: int = 0) -> Estimate:
    """exp E KL(p(y|x) || p(y)): how sure the classifier is of each image, and how many classes it sees.

    With the Inception network it is the Inception score (Salimans et al. 2016, arXiv:1606.03498, section 4). The mean
    over parts is customary, and depends on their size; one part is the better estimator (Barratt & Sharma 2018,
    arXiv:1801.01973, section 4).

    Args:
        probabilities: (N, K), each row of sum 1.
        splits: parts of which the mean is taken, N / `splits` neighbouring images each.
        seed: of the interval's resamples, drawn within each part.

    Returns:
        A score from 1 to K.
    """
    bounds = [len(probabilities) * part // splits for part in range(splits + 1)]
    parts = [_score_of(np.asarray(probabilities[start:end], np.float64), seed) for start, end in pairwise(bounds)]
    value = float(np.mean([part.value for part in parts]))
    # Independent parts: the half-widths of their mean add like standard deviations.
    below, above = (
        float(np.sqrt(np.square(gaps).sum())) / splits
        for gaps in ([part.value - part.low for part in parts], [part.high - part.value for part in parts])
    )
    return Estimate(value, value - below, value + above)


def _score_of(p: Array, seed: int) -> Estimate:
    own = (p * _log(p)).sum(1)

    def score(counts: Array) -> Array:
        together = counts @ p / len(p)
        exponent: Array = np.exp(counts @ own / len(p) - (together * _log(together)).sum(1))
        return exponent

    return bootstrap(score, len(p), seed)


def _log(p: Array) -> Array:
    logs: Array = np.log(p.clip(np.finfo(np.float64).tiny))
    return logs
