"""Two-sample AUC: can a plain classifier tell fakes from reals? Sees quality and variety at once.

Lopez-Paz & Oquab 2017 (Revisiting Classifier Two-Sample Tests, arXiv:1610.06545, section 3), with the area under the
ROC curve in place of the accuracy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ganvas.errors import InputError
from ganvas.metrics.intervals import Array, Estimate, bootstrap
from ganvas.metrics.measure import Evidence, Quantity
from ganvas.metrics.sentence_measure import Scores, SentenceMeasure
from ganvas.metrics.sentences import Line, Lines, ngrams

FOLDS, ORDERS = 5, (1, 2, 3)


class TwoSample(SentenceMeasure):
    """By a fresh logistic regression on which 1-, 2- and 3-grams a sentence has."""

    name, order = "auc", 123
    gives = (Quantity("AUC", higher_is_better=False, least=0, most=1),)

    def about(self) -> dict[str, Any]:
        """The classifier."""
        return {"classifier": "logistic regression on binary 1-3-grams", "folds": FOLDS}

    def score(self, lines: Lines, x: Evidence) -> Scores:
        """One figure; 0.5 where the two cannot be told apart."""
        yield "AUC", two_sample_auc(lines, x.of_text.reals, x.seed)


def two_sample_auc(fakes: Lines, reals: Lines, seed: int = 0) -> Estimate:
    """The chance that a classifier, trained on other lines, scores a random real above a random fake.

    As many of both are taken, in five folds of each: every line is scored by the classifier that has not seen it, and
    pairs are compared within a fold.

    Args:
        fakes, reals: at least five of each.
        seed: of the folds, and of the interval's resamples of both.

    Returns:
        0.5 for lines of one source, apart from chance; 1 where they can always be told apart.

    Raises:
        InputError: there are fewer than five of either.
    """
    from sklearn.linear_model import LogisticRegression

    count = min(len(fakes), len(reals))
    if count < FOLDS:
        raise InputError(
            f"{len(fakes)} fakes and {len(reals)} reals are too few for {FOLDS} folds; give at least {FOLDS} of both."
        )
    rng = np.random.default_rng(seed)
    chosen = [[lines[i] for i in rng.permutation(len(lines))[:count]] for lines in (fakes, reals)]
    features = _features([*chosen[0], *chosen[1]])
    is_real, fold = np.repeat([False, True], count), np.tile(np.arange(count) % FOLDS, 2)
    wins: list[Array] = []
    for one in range(FOLDS):
        test = fold == one
        # The order of the rows must not matter to the figure, so the solver takes none: lbfgs sees them all at once.
        classifier = LogisticRegression(max_iter=1000).fit(features[~test], is_real[~test])
        scores = classifier.decision_function(features[test])
        gaps = np.subtract.outer(scores[is_real[test]], scores[~is_real[test]])
        wins.append((gaps > 0) + (gaps == 0) / 2)

    def area(counts: Array) -> Array:
        # A resample of whole pairs (i-th fake, i-th real): both sides are drawn alike, which keeps folds as they are.
        ends = np.cumsum([len(won) for won in wins])
        parts = np.split(counts, ends[:-1], axis=1)
        found = [np.einsum("rk,kl,rl->r", part, won, part) for part, won in zip(parts, wins, strict=True)]
        pairs = [part.sum(1) ** 2 for part in parts]
        return np.asarray(sum(found) / sum(pairs))

    return bootstrap(area, count, seed)


def _features(lines: Lines) -> Any:
    """Sparse (N, F): whether a line has each n-gram."""
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(analyzer=_grams, binary=True, dtype=np.float64).fit_transform(lines)


def _grams(line: Line) -> Iterator[Line]:
    for n in ORDERS:
        yield from ngrams(line, n)
