"""Says where the augmentation comes so often that the fakes will show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from ganvas.observers import Observer, Report, due
from ganvas.ramp import ends
from ganvas.recipe import CAP
from ganvas.runs.folder import RunFolder

if TYPE_CHECKING:
    from ganvas.training.run import Run

EVENT = "leaking-augmentation"


class Leaks(Observer):
    """Warns before the first round of a recipe's probability, and once when one that adapts has come to its cap."""

    def __init__(self, folder: RunFolder, console: Console, every: int) -> None:
        self.folder, self.console, self.every = folder, console, every

    def start(self, run: Run) -> None:
        """Look at the recipe."""
        self.images = run.images
        self.told = any(event["event"] == EVENT for event in self.folder.read_events())
        augment = run.recipe.augment
        if augment.leaks and not self.told:
            self._tell(
                run.images,
                max(ends(augment.differentiable)),
                f"--augment.differentiable {augment.differentiable} is above {CAP}: with {' '.join(augment.policy)} so"
                " few pictures then stay as they are that G cannot tell which were changed, and makes changed ones;"
                f" give {CAP} or less, or let it adapt with --augment.target 0.6.",
            )

    def step(self, run: Run, report: Report) -> None:
        """Look at the probability where due."""
        before, self.images = self.images, report.images
        if self.told or "augment/p" not in report.terms or not due(self.every, before, self.images):
            return
        chance = float(report.terms["augment/p"])
        if chance >= CAP - 1e-6:  # an fp32
            self._tell(
                report.images,
                chance,
                f"image {report.images:,}: the augmentation has come to its cap of {CAP} and D is still sure of its"
                " reals; more of it would leak into the fakes, so bring more pictures, end the run near its best"
                " (--watch.stop-when-past-best 0.1), or make D narrower.",
            )

    def _tell(self, images: int, chance: float, sentence: str) -> None:
        self.told = True
        self.folder.add_event(EVENT, images=images, p=chance, sentence=sentence)
        self.console.print(sentence, style="yellow", highlight=False, soft_wrap=True)
