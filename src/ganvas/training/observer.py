"""What may look at a run after every round, and never touches it."""

from __future__ import annotations

from ganvas.training.run import Report, Run


class Observer:
    """Does nothing; override what is of interest.

    Attributes:
        ends: why the run is to end now, with its best state as its model; empty while it may go on.
    """

    ends = ""

    def start(self, run: Run) -> None:
        """Called once before the first round, with the restored state on resume."""

    def step(self, run: Run, report: Report) -> None:
        """Called after every round; must return quickly and must not wait for the device needlessly."""

    def end(self, run: Run) -> None:
        """Called once after the last round, finished or stopped; not when the run diverged."""


def due(every: int, before: int, now: int) -> bool:
    """Whether a multiple of `every` images was reached after `before` and by `now`; never for 0."""
    return every > 0 and now // every > before // every
