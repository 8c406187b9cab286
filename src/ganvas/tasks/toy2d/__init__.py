"""2-D points from a known mixture of Gaussians."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ganvas.recipe.recipe import Recipe
from ganvas.recipe.sources import Mixture2D
from ganvas.runs.folder import RunFolder
from ganvas.tasks.base import Task
from ganvas.tasks.checks import check_toy2d

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ganvas.data import Dataset
    from ganvas.observers.previews import Previewer
    from ganvas.observers.validation import Validator
    from ganvas.observers.watch import Watch

FAKES = 2_500  # that the next command makes
PLOTS = 40  # of a run: one takes as long as 1,500 points of training


class Toy2DTask(Task):
    """2-D mixtures; previews are points over D's field, and the best has the least SWD."""

    name, unit = "toy2d", "points"

    def check(self, recipe: Recipe) -> None:
        """See `ganvas.tasks.checks`."""
        check_toy2d(recipe)

    def previewer(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Previewer:
        """Fakes and reals over D's field."""
        from ganvas.tasks.toy2d.previews import POINTS, PlotPreviewer

        return PlotPreviewer(_mixture(recipe), recipe.seed, dataset.spread(POINTS))

    def preview_intervals(self, recipe: Recipe, watch: Watch, epoch: int) -> tuple[int, ...]:
        """As of every task, but fewer."""
        return watch.grid_intervals(epoch, recipe.images, PLOTS)

    def validator(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Validator:
        """SWD, modes covered and share of high quality."""
        from ganvas.tasks.toy2d.validation import MEASURED, ModesValidator

        return ModesValidator(_mixture(recipe), dataset.spread(MEASURED))

    def evidence(self, recipe: Recipe) -> Mapping[str, Any]:
        """The mixture that is learned."""
        return {"mixture": _mixture(recipe)}

    def next_command(self, recipe: Recipe, folder: RunFolder) -> str:
        """Generate a plot of fakes."""
        return f"ganvas generate {folder.path} -n {FAKES} --grid fakes.png"


def _mixture(recipe: Recipe) -> tuple[NDArray[np.float64], float]:
    """Centres (K, 2) and standard deviation of the Gaussians."""
    assert isinstance(recipe.data, Mixture2D)  # as `check` has seen to
    return recipe.data.modes(), recipe.data.std
