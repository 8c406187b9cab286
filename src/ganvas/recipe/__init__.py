"""The values: a recipe and everything that can appear in one. Imports no data and no systems."""

import ganvas.recipe.damage
import ganvas.recipe.text  # noqa: F401 -- both, so that what is in them is found by name
from ganvas.recipe.optimizers import SGD, Adam, Optimizer, RMSprop
from ganvas.recipe.recipe import CAP, EMA, LEAKING, Augment, Change, Recipe, Steering
from ganvas.recipe.schedule import WHOLE, Schedule

__all__ = [
    "CAP",
    "EMA",
    "LEAKING",
    "SGD",
    "WHOLE",
    "Adam",
    "Augment",
    "Change",
    "Optimizer",
    "RMSprop",
    "Recipe",
    "Schedule",
    "Steering",
]
