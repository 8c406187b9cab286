"""Saves a run: the last two states, those to be kept for good, the best, and in the end the model."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

NEWEST = 2  # if the last file is truncated or corrupted, the one before remains


class Checkpoints(Observer):
    """Saves complete states at intervals of time and of images seen, and at the end."""

    vital = True

    def __init__(
        self,
        folder: RunFolder,
        about: dict[str, Any],
        seconds: float,
        keep_every: int,
        finish: Callable[[], object],
        pretrain: int = 0,
    ) -> None:
        """`finish` writes the model, if the run is finished; the state after `pretrain` images is kept, too."""
        self.folder, self.about, self.seconds, self.keep_every = folder, about, seconds, keep_every
        self.finish, self.pretrain = finish, pretrain

    def start(self, run: Run) -> None:
        """Start the clock."""
        self.saved_at, self.images_seen = time.monotonic(), run.images_seen

    def step(self, run: Run, report: Report) -> None:
        """Save if due."""
        before, self.images_seen = self.images_seen, report.images_seen
        if due(self.keep_every, before, self.images_seen):
            self.save(run, f"kept-{self.images_seen:012d}")
        if before < self.pretrain <= self.images_seen:
            self.save(run, self.folder.pretrained.stem)
        if time.monotonic() - self.saved_at >= self.seconds:
            self.save_last(run)

    def end(self, run: Run) -> None:
        """Save the last state and the model, before anything else can fail."""
        self.save_last(run)
        self.finish()

    def save_last(self, run: Run) -> None:
        """Save the state, named after its count of images, and delete all but the newest ones."""
        self.save(run, f"{run.images_seen:012d}")
        for old in self.folder.states()[NEWEST:]:
            old.unlink()
        self.saved_at = time.monotonic()

    def save(self, run: Run, name: str) -> None:
        """Save the state as `name`, unless its weights are not finite."""
        if run.is_finite():
            path = self.folder.checkpoints / f"{name}.safetensors"
            checkpoint.save(path, run.state_dict(), {**self.about, **run.notes()})
