"""BLEU and self-BLEU of sentences: how many of their n-grams real sentences, or one another, have too.

Papineni et al. 2002 (BLEU), sections 2.1 to 2.3; for self-BLEU Zhu et al. 2018 (Texygen, arXiv:1802.01886, section 3).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ganvas.errors import InputError
from ganvas.metrics.intervals import Array, mean
from ganvas.metrics.measure import Evidence, Quantity
from ganvas.metrics.sentence_measure import Scores, SentenceMeasure
from ganvas.metrics.sentences import Line, Lines, ngrams

ORDERS = (2, 3, 4, 5)
EPSILON = 0.1  # smoothing method 1 of Chen & Cherry 2014 (A Systematic Comparison of Smoothing Techniques, section 3)


class BLEU(SentenceMeasure):
    """Of the fakes among the reals (quality), and of the reals among the fakes (coverage)."""

    name, order = "bleu", 120
    # Text of higher BLEU than real text is no better text, but more frequent phrases; so no end is the better one.
    gives = (
        *(Quantity(f"BLEU-{n}", least=0, most=1) for n in ORDERS),
        *(Quantity(f"backward BLEU-{n}", higher_is_better=True, least=0, most=1) for n in ORDERS),
    )

    def about(self) -> dict[str, Any]:
        """How it is taken."""
        return {"bleu": "mean over sentences, all references at once, smoothing method 1"}

    def score(self, lines: Lines, x: Evidence) -> Scores:
        """Eight figures."""
        references = x.of_text.reals
        forward, backward = bleu(lines, references), bleu(references, lines)
        for n, there, back in zip(ORDERS, forward.T, backward.T, strict=True):
            yield f"BLEU-{n}", mean(there, x.seed)
            yield f"backward BLEU-{n}", mean(back, x.seed)


class SelfBLEU(SentenceMeasure):
    """Of each sentence among all others of its set: less is more diverse."""

    name, order = "self-bleu", 121
    gives = tuple(Quantity(f"self-BLEU-{n}", least=0, most=1) for n in ORDERS)

    def about(self) -> dict[str, Any]:
        """How it is taken."""
        return {"bleu": "mean over sentences, all other sentences as references, smoothing method 1"}

    def score(self, lines: Lines, x: Evidence) -> Scores:
        """Four figures."""
        for n, found in zip(ORDERS, self_bleu(lines).T, strict=True):
            yield f"self-BLEU-{n}", mean(found, x.seed)


def bleu(lines: Lines, references: Lines, orders: Sequence[int] = ORDERS) -> Array:
    """Sentence BLEU of each line among all references at once.

    Uniform weights; a count of 0 becomes 0.1 (Chen & Cherry 2014, method 1); the brevity penalty is of the reference
    nearest in length. The same as nltk's `sentence_bleu` with `SmoothingFunction().method1`, one table serving all
    lines.

    Args:
        lines: N of them.
        references: at least one. The more there are, the higher the score, so that only equal numbers compare.
        orders: the largest n-gram of each score.

    Returns:
        (N, orders), in 0..1.

    Raises:
        InputError: there is no reference.
    """
    if not references:
        raise InputError("BLEU needs references, and there is no sentence to compare with; give at least one.")
    table = _Table(references, max(orders))
    return np.array([table.score(line, orders) for line in lines]).reshape(-1, len(orders))


def self_bleu(lines: Lines, orders: Sequence[int] = ORDERS) -> Array:
    """Sentence BLEU of each line among all *other* lines; 1 for equal lines, near 0 where no two share words.

    A line that stays among its own references always scores 1, as in several published programs.

    Args:
        lines: N of them, at least two.
        orders: the largest n-gram of each score.

    Returns:
        (N, orders), in 0..1.

    Raises:
        InputError: there is one line or none.
    """
    if len(lines) < 2:
        raise InputError(f"self-BLEU compares sentences with one another, and there are {len(lines)}; give at least 2.")
    table = _Table(lines, max(orders))
    return np.array([table.score(line, orders, owner) for owner, line in enumerate(lines)])


class _Table:
    """How often any of many references has each n-gram at most, and at most without any one of them."""

    def __init__(self, references: Lines, most: int) -> None:
        # n-gram -> (largest count, the reference that has it, second largest count)
        self.counts: dict[Line, tuple[int, int, int]] = {}
        for owner, line in enumerate(references):
            for gram, count in Counter(_all_ngrams(line, most)).items():
                largest, whose, second = self.counts.get(gram, (0, -1, 0))
                if count > largest:
                    self.counts[gram] = count, owner, largest
                elif count > second:
                    self.counts[gram] = largest, whose, count
        self.lengths = Counter(map(len, references))

    def score(self, line: Line, orders: Sequence[int], without: int = -1) -> list[float]:
        """BLEU of each order, `without` one reference, which is then the line itself."""
        if not line:
            return [0.0] * len(orders)
        logs, total = [0.0], 0.0
        for n in range(1, max(orders) + 1):
            found = Counter(ngrams(line, n))
            matched = sum(min(count, self._most(gram, without)) for gram, count in found.items())
            if n == 1 and not matched:
                return [0.0] * len(orders)
            total += math.log((matched or EPSILON) / max(1, len(line) - n + 1))
            logs.append(total)
        nearest = self._nearest_length(len(line), without >= 0)
        brevity = min(0.0, 1 - nearest / len(line))
        return [math.exp(brevity + logs[n] / n) for n in orders]

    def _most(self, gram: Line, without: int) -> int:
        largest, whose, second = self.counts.get(gram, (0, -1, 0))
        return second if whose == without and without >= 0 else largest

    def _nearest_length(self, length: int, without_one: bool) -> int:
        """The shorter one of two that are equally near."""
        known = (one for one, count in self.lengths.items() if one != length or count > without_one)
        return min(known, key=lambda one: (abs(one - length), one))


def _all_ngrams(line: Line, most: int) -> Iterator[Line]:
    for n in range(1, most + 1):
        yield from ngrams(line, n)
