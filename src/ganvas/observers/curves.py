"""Draws curves.png: the loss terms and the first measure of validation over real images seen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ganvas.runs.curves import draw
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

SECONDS = 120.0  # between updates; drawing takes about half a second


class Curves(Observer):
    """Redraws the curves at intervals and at the end."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def start(self, run: Run) -> None:
        """Start the clock."""
        self.drawn_at = time.monotonic()

    def step(self, run: Run, report: Report) -> None:
        """Redraw if due."""
        if time.monotonic() - self.drawn_at >= SECONDS:
            self.end(run)
            self.drawn_at = time.monotonic()

    def end(self, run: Run) -> None:
        """Draw the final curves."""
        draw(self.folder)
