"""Measures the distance of fakes to reals as the run goes, so that the best state is known and kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from ganvas.imaging.tensors import from_pixels
from ganvas.metrics.sliced_wasserstein import project, sliced_wasserstein
from ganvas.observers.samples import sample
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

MEASURE = "swd"
COUNT = 512


class Figure(Observer):
    """A figure of the log that is measured as the run goes, the less the better, by which the best state is known.

    Attributes:
        best: the least so far; infinite before the first.
        low: what the newest is at least, by its interval if it has one; NaN before the first.
    """

    best, low = math.inf, math.nan

    def recall(self, folder: RunFolder, name: str) -> None:
        """Read in the run's log what was measured so far."""
        for line in folder.read_log():
            if name in line:
                self.note(line[name], line.get(f"{name}_low"))

    def note(self, value: float, low: float | None = None) -> bool:
        """Take in a new figure; whether it is the least so far."""
        self.low, before = value if low is None else low, self.best
        self.best = min(before, value)
        return value < before

    @property
    def aged(self) -> float:
        """How many times its least the figure is at least; 1 where no more can be said, NaN before the first.

        The KID is unbiased, so that a good model's may lie below zero.
        """
        return self.low if math.isnan(self.low) else max(1.0, self.low / max(self.best, 1e-9))


class Measure(Figure):
    """Sliced Wasserstein distance of 512 fakes (fixed z) to 512 reals, every `every` images."""

    def __init__(
        self,
        folder: RunFolder,
        reals: Tensor,
        every: int,
        on_best: Callable[[Run], None] | None,
        labels: Sequence[int] | None = None,
    ) -> None:
        """Prepare the reals.

        Args:
            reals: (N, *shape)
            on_best: called whenever the distance is the smallest so far.
            labels: the reals' classes, which the fakes are made of, where the run has classes.
        """
        self.folder, self.every, self.on_best, self.labels = folder, every, on_best, labels
        self.count = len(reals)
        self.reals = project(reals)

    def start(self, run: Run) -> None:
        """Draw the fixed z; recall the distances so far."""
        # Another seed than the sheets': what is shown is not what is judged.
        self.inputs = run.recipe.system.inputs(self.count, run.recipe.seed + 1, self.labels).to(run.device)
        self.images_seen = run.images_seen
        self.recall(self.folder, MEASURE)

    def step(self, run: Run, report: Report) -> None:
        """Measure where due."""
        before, self.images_seen = self.images_seen, report.images_seen
        if due(self.every, before, self.images_seen):
            figures = self.figures(run)
            self.folder.add_log({"images": self.images_seen, **figures, "protocol": f"{self.count} fakes, train"})
            if self.note(figures[MEASURE]) and self.on_best:
                self.on_best(run)

    def figures(self, run: Run) -> dict[str, float]:
        """What is measured of the run, by name; the one called MEASURE decides what is best."""
        fakes = from_pixels(sample(run, self.inputs))
        return {MEASURE: sliced_wasserstein(self.reals, project(fakes))}
