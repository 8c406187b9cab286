"""How far fakes are from reals in 2-D, and which modes they found."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ganvas.imaging.plot2d import Points
from ganvas.metrics.figure import Figure
from ganvas.metrics.measure import Evidence
from ganvas.metrics.mode_coverage import ModeCoverage
from ganvas.metrics.sliced_wasserstein import SlicedWasserstein, project, sliced_wasserstein
from ganvas.observers.validation import Validator
from ganvas.training.run import Run

MEASURED = 10_000  # fakes: fewer leave the distance to the chance of how many fall to which mode


class ModesValidator(Validator):
    """SWD, modes covered and share of high quality of as many fakes (fixed z) as there are reals."""

    by = "SWD"

    def __init__(self, mixture: tuple[NDArray[np.float64], float], reals: Points) -> None:
        """`mixture` is what is learned, centres (K, 2) and standard deviation; `reals` are points (N, 2)."""
        self.mixture, self.count = mixture, len(reals)
        self.projections = project(torch.from_numpy(reals))

    def start(self, run: Run) -> None:
        """Draw z: another than the previews'."""
        self.inputs = run.recipe.system.inputs(self.count, run.recipe.seed + 1)

    def measure(self, run: Run) -> list[Figure]:
        """SWD, modes found and quality."""
        fakes, protocol = run.generate(self.inputs), {"fakes": self.count, "split": "train"}
        distance = sliced_wasserstein(self.projections, project(fakes))
        seen = Evidence(fakes=fakes.numpy(), mixture=self.mixture, protocol=protocol)
        return [SlicedWasserstein().figure("SWD", distance, protocol), *ModeCoverage().compute(seen)]
