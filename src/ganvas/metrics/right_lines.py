"""Right lines: the share of sentences that keep the rule of a synthetic text."""

from __future__ import annotations

from ganvas.metrics.intervals import mean
from ganvas.metrics.measure import Evidence, Quantity
from ganvas.metrics.sentence_measure import Scores, SentenceMeasure
from ganvas.metrics.sentences import Lines


class RightLines(SentenceMeasure):
    """Of texts whose rule is known, such as counting."""

    name, order = "right", 128
    gives = (Quantity("right lines", higher_is_better=True, least=0, most=1),)
    needs = frozenset({"text", "rule"})

    def is_default(self, x: Evidence) -> bool:
        """Wherever there is a rule."""
        return x.rule is not None

    def score(self, lines: Lines, x: Evidence) -> Scores:
        """One figure."""
        assert x.rule is not None
        yield "right lines", mean([x.rule(line) for line in lines], x.seed)
