"""The live progress line: images, time left, rate, loss terms, fraction of time spent waiting for data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console

from ganvas.progress import Bar
from ganvas.training.observer import Observer
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

SECONDS = 0.5  # between refreshes; reading a loss synchronizes with the device


class ProgressLine(Observer):
    """A progress bar on a terminal; elsewhere a line at every tenth of the run, and at least every half minute."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Bar(console, transient=False, refresh=False)

    def start(self, run: Run) -> None:
        """Show the bar."""
        self.began = self.refreshed_at = time.perf_counter()
        self.first = self.tenth = run.images_seen
        self.bar.start()
        self.task = self.bar.add("training", run.recipe.images, completed=run.images_seen)

    def step(self, run: Run, report: Report) -> None:
        """Refresh the line if due."""
        now = time.perf_counter()
        if now - self.refreshed_at < SECONDS:
            return
        self.refreshed_at = now
        images, details = run.recipe.images, []
        if self.console.is_terminal:
            details = self._details(report, now - self.began)
        elif self.bar.is_due or (report.images_seen - self.tenth) * 10 >= images:
            self.tenth = report.images_seen
            said = "  ".join(self._details(report, now - self.began))
            self.bar.say(f"{min(1.0, report.images_seen / images):4.0%} of {images:,} images, {said}")
        self.bar.update(self.task, completed=min(report.images_seen, images), details=details, refresh=True)

    def end(self, run: Run) -> None:
        """Complete the bar and stop it."""
        self.bar.update(self.task, completed=min(run.images_seen, run.recipe.images))
        self.close()

    def close(self) -> None:
        """Stop the bar as it is."""
        self.bar.stop()

    def _details(self, report: Report, seconds: float) -> list[str]:
        terms = [f"{name} {float(term):.3f}" for name, term in report.terms.items()]
        rate = (report.images_seen - self.first) / seconds
        speed = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
        return [f"{speed} img/s", *terms, f"data wait {report.waited / seconds:.1%}"]
