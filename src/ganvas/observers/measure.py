"""Measures the distance of fakes to reals as the run goes, so that the best state is known and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ganvas.metrics.extractors import Extractor, open_extractor
from ganvas.metrics.kernel import kernel_distance
from ganvas.metrics.sliced_wasserstein import project, sliced_wasserstein
from ganvas.observers import Observer, Report, due
from ganvas.observers.samples import sample
from ganvas.pictures import Pixels, as_judged
from ganvas.runs.folder import RunFolder

if TYPE_CHECKING:
    from ganvas.training.run import Run

MEASURE = "swd"
COUNT = 512


class Measure(Observer):
    """Sliced Wasserstein distance of 512 fakes (fixed z) to 512 reals, every `every` images; if wished, the KID too."""

    def __init__(
        self, folder: RunFolder, reals: NDArray[Any], every: int, on_best: Callable[[Run], None], extractor: str = ""
    ) -> None:
        """Prepare to measure.

        Args:
            folder: of the run, in whose log the distances are written.
            reals: rows of the data set.
            every: images between measurements.
            on_best: called whenever the sliced Wasserstein distance is the smallest so far.
            extractor: of the KID, or empty. So few pictures have no Frechet distance; the KID is unbiased.
        """
        self.folder, self.every, self.on_best = folder, every, on_best
        self.rows = reals
        self.count = len(reals)
        self.reals = project(as_judged(reals))
        self.extractor = open_extractor(extractor) if extractor else None

    def start(self, run: Run) -> None:
        """Draw the fixed z; recall the best distance so far."""
        # Another seed than the sheets': what is shown is not what is judged.
        self.inputs = run.recipe.system.inputs(self.count, run.recipe.seed + 1).to(run.device)
        self.images = run.images
        if self.extractor:
            self.extractor.network.to(run.device)
            self.features = self.extractor.extract(self.rows).features
        self.best = min((line[MEASURE] for line in self.folder.read_log() if MEASURE in line), default=float("inf"))

    def step(self, run: Run, report: Report) -> None:
        """Measure where due."""
        before, self.images = self.images, report.images
        if due(self.every, before, self.images):
            fakes = self.fakes(run)
            figures = self.figures(fakes)
            self.folder.add_log({"images": self.images, **figures, "protocol": f"{self.count} fakes, train"})
            if figures[MEASURE] < self.best:
                self.best = figures[MEASURE]
                self.on_best(run)
            if self.extractor:
                self._add_kid(self.extractor, fakes)

    def fakes(self, run: Run) -> NDArray[Any]:
        """What is measured, in the form of the data set's rows."""
        return sample(run, self.inputs)

    def figures(self, fakes: NDArray[Any]) -> dict[str, float]:
        """The measures by name; the one called MEASURE decides what is best."""
        return {MEASURE: sliced_wasserstein(self.reals, project(as_judged(fakes)))}

    def _add_kid(self, extractor: Extractor, fakes: Pixels) -> None:
        kid = kernel_distance(extractor.extract(fakes).features, self.features)
        about: dict[str, str | int] = {"extractor": extractor.name, "weights": extractor.weights}
        about |= {"resize": extractor.resize, "fakes": len(fakes), "reals": len(self.features), "split": "train"}
        line = {"images": self.images, "kid": kid.value, "kid_low": kid.low, "kid_high": kid.high, "protocol": about}
        self.folder.add_log(line)
