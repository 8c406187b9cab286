"""Looks at the game now and then, logs what it sees, and says when the verdict changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganvas.diagnosis.signals import Probe
from ganvas.observers import Observer, Report, due
from ganvas.runs.folder import RunFolder

if TYPE_CHECKING:
    from ganvas.training.run import Run


class Diagnose(Observer):
    """One look every `every` images."""

    def __init__(self, folder: RunFolder, every: int, probe: Probe) -> None:
        self.folder, self.every, self.probe = folder, every, probe

    def start(self, run: Run) -> None:
        """Count from where the run stands."""
        self.images = run.images

    def step(self, run: Run, report: Report) -> None:
        """Look where due."""
        before, self.images = self.images, report.images
        if due(self.every, before, self.images):
            signals = self.probe.look(run.g, run.d)
            self.folder.add_log({"images": self.images, "signals": signals})
