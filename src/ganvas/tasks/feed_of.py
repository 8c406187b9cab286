"""The feed that a recipe's data and system ask for."""

from __future__ import annotations

import torch

from ganvas.data import Dataset, Feed
from ganvas.data.photos import CropFeed, Photographs
from ganvas.recipe import Recipe
from ganvas.recipe.sources import Crops
from ganvas.recipe.system import Translation


def make_feed(recipe: Recipe, dataset: Dataset, device: torch.device) -> Feed:
    """Serve the part of the data that is trained on.

    Raises:
        InputError: the batch does not fit the data.
    """
    size, seed = recipe.batch_size, recipe.seed
    if isinstance(recipe.system, Translation):
        # As the recipe has seen to.
        assert isinstance(dataset, Photographs)
        assert isinstance(recipe.data, Crops)
        return CropFeed(dataset, recipe.data, scale=recipe.system.scale, batch_size=size, seed=seed, device=device)
    return Feed(dataset, batch_size=size, seed=seed, device=device, flip=recipe.augment.flip)
