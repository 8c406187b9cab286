"""Points of the plane from a known mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganvas.recipe.recipe import Recipe
from ganvas.runs.folder import RunFolder
from ganvas.tasks.base import Task
from ganvas.tasks.checks import check_toy2d

if TYPE_CHECKING:
    from ganvas.data import Dataset
    from ganvas.observers.previews import Previewer
    from ganvas.observers.validation import Validator
    from ganvas.observers.watch import Watch

FAKES = 2_500  # that the next command makes


class Toy2DTask(Task):
    """2-D mixtures; previews are points over D's field, and the best has the least SWD."""

    name, unit = "toy2d", "points"

    def check(self, recipe: Recipe) -> None:
        """As `ganvas.tasks.checks` says."""
        check_toy2d(recipe)

    def previewer(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Previewer:
        """Fakes and reals over D's field."""
        from ganvas.tasks.toy2d.previews import POINTS, PlotPreviewer

        return PlotPreviewer(recipe, dataset.spread(POINTS))

    def validator(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Validator:
        """SWD, modes covered and share of high quality."""
        from ganvas.tasks.toy2d.validation import MEASURED, ModesValidator

        return ModesValidator(recipe, dataset.spread(MEASURED))

    def next_command(self, recipe: Recipe, folder: RunFolder) -> str:
        """Generate a plot of fakes."""
        return f"ganvas generate {folder.path} -n {FAKES} --grid fakes.png"
