"""Progress of a whole job by pixels: the share done, the time left, seconds per megapixel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from ganvas.progress import Bar


class JobProgress:
    """A progress bar on a terminal; elsewhere lines, on stderr every half minute."""

    def __init__(self, console: Console, errors: Console, growth: float, doing: str) -> None:
        """`growth` and `doing` are those of an `Operation`."""
        self.console, self.errors, self.growth = console, errors, growth
        self.bar = Bar(console) if console.is_terminal else Bar(errors, draw=False)
        self.task = self.bar.add(doing, 1)
        self.files = self.finished = 0

    def start(self, megapixels: float, files: int) -> None:
        """Show the bar for a job of this size."""
        self.files, self.began = files, time.perf_counter()
        self.bar.update(self.task, total=max(megapixels, 1e-9))
        if files:
            self.bar.start()

    @contextmanager
    def file(self, megapixels: float) -> Iterator[Callable[[float], None]]:
        """Process one file of the job; call the yielded function with the share of it that is done."""
        before = self.bar.tasks[0].completed

        def on_progress(share: float) -> None:
            done = before + megapixels * share
            rate = (time.perf_counter() - self.began) / (done * self.growth) if done else 0
            now = [f"file {self.finished + 1} of {self.files}", f"{rate:.2f} s/MP"]
            self.bar.update(self.task, completed=done, details=now)

        try:
            yield on_progress
        finally:
            self.finished += 1
            self.bar.update(self.task, completed=before + megapixels)

    def report(self, line: str, error: bool = False) -> None:
        """Print a line above the bar; without a bar, errors go to stderr."""
        console = self.errors if error and not self.bar.live.is_started else self.console
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Remove the bar."""
        self.bar.stop()
