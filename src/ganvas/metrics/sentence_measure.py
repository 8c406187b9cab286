"""What all measures of text share: the row of real text beside every figure."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import Estimate
from ganvas.metrics.measure import Evidence, Measure
from ganvas.metrics.sentences import Lines

Scores = Iterable[tuple[str, Estimate | float]]
"""Names of quantities, and their values."""


class SentenceMeasure(Measure):
    """Something that is measured of sentences, and of real ones in their place: without these it says little."""

    needs = frozenset({"text"})

    def is_default(self, x: Evidence) -> bool:
        """Wherever samples are sentences."""
        return x.text is not None

    @abstractmethod
    def score(self, lines: Lines, x: Evidence) -> Scores:
        """The values of `gives` for lines in the fakes' place."""

    def real(self, x: Evidence) -> Scores:
        """The same for real text; by default for the control."""
        return self.score(x.of_text.control, x)

    def about(self) -> dict[str, Any]:
        """What the protocol says of the measure itself."""
        return {}

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """All of `gives`, each with the value of real text."""
        protocol = {**self.about(), **x.protocol}
        reals = {name: found.value if isinstance(found, Estimate) else found for name, found in self.real(x)}
        found = self.score(x.of_text.fakes, x)
        return [self.figure(name, value, protocol, real=reals.get(name)) for name, value in found]
