"""How far a whole job is, by pixels: the share done, the time left, seconds a megapixel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Progress:
    """A bar on a terminal; elsewhere the lines alone.

    Attributes:
        console: where the bar and the lines go.
        errors: where what went wrong goes.
    """

    def __init__(self, console: Console, errors: Console, grow: float = 1) -> None:
        """`grow`: pixels of the result for each of the photo."""
        self.console, self.errors, self.grow = console, errors, grow
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[now]}"),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            transient=True,
        )
        self.total = self.done = 0.0
        self.files = self.finished = 0

    def start(self, megapixels: float, files: int) -> None:
        """Show the bar for a job of so many megapixels."""
        self.total, self.files, self.began = megapixels, files, time.perf_counter()
        self.task = self.bar.add_task("enlarging", total=max(megapixels, 1e-9), now="")
        if self.console.is_terminal and files:
            self.bar.start()

    @contextmanager
    def file(self, megapixels: float) -> Iterator[Callable[[float], None]]:
        """One file of the job; what is yielded is to be called with the share of it that is done."""
        before = self.done

        def tell(share: float) -> None:
            self.done = before + megapixels * share
            made = self.done * self.grow
            rate = (time.perf_counter() - self.began) / made if made else 0
            now = f"file {self.finished + 1} of {self.files}, {rate:.2f} s/MP"
            self.bar.update(self.task, completed=self.done, now=now)

        try:
            yield tell
        finally:
            self.done, self.finished = before + megapixels, self.finished + 1
            self.bar.update(self.task, completed=self.done)

    def say(self, line: str, bad: bool = False) -> None:
        """Print a line above the bar."""
        console = self.errors if bad and not self.bar.live.is_started else self.console
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar away."""
        if self.bar.live.is_started:
            self.bar.stop()
