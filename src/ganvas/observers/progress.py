"""The live progress line: images, rate, time left, loss terms, fraction of time spent waiting for data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ganvas.training.observer import Observer
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

SECONDS = 0.5  # between refreshes; reading a loss synchronizes with the device


class ProgressLine(Observer):
    """A progress bar on a terminal; elsewhere a line at every tenth of the run."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[now]}"),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            auto_refresh=False,
        )

    def start(self, run: Run) -> None:
        """Show the bar."""
        self.began = self.refreshed_at = time.perf_counter()
        self.first = self.tenth = run.images_seen
        if self.console.is_terminal:
            self.bar.start()
        self.task = self.bar.add_task("training", total=run.recipe.images, completed=run.images_seen, now="")

    def step(self, run: Run, report: Report) -> None:
        """Refresh the line if due."""
        now = time.perf_counter()
        if now - self.refreshed_at < SECONDS:
            return
        self.refreshed_at = now
        line = self._line(report, now - self.began)
        if self.console.is_terminal:
            self.bar.update(self.task, completed=min(report.images_seen, run.recipe.images), now=line, refresh=True)
        elif (report.images_seen - self.tenth) * 10 >= run.recipe.images:
            self.tenth = report.images_seen
            self.console.print(
                f"{report.images_seen / run.recipe.images:4.0%} of {run.recipe.images:,} images, {line}", soft_wrap=True
            )

    def end(self, run: Run) -> None:
        """Complete the bar and stop it."""
        self.bar.update(self.task, completed=min(run.images_seen, run.recipe.images))
        self.close()

    def close(self) -> None:
        """Stop the bar as it is; also called after an error."""
        if self.bar.live.is_started:
            self.bar.stop()

    def _line(self, report: Report, seconds: float) -> str:
        terms = "  ".join(f"{name} {float(term):.3f}" for name, term in report.terms.items())
        rate = (report.images_seen - self.first) / seconds
        return f"{rate:,.0f} img/s  {terms}  data wait {report.waited / seconds:.1%}"
