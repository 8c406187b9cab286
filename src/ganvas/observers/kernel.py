"""Measures the KID as the run goes, on the features of a trained network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ganvas.imaging.grid import Pixels
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.kid import kid as kernel_distance
from ganvas.observers.measure import Figure
from ganvas.observers.samples import sample
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run


class KernelMeasure(Figure):
    """The kernel distance of as many fakes (fixed z) as there are `reals`, every `every` images.

    It is unbiased at any number of pictures; so few have no Frechet distance.
    """

    def __init__(
        self,
        folder: RunFolder,
        reals: Pixels,
        every: int,
        extractor: Extractor,
        on_best: Callable[[Run], None],
        labels: Sequence[int] | None = None,
    ) -> None:
        """Take the reals uint8 (N, H, W, C), with their classes where the run has classes.

        `on_best` is called whenever the distance is the smallest so far.
        """
        self.folder, self.reals, self.every, self.labels = folder, reals, every, labels
        self.extractor, self.on_best = extractor, on_best

    def start(self, run: Run) -> None:
        """Draw the fixed z, the same as the other measure's; read the reals."""
        system, seed = run.recipe.system, run.recipe.seed + 1
        self.inputs = system.inputs(len(self.reals), seed, self.labels).to(run.device)
        self.images_seen = run.images_seen
        self.extractor.network.to(run.device)
        self.features = self.extractor.extract(self.reals).features
        self.recall(self.folder, "kid")

    def step(self, run: Run, report: Report) -> None:
        """Measure where due."""
        before, self.images_seen = self.images_seen, report.images_seen
        if not due(self.every, before, self.images_seen):
            return
        kid = kernel_distance(self.extractor.extract(sample(run, self.inputs)).features, self.features)
        about: dict[str, str | int] = {"extractor": self.extractor.name, "weights": self.extractor.weights}
        about |= {"resize": self.extractor.resize, "fakes": len(self.reals), "reals": len(self.reals), "split": "train"}
        line = {
            "images": self.images_seen,
            "kid": kid.value,
            "kid_low": kid.low,
            "kid_high": kid.high,
            "protocol": about,
        }
        self.folder.add_log(line)
        if self.note(kid.value, kid.low):
            self.on_best(run)
