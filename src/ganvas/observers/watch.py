"""What to look at, and how often: a value, and no part of a run's identity."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ganvas.errors import InputError
from ganvas.metrics.extractors import expect_known

MOST_SHEETS = 400  # of a run at most, where there is one after every epoch


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What to look at, and how often. Never changes the weights."""

    log_every: int = 0
    """Images between lines of log.jsonl; 0 is a five-hundredth of the run."""
    sample_every: int = 0
    """Images between sample sheets, besides those after each epoch; 0 is none."""
    sample_epochs: int = 1
    """Epochs between sample sheets, more of them in a run that would write over 400; 0 is none."""
    measure_every: int = 0
    """Images between measurements of the distance to the real pictures, by which the best is kept; 0 is a twentieth of
    the run."""
    extractor: str = ""
    """Also measure the KID on the features of this network (efficientnet-lite0, digits, inception), by which the best
    is then kept; empty is not."""
    diagnose_every: int = 0
    """Images between looks at the game for the diagnosis; 0 is a fiftieth of the run."""
    remedies: bool = True
    """Say with a verdict which flags of ganvas train help."""
    stop_when_past_best: float = 0.0
    """End a run that only gets worse, once its best lies this share of the whole run back (0.2 is a fifth), with the
    best state as its model; 0 is never."""
    stop_at_knee: float = 0.0
    """End a run of super-resolution once its knee, beyond which looking better no longer pays for the error it brings,
    lies this share of the whole run back (0.2 is a fifth), with the knee's state as its model; 0 is never."""
    checkpoint_seconds: float = 60.0
    """Seconds between checkpoints; a kill loses at most these."""
    keep_every: int = 0
    """Images between checkpoints that are kept for good; 0 is none."""
    grid: tuple[int, int] = (8, 8)
    """Rows and columns of a sample sheet."""
    tensorboard: bool = False
    """Write TensorBoard files into the run (needs the extra: pip install 'ganvas[track]')."""

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
            raise InputError("an interval of --watch is negative; give a positive one, or 0 for the default.")
        if not 0 <= self.stop_when_past_best < 1:
            raise InputError(
                f"--watch.stop-when-past-best {self.stop_when_past_best} is no share of the run; give 0 (never) to 1."
            )
        if not 0 <= self.stop_at_knee < 1:
            raise InputError(f"--watch.stop-at-knee {self.stop_at_knee} is no share of the run; give 0 (never) to 1.")
        if self.extractor:
            expect_known(self.extractor)
        if min(self.grid) < 1:
            raise InputError(f"--watch.grid {self.grid[0]} {self.grid[1]} has no pictures; give e.g. 5 5.")

    def sheet_intervals(self, epoch: int, images: int) -> tuple[int, int]:
        """Images between sample sheets, by `sample_every` and by `sample_epochs`; 0 is none.

        Args:
            epoch: pictures trained on.
            images: length of the run.
        """
        epochs = self.sample_epochs * epoch
        # Few pictures make short epochs: a sheet for each of thousands would take longer than the training.
        return self.sample_every, epochs * max(1, math.ceil(images / (MOST_SHEETS * epochs))) if epochs else 0
