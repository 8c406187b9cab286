"""What is searched, and at what cost: a value, without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ganvas.errors import InputError
from ganvas.metrics.extractors import expect_known


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is tried, and at what cost."""

    factors: tuple[float, ...] = (0.25, 1.0, 4.0)
    """Factors of both learning rates, and of the strength of the penalties; 1 is always tried."""
    images: int = 0
    """Real images of each first trial, the finalists see three times as many; 0 is a fiftieth of the run, and at least
    200 rounds."""
    seeds: int = 2
    """Seeds of every finalist, counted from the recipe's own; the first trials use only that one."""
    extractor: str = "efficientnet-lite0"
    """Network whose features the KID compares: efficientnet-lite0, digits, inception."""

    def __post_init__(self) -> None:
        if any(not math.isfinite(factor) or factor <= 0 for factor in self.factors):
            raise InputError(
                f"--search.factors {' '.join(f'{factor:g}' for factor in self.factors)} must all be above 0; use e.g."
                " 0.25 1 4."
            )
        if self.images < 0 or self.seeds < 1:
            raise InputError(
                f"--search.images {self.images} and --search.seeds {self.seeds} must be at least 0 (a fiftieth of the"
                " run) and at least 1 seed."
            )
        expect_known(self.extractor)
