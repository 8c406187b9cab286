"""Distinct n-grams and repeats: how much of what is generated says the same again.

Li et al. 2016 (A Diversity-Promoting Objective Function for Neural Conversation Models, arXiv:1510.03055, section 5.2).
"""

from __future__ import annotations

from ganvas.errors import InputError
from ganvas.metrics.measure import Evidence, Quantity
from ganvas.metrics.sentence_measure import Scores, SentenceMeasure
from ganvas.metrics.sentences import Lines, ngrams

ORDERS = (1, 2, 3)


class Distinct(SentenceMeasure):
    """Both fall as samples grow, so that only equal counts compare."""

    name, order = "distinct", 124
    gives = (
        *(Quantity(f"distinct-{n}", least=0, most=1) for n in ORDERS),
        Quantity("repeats", higher_is_better=False, least=0, most=1),
    )

    def score(self, lines: Lines, x: Evidence) -> Scores:
        """Four figures, without intervals: resampled lines would repeat."""
        for n in ORDERS:
            yield f"distinct-{n}", distinct(lines, n)
        yield "repeats", repeats(lines)


def distinct(lines: Lines, n: int) -> float:
    """Different n-grams of all lines together, as a share of all their n-grams; 0 where there is none."""
    grams = [gram for line in lines for gram in ngrams(line, n)]
    return len(set(grams)) / max(1, len(grams))


def repeats(lines: Lines) -> float:
    """Share of lines that are the same as an earlier one.

    Raises:
        InputError: there is no line.
    """
    if not lines:
        raise InputError("no sentence repeats where there is none; give at least one.")
    return 1 - len(set(lines)) / len(lines)
