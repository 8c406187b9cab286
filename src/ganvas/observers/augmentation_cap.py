"""Says when an augmentation that adapts has come to its cap, beyond which the fakes would show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from ganvas.recipe import CAP
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

EVENT = "augmentation-at-cap"


class AugmentationCap(Observer):
    """Tells it once in a run."""

    def __init__(self, folder: RunFolder, console: Console, every: int) -> None:
        self.folder, self.console, self.every = folder, console, every

    def start(self, run: Run) -> None:
        """Recall whether it was told."""
        self.images_seen, self.target = run.images_seen, run.recipe.augment.target
        self.told = any(event["event"] == EVENT for event in self.folder.read_events())

    def step(self, run: Run, report: Report) -> None:
        """Look at the probability where due."""
        before, self.images_seen = self.images_seen, report.images_seen
        if self.told or "augment/p" not in report.terms or not due(self.every, before, self.images_seen):
            return
        sure = report.terms.get("d/sign", self.target)  # a run may begin at the cap, before D is sure of anything
        if float(report.terms["augment/p"]) < CAP - 1e-6 or float(sure) <= self.target:  # p is an fp32
            return
        self.told = True
        sentence = (
            f"image {report.images_seen:,}: the augmentation has come to its cap of {CAP} and D is still sure of its"
            " reals; more of it would leak into the fakes, so bring more pictures, end the run near its best"
            " (--watch.stop-when-past-best 0.1), or make D narrower."
        )
        self.folder.add_event(EVENT, images=report.images_seen, sentence=sentence)
        self.console.print(sentence, style="yellow", highlight=False, soft_wrap=True)
