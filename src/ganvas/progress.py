"""Progress of long work: on a terminal one line that fits its width, elsewhere a line at least every half minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import Progress, Task, TaskID, TimeRemainingColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ganvas.terminal import clean

T = TypeVar("T")

# Seconds after which work that is not watched on a terminal says that it goes on, how long a due line is left to the
# work itself, which knows best, before a thread says it, and how often that looks: half a minute at most.
SILENCE, GRACE, LOOKS = 28.0, 1.5, 0.5
WIDEST, NARROWEST = 24, 4  # cells of the bar
LEFT = "left "


class Bar(Progress):
    """The bars of some work, one line for each task: description, bar, share done, time left, and details.

    Where a line is too wide, the last detail goes first, then the bar, then the other details, the last first, and then
    the description. What is done always stays, and the time left where both fit.
    """

    def __init__(
        self,
        console: Console,
        *,
        show: bool = True,
        draw: bool | None = None,
        transient: bool = True,
        refresh: bool = True,
    ) -> None:
        """Make the bars of work that has not begun.

        Args:
            show: whether to say anything.
            draw: draw bars instead of printing lines; by default on a terminal.
            transient: remove the bars from the terminal at the end.
            refresh: draw them by a thread of their own; otherwise when `update` says so.
        """
        draw = show and (console.is_terminal if draw is None else draw)
        self.speaks = show and not draw
        self.said_at = time.monotonic()
        self.speaker = threading.Thread(target=self._speak, daemon=True) if self.speaks else None
        self.ended = threading.Event()
        super().__init__(console=console, auto_refresh=refresh, transient=transient, disable=not draw)

    def start(self) -> None:
        """As of rich."""
        super().start()
        if self.speaker and not self.speaker.is_alive():
            self.speaker.start()

    def stop(self) -> None:
        """As of rich, but once."""
        self.ended.set()
        if self.live.is_started:
            super().stop()

    def add(self, description: str, total: float, *, counts: bool = False, completed: int = 0) -> TaskID:
        """Add a task.

        Args:
            counts: show how many are done instead of a percentage.
            completed: how many are done already.
        """
        return self.add_task(clean(description), total=total, completed=completed, counts=counts, details=())

    def update(self, task_id: TaskID, **changes: Any) -> None:
        """As of rich; `details` are texts, the most important first."""
        super().update(task_id, **changes)
        self._say(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """As of rich."""
        super().advance(task_id, advance)
        self._say(task_id)

    def track_each(self, items: Iterable[T], description: str, total: int) -> Iterator[T]:
        """The items, counted as they are taken."""
        with self:
            task = self.add(description, total, counts=True)
            for item in items:
                yield item
                self.advance(task)

    @property
    def is_due(self) -> bool:
        """Whether a line has to be said where there is no terminal."""
        return self._is_silent(SILENCE)

    def say(self, line: str) -> None:
        """Print a line, and start the clock of silence again."""
        self.said_at = time.monotonic()
        self.console.print(clean(line), markup=False, highlight=False, soft_wrap=True)

    def get_renderables(self) -> Iterable[RenderableType]:
        """A line for each task."""
        yield from (_Line(task) for task in self.tasks if task.visible)

    def _is_silent(self, seconds: float) -> bool:
        return self.speaks and time.monotonic() - self.said_at >= seconds

    def _speak(self) -> None:
        """Say that the task at hand goes on, however long its next step takes."""
        while not self.ended.wait(LOOKS):
            if self._is_silent(SILENCE + GRACE) and self.tasks:
                self._say(next((task for task in self.tasks if not task.finished), self.tasks[-1]).id)

    def _say(self, task_id: TaskID) -> None:
        with self._lock:
            if self.is_due:
                task = self._tasks[task_id]
                self.say(", ".join([f"{task.description} {_done(task)}", *_details(task), _left(task)]))


class _Line:
    def __init__(self, task: Task) -> None:
        self.task = task

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        task, details = self.task, list(_details(self.task))
        fixed = [task.description, _done(task), _left(task)]

        def room() -> int:
            return options.max_width - sum(len(text) + 2 for text in (*fixed, *details)) + 2

        if details and room() - 2 < WIDEST:
            details.pop()
        bar = min(WIDEST, room() - 2)
        while details and room() < 0:
            details.pop()
        for shorter in (fixed[1:], [fixed[1], fixed[2].removeprefix(LEFT)], [fixed[1]]):
            fixed = shorter if room() < 0 else fixed
        cells: list[RenderableType] = [Text(text, no_wrap=True, overflow="crop") for text in (*fixed, *details)]
        if bar >= NARROWEST:
            total = None if task.total is None else max(task.total, 1e-9)
            cells.insert(
                1, ProgressBar(total=total, completed=max(0, task.completed), width=bar, pulse=not task.started)
            )
        line = Table.grid(padding=(0, 2, 0, 0))
        for _ in cells:
            line.add_column(no_wrap=True)
        line.add_row(*cells)
        yield line


def _details(task: Task) -> Sequence[str]:
    return [text for text in task.fields.get("details", ()) if text]


def _done(task: Task) -> str:
    if task.fields.get("counts") and task.total is not None:
        return f"{task.completed:,.0f}/{task.total:,.0f}"
    return f"{task.percentage:3.0f}%"


def _left(task: Task) -> str:
    return f"{LEFT}{TimeRemainingColumn(elapsed_when_finished=False).render(task).plain}"
