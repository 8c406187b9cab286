"""What to observe during a run, and how often; not part of the run's identity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganvas.errors import InputError
from ganvas.metrics.extractors import expect_known

if TYPE_CHECKING:
    from ganvas.recipe.recipe import Recipe

GRIDS = 100  # per run, if written after epochs
APART, FEWEST = 8_192, 16  # in short runs: one costs as much as 40 images of training


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What to observe, and how often. Never changes the weights."""

    log_every: int = 0
    """Images between lines of log.jsonl; 0 is a five-hundredth of the run, or more of a short one."""
    sample_every: int = 0
    """Images between sample grids, in addition to those after each epoch; 0 is none."""
    sample_epochs: int = 1
    """Epochs between sample grids, more where they would be more than 100 or take much of a short run; 0 is none."""
    measure_every: int = 0
    """Images between validations, which select the best state; 0 is a twentieth of the run, or more of a short one."""
    extractor: str = ""
    """Feature extractor for KID (efficientnet-lite0, digits, inception), which then selects the best state."""
    diagnose_every: int = 0
    """Images between snapshots for the diagnosis; 0 is a fiftieth of the run, or more of a short one."""
    remedies: bool = True
    """Suggest flags that help with every verdict."""
    stop_when_past_best: float = 0.0
    """Stop a worsening run once its best state is this fraction of the run ago, and use that state; 0 is never."""
    stop_at_knee: float = 0.0
    """Stop super-resolution once its perception-distortion knee is this fraction of the run ago; 0 is never."""
    checkpoint_seconds: float = 60.0
    """Seconds between checkpoints, the most that a kill can lose."""
    keep_every: int = 0
    """Images between checkpoints that are never deleted; 0 is none."""
    grid: tuple[int, int] = (8, 8)
    """Rows and columns of a sample grid."""
    tensorboard: bool = False
    """TensorBoard output in the run folder (requires pip install 'ganvas[track]')."""

    def __post_init__(self) -> None:
        counts = (
            self.log_every,
            self.sample_every,
            self.sample_epochs,
            self.measure_every,
            self.diagnose_every,
            self.keep_every,
        )
        if min(counts) < 0 or self.checkpoint_seconds < 0:
            raise InputError("an interval of --watch is negative; use a positive value, or 0 for the default.")
        if not 0 <= self.stop_when_past_best < 1:
            raise InputError(
                f"--watch.stop-when-past-best must be at least 0 (never) and below 1; got {self.stop_when_past_best}."
            )
        if not 0 <= self.stop_at_knee < 1:
            raise InputError(f"--watch.stop-at-knee must be at least 0 (never) and below 1; got {self.stop_at_knee}.")
        if self.extractor:
            expect_known(self.extractor)
        if min(self.grid) < 1:
            raise InputError(
                f"--watch.grid {self.grid[0]} {self.grid[1]} has no images; use at least 1 row and 1 column, such as"
                " 5 5."
            )

    def grid_intervals(self, epoch: int, images: int, most: int = GRIDS) -> tuple[int, int]:
        """Images between sample grids, by `sample_every` and by `sample_epochs`; 0 is none.

        Args:
            epoch: number of training images.
            images: length of the run.
            most: grids of the whole run, where `sample_epochs` would give more.
        """
        epochs = self.sample_epochs * epoch
        # Small datasets have short epochs: thousands of grids would take longer than the training.
        apart = _apart(images, most, APART, FEWEST)
        return self.sample_every, epochs * max(1, math.ceil(apart / epochs)) if epochs else 0


def looks_every(recipe: Recipe, count: int, apart: int, least: int) -> int:
    """Real images between looks at a run: `count` looks, in a short run fewer, so that they are `apart` images apart.

    Counted in images and not in seconds, so that a run repeated has the same log. There are `least` at any rate, and
    never two to a batch.
    """
    return max(recipe.batch_size, _apart(recipe.images, count, apart, least))


def _apart(images: int, count: int, apart: int, least: int) -> int:
    return max(images // count, min(apart, images // least))
