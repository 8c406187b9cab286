"""Copied lines: are fakes lines of the training text, word for word?"""

from __future__ import annotations

from ganvas.metrics.intervals import Estimate, mean
from ganvas.metrics.measure import Evidence, Quantity
from ganvas.metrics.sentence_measure import Scores, SentenceMeasure
from ganvas.metrics.sentences import Lines


class CopiedLines(SentenceMeasure):
    """Beside the same share of held-out lines: short ones are said twice without anybody copying."""

    name, order = "copied-lines", 125
    gives = (Quantity("copied lines", least=0, most=1),)

    def score(self, lines: Lines, x: Evidence) -> Scores:
        """One figure."""
        yield "copied lines", copied(lines, x.of_text.training, x.seed)

    def real(self, x: Evidence) -> Scores:
        """Of held-out lines, since all of the control are lines of the training text."""
        return self.score(x.of_text.reals, x)


def copied(lines: Lines, training: Lines, seed: int = 0) -> Estimate:
    """Share of lines that are among the training lines, word for word."""
    known = set(training)
    return mean([line in known for line in lines], seed)
