"""Says once, soon after the start, how long a long run will take, and how to shorten it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console

from ganvas.training.observer import Observer
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

AFTER = 5.0  # seconds of training, without the first round, which is slower
LONG = 600  # seconds from which a run is worth a forecast


class Forecast(Observer):
    """One line with the time to the end."""

    def __init__(self, console: Console, epoch: int) -> None:
        """`epoch` is the number of samples that are trained on."""
        self.console, self.epoch = console, epoch

    def start(self, run: Run) -> None:
        """Forget any earlier start."""
        self.began, self.first, self.done = 0.0, 0, False

    def step(self, run: Run, report: Report) -> None:
        """Print the line once the rate is known."""
        if self.done:
            return
        now = time.perf_counter()
        if not self.began:
            self.began, self.first = now, report.images_seen
        elif now - self.began >= AFTER:
            self.done = True
            rate = (report.images_seen - self.first) / (now - self.began)
            left = (run.recipe.images - report.images_seen) / rate
            if left >= LONG:
                self.console.print(
                    f"about {_hours(left)} to the end, {_hours(self.epoch / rate)} an epoch; to shorten the run, stop"
                    " it and repeat the command with --epochs N",
                    highlight=False,
                    soft_wrap=True,
                )


def _hours(seconds: float) -> str:
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
