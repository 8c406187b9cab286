"""The values: a recipe and everything that can appear in one. Imports no data and no systems."""

from ganvas.recipe.adam import Adam
from ganvas.recipe.recipe import CAP, EMA, LEAKING, Augment, Change, Recipe, Steering
from ganvas.recipe.schedule import WHOLE, Schedule

__all__ = ["CAP", "EMA", "LEAKING", "WHOLE", "Adam", "Augment", "Change", "Recipe", "Schedule", "Steering"]
