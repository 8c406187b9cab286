"""The feed that a recipe's data and system ask for."""

from __future__ import annotations

import torch

from ganvas.data import Dataset
from ganvas.data.crops import Photos
from ganvas.data.feed import Feed, Serving, crop_feed, image_feed, row_feed
from ganvas.data.transforms import AsTheyAre
from ganvas.recipe import Recipe
from ganvas.recipe.sources import Crops
from ganvas.recipe.system import Translation


def make_feed(recipe: Recipe, dataset: Dataset, device: torch.device) -> Feed:
    """Serve the part of the data that is trained on.

    Raises:
        InputError: the batch does not fit the data.
    """
    serving: Serving = {"batch_size": recipe.batch_size, "seed": recipe.seed, "device": device}
    if isinstance(recipe.system, Translation):
        # As the recipe has seen to.
        assert isinstance(dataset, Photos)
        assert isinstance(recipe.data, Crops)
        return crop_feed(dataset, recipe.data, scale=recipe.system.scale, **serving)
    if len(recipe.system.shape) < 3:
        return row_feed(dataset, AsTheyAre(), **serving)
    return image_feed(dataset, flip=recipe.augment.flip, **serving)
