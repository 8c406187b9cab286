"""What a search is asked for: a value."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ganvas.errors import InputError
from ganvas.metrics.extractors import expect_known


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is tried, and at what cost."""

    factors: tuple[float, ...] = (0.25, 1.0, 4.0)
    """By these both learning rates are multiplied, and by these the strength of the penalties; 1 is always tried."""
    images: int = 0
    """Real images of each first probe, the finalists see three times as many; 0 is a fiftieth of the run, and 200
    rounds at least."""
    seeds: int = 2
    """Of every finalist, from the recipe's own on; the first probes have that one alone."""
    extractor: str = "efficientnet-lite0"
    """Network on whose features the KID is measured: efficientnet-lite0, digits, inception."""

    def __post_init__(self) -> None:
        if any(not math.isfinite(factor) or factor <= 0 for factor in self.factors):
            raise InputError(
                f"--search.factors {' '.join(f'{factor:g}' for factor in self.factors)} must all be numbers above 0;"
                " give e.g. 0.25 1 4."
            )
        if self.images < 0 or self.seeds < 1:
            raise InputError(
                f"a search of {self.images} images a probe with {self.seeds} seeds cannot be; give 0 (a fiftieth of the"
                " run) or more images, and at least 1 seed."
            )
        expect_known(self.extractor)
