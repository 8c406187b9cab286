"""What a classifier's probabilities say of a set of pictures: the Inception score, and the histogram of classes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ganvas.metrics.intervals import Array, Estimate, bootstrap

COVERED = 0.1  # a mode is covered if the fakes show at least this share of its share among the reals


def classifier_score(probabilities: NDArray[np.floating], splits: int = 1, seed: int = 0) -> Estimate:
    """exp E KL(p(y|x) || p(y)): how sure the classifier is of each picture, and how many classes it sees.

    With the Inception network it is the Inception score (Salimans et al. 2016, arXiv:1606.03498, section 4). The mean
    over parts is customary, and depends on their size; one part is the better estimator (Barratt & Sharma 2018,
    arXiv:1801.01973, section 4).

    Args:
        probabilities: (N, K), each row of sum 1.
        splits: parts of which the mean is taken, N / `splits` neighbouring pictures each.
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
    mode: the class needs a tenth of its share among the reals. For the KL half a picture is added to every class on
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
