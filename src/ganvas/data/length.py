"""How long a recipe that was made for one dataset runs on another (docs/decisions/0024)."""

from __future__ import annotations

from dataclasses import replace

from ganvas.data.base import known_count
from ganvas.data.cache import count_items
from ganvas.recipe.recipe import Recipe
from ganvas.recipe.schedule import Schedule
from ganvas.recipe.serialization import flatten
from ganvas.recipe.sources import Images

LEAST = 200_000  # images below which a smaller dataset shortens no run: a GAN needs its updates


def fitted_length(own: Recipe, recipe: Recipe) -> int:
    """The length in images of a recipe on other data than its own: as many epochs, within bounds.

    It is never longer than the recipe, and no shorter than 200,000 images if the recipe is not. What is timed in images
    keeps its length: a recipe with ramps, pretraining or a freeze, and one that cuts crops, of which a photograph has
    any number.

    Args:
        own: the recipe as it was made.
        recipe: the same, possibly with other data.

    Raises:
        InputError: the data are not available.
    """
    data = recipe.data
    made_for = known_count(own.data)
    if not isinstance(data, Images) or data.title == own.data.title or not made_for or _is_timed(own):
        return recipe.images
    # Files that turn out to be no images make no difference to a default; only opening them all would tell.
    count = known_count(data) or count_items(data.source, data.column, data.labels)
    return min(recipe.images, max(LEAST, recipe.images * count // made_for))


def _is_timed(recipe: Recipe) -> bool:
    ramps = any(path.endswith(".over") for path, _ in flatten(recipe))
    return ramps or replace(recipe.schedule, d_per_g=1, g_per_d=1) != Schedule()
