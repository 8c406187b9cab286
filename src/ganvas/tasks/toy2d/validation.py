"""How far fakes are from reals on the plane, and which modes they found."""

from __future__ import annotations

import torch

from ganvas.imaging.plot2d import Points
from ganvas.metrics.figure import Figure
from ganvas.metrics.mode_coverage import coverage
from ganvas.metrics.sliced_wasserstein import project, sliced_wasserstein
from ganvas.observers.validation import Validator
from ganvas.recipe.recipe import Recipe
from ganvas.recipe.sources import Mixture2D
from ganvas.training.run import Run

MEASURED = 10_000  # fakes: fewer leave the distance to the chance of how many fall to which mode


class ModesValidator(Validator):
    """SWD, modes covered and share of high quality of as many fakes (fixed z) as there are reals."""

    by = "swd"

    def __init__(self, recipe: Recipe, reals: Points) -> None:
        """`reals` are points (N, 2)."""
        assert isinstance(recipe.data, Mixture2D)  # as the task has seen to
        self.mixture, self.count = (recipe.data.modes(), recipe.data.std), len(reals)
        self.projections = project(torch.from_numpy(reals))

    def start(self, run: Run) -> None:
        """Draw z: another than the previews'."""
        self.inputs = run.recipe.system.inputs(self.count, run.recipe.seed + 1)

    def measure(self, run: Run) -> list[Figure]:
        """`swd`, `modes` and `quality`."""
        fakes = run.generate(self.inputs)
        found, protocol = coverage(fakes.numpy(), *self.mixture), {"fakes": self.count, "split": "train"}
        distance = sliced_wasserstein(self.projections, project(fakes))
        return [
            Figure(measure="swd", value=distance, higher_is_better=False, protocol=protocol),
            Figure(measure="modes", value=found.covered, higher_is_better=True, protocol=protocol),
            Figure(measure="quality", value=found.quality, higher_is_better=True, protocol=protocol),
        ]
