"""Warns when adaptive augmentation reaches its cap, beyond which it would leak into the fakes."""

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
    """Warns once per run."""

    def __init__(self, folder: RunFolder, console: Console, every: int) -> None:
        self.folder, self.console, self.every = folder, console, every

    def start(self, run: Run) -> None:
        """Check whether the run has already been warned about."""
        self.images_seen, self.target = run.images_seen, run.recipe.augment.target
        self.warned = any(event["event"] == EVENT for event in self.folder.read_events())

    def step(self, run: Run, report: Report) -> None:
        """Check the probability if due."""
        before, self.images_seen = self.images_seen, report.images_seen
        if self.warned or "augment/p" not in report.terms or not due(self.every, before, self.images_seen):
            return
        sign = report.terms.get("d/sign", self.target)  # a run may start at the cap, before D is sure of anything
        if float(report.terms["augment/p"]) < CAP - 1e-6 or float(sign) <= self.target:  # p is in fp32
            return
        self.warned = True
        sentence = (
            f"image {report.images_seen:,}: the augmentation has reached its cap of {CAP}, but D still overfits, and"
            " more would leak into the fakes; add images, stop near the best state (--watch.stop-when-past-best 0.1),"
            " or make D narrower."
        )
        self.folder.add_event(EVENT, images=report.images_seen, sentence=sentence)
        self.console.print(sentence, style="yellow", highlight=False, soft_wrap=True)
