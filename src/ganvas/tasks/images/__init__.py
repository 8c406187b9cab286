"""Images made from noise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ganvas.errors import InputError
from ganvas.recipe.recipe import Recipe
from ganvas.runs.folder import RunFolder
from ganvas.tasks.base import Task
from ganvas.tasks.checks import check_images

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ganvas.data import Dataset
    from ganvas.data.feed import Feed, FeedOptions
    from ganvas.metrics.extractors import Extractor
    from ganvas.observers.previews import Previewer
    from ganvas.observers.validation import Validator
    from ganvas.observers.watch import Watch

SHOWN = 64  # images of the data that are checked for colour
FAKES, PER_CLASS = 64, 8  # that the next command makes


class ImagesTask(Task):
    """Square images; previews are grids of fakes beside reals, and the best has the least SWD, or KID."""

    name, unit, has_features = "images", "images", True

    def check(self, recipe: Recipe) -> None:
        """See `ganvas.tasks.checks`."""
        check_images(recipe)

    def check_data(self, recipe: Recipe, watch: Watch, dataset: Dataset, folder: RunFolder | None = None) -> None:
        """As of every task; and a KID needs groups to take its interval from."""
        from ganvas.metrics.intervals import GROUPS

        super().check_data(recipe, watch, dataset, folder)
        if watch.extractor and len(dataset) < 2 * GROUPS:
            raise InputError(
                f"--watch.extractor {watch.extractor} needs {2 * GROUPS} images, and {dataset.name} has {len(dataset)}"
                " to train on; leave it out."
            )

    def warnings(self, recipe: Recipe, dataset: Dataset) -> Iterator[str]:
        """Grey images for a network of colours."""
        some = dataset.spread(SHOWN)
        if recipe.system.shape[0] == 3 and (some == some[..., :1]).all():
            yield (
                f"the images of {dataset.name} look grey, and the recipe makes coloured ones; give --system.channels 1."
            )

    def feed(self, recipe: Recipe, dataset: Dataset, device: torch.device) -> Feed:
        """Images in [-1, 1], mirrored where the recipe asks for it."""
        from ganvas.data.feed import image_feed

        options: FeedOptions = {"batch_size": recipe.batch_size, "seed": recipe.seed, "device": device}
        return image_feed(dataset, flip=recipe.augment.flip, **options)

    def previewer(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Previewer:
        """Grids of fakes beside reals."""
        from ganvas.tasks.images.previews import ImagePreviewer

        return ImagePreviewer(recipe, watch.grid, dataset)

    def validator(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Validator:
        """SWD, and KID where the watch names an extractor, to images trained on."""
        from ganvas.metrics.extractors import open_extractor
        from ganvas.tasks.images.validation import ImageValidator

        return ImageValidator(recipe, dataset, open_extractor(watch.extractor) if watch.extractor else None)

    def classifier(self, recipe: Recipe, dataset: Dataset) -> Extractor | None:
        """The extractor that ships with ganvas and knows the classes of the data, unless the recipe asks for them."""
        from ganvas.metrics.extractors.digits import Digits

        known = dataset.labels is not None and dataset.classes == Digits.class_names
        return Digits.open() if known and not recipe.system.classes else None

    def embed(self, samples: Tensor) -> Tensor:
        """Images as they are seen from afar."""
        from ganvas.diagnosis.signals import downsampled

        return downsampled(samples)

    def placeholder(self, recipe: Recipe, count: int) -> Dataset:
        """Images of noise, of all classes in turn."""
        import numpy as np

        from ganvas.data import Dataset

        channels, *sides = recipe.system.shape
        classes = recipe.system.classes
        images = np.random.default_rng(0).integers(0, 256, (count, *sides, channels), dtype=np.uint8)
        return Dataset(images, np.arange(count) % classes if classes else None)

    def next_command(self, recipe: Recipe, folder: RunFolder) -> str:
        """Generate a grid of fakes."""
        return f"ganvas generate {folder.path} -n {PER_CLASS if recipe.system.classes else FAKES} --grid fakes.png"
