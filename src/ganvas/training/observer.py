"""The interface of observers, which read a run after every round and never change it."""

from __future__ import annotations

from ganvas.training.run import Report, Run


class Observer:
    """An observer that does nothing; override the methods of interest.

    Attributes:
        ends: the reason for ending the run now, with its best state as the model; empty to continue.
        vital: whether the run must not go on without it. Of any other, an error leaves it out of the rest of the run.
    """

    ends = ""
    vital = False

    def start(self, run: Run) -> None:
        """Called once before the first round, on resume with the restored state."""

    def step(self, run: Run, report: Report) -> None:
        """Called after every round; must return quickly and avoid synchronizing with the device."""

    def end(self, run: Run) -> None:
        """Called once after the last round of a finished or stopped run, but not if the run diverged.

        What is vital comes first.
        """

    def close(self) -> None:
        """Called last, however the run ended, to let go of what is open; an error is ignored."""


def due(every: int, before: int, now: int) -> bool:
    """Whether a multiple of `every` images lies in (before, now]; False if `every` is 0."""
    return every > 0 and now // every > before // every
