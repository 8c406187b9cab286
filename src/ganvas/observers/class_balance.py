"""Counts at intervals how many fakes there are of each class, where a classifier knows the classes of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ganvas.data import Dataset
from ganvas.imaging.grid import Pixels
from ganvas.imaging.tensors import to_pixels
from ganvas.metrics.extractors import Extractor
from ganvas.recipe.recipe import Recipe
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

COUNT = 256  # fakes to a count
COUNTS, APART = 10, 100_000  # counts per run, and images by which they are apart: one costs as much as 800 of training
REALS, AGREEMENT = 100, 0.7  # reals of which the classifier must know so many for its counts to mean anything
RARE = 0.04  # share in the data below which so few fakes say nothing about a class


class ClassBalance(Observer):
    """Logs the share of each class among the fakes of the kept model, as the classifier sees them."""

    def __init__(self, folder: RunFolder, classifier: Extractor, dataset: Dataset, recipe: Recipe) -> None:
        """`dataset` is the part trained on, with labels; its classes are the classifier's."""
        assert dataset.labels is not None
        self.folder, self.classifier, self.dataset = folder, classifier, dataset
        self.every = max(APART, recipe.images // COUNTS)
        self.data = np.bincount(dataset.labels, minlength=len(classifier.class_names)) / len(dataset)
        self.found: dict[str, float] = {}
        self.fits: bool | None = None

    def start(self, run: Run) -> None:
        """Draw z, and read the last count."""
        self.images_seen = run.images_seen
        # Other noise than what is shown and measured elsewhere.
        self.inputs = run.recipe.system.inputs(COUNT, run.recipe.seed + 3)
        for line in self.folder.read_log():
            if isinstance(line.get("classes"), dict):
                self.found = self._compare(line["classes"])

    def step(self, run: Run, report: Report) -> None:
        """Count if due."""
        before, self.images_seen = self.images_seen, report.images_seen
        if not due(self.every, before, self.images_seen):
            return
        if self.fits is None:
            seen = self._classify(self.dataset.spread(REALS))
            self.fits = bool(np.mean(seen == self.dataset.spread_labels(len(seen))) > AGREEMENT)
        if not self.fits:
            return  # classes of the same names, but other pictures
        counts = np.bincount(self._classify(to_pixels(run.generate(self.inputs))), minlength=len(self.data)) / COUNT
        shares = dict(zip(self.classifier.class_names, counts.round(4).tolist(), strict=True))
        self.folder.add_log({"images": self.images_seen, "classes": shares})
        self.found = self._compare(shares)

    def signals(self) -> dict[str, float]:
        """`rarest` and `commonest`: the least and the greatest share of a class over its share in the data."""
        return self.found

    def _classify(self, pixels: Pixels) -> NDArray[np.int64]:
        numbers: NDArray[np.int64] = self.classifier.extract(pixels).probabilities.argmax(1)
        return numbers

    def _compare(self, shares: dict[str, float]) -> dict[str, float]:
        pairs = zip(self.classifier.class_names, self.data, strict=True)
        ratios = [shares.get(name, 0.0) / share for name, share in pairs if share >= RARE]
        return {"rarest": float(min(ratios)), "commonest": float(max(ratios))} if ratios else {}
