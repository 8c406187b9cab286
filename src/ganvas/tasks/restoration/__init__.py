"""Images made from worse ones: super-resolution, and the repair of photographs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ganvas.errors import InputError
from ganvas.recipe.recipe import Recipe
from ganvas.recipe.schedule import WHOLE
from ganvas.recipe.sources import Cropped
from ganvas.recipe.system import Translation
from ganvas.runs.folder import RunFolder, figures_of, reference_of
from ganvas.tasks.base import Task
from ganvas.tasks.checks import check_restoration

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from rich.console import Console
    from torch import Tensor

    from ganvas.data import Dataset
    from ganvas.data.crops import Photos
    from ganvas.data.feed import Feed
    from ganvas.metrics.lpips import STLPIPS
    from ganvas.observers.previews import Previewer
    from ganvas.observers.validation import Validator
    from ganvas.observers.watch import Watch
    from ganvas.training.observer import Observer
    from ganvas.training.run import Run

PREVIEWS = 40  # in a whole run, by default
CROPS = 64  # that are measured
PHOTO = 2_900_000  # pixels of one of DIV2K, in the mean


class RestorationTask(Task):
    """Crops of photos or pairs; previews are triples, and the best is a run's knee, or the one of the largest PSNR."""

    name, unit, has_originals = "restoration", "images", True

    def check(self, recipe: Recipe) -> None:
        """See `ganvas.tasks.checks`."""
        check_restoration(recipe)

    def check_watch(self, recipe: Recipe, watch: Watch) -> None:
        """As of every task; and a knee needs a game, and a perceptual distance."""
        from ganvas.metrics.lpips import STLPIPS

        super().check_watch(recipe, watch)
        if not watch.stop_at_knee:
            return
        flag = f"--watch.stop-at-knee {watch.stop_at_knee}"
        if recipe.schedule.pretrain == WHOLE:
            raise InputError(
                f"{flag} waits for a game that pays no more, and this run is all pretraining; leave it out."
            )
        try:
            STLPIPS().open()
        except InputError as error:
            raise InputError(f"{flag} is not available: {error}") from None

    def check_count(self, recipe: Recipe, count: int) -> None:
        """Of a photo there are many crops: a batch may have more than there are photos."""

    def feed(self, recipe: Recipe, dataset: Dataset, device: torch.device) -> Feed:
        """Crops, and what the generator is given of them."""
        from ganvas.data.feed import crop_feed

        system, crops, photos = _parts(recipe, dataset)
        size, seed = recipe.batch_size, recipe.seed
        return crop_feed(photos, crops, scale=system.scale, batch_size=size, seed=seed, device=device)

    def previewer(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Previewer:
        """Triples of input, output and original."""
        from ganvas.tasks.restoration.previews import TriplesPreviewer

        rows, tiles = watch.grid
        columns = max(1, tiles // 4)
        low, high = _crops(recipe, held_out if len(held_out) else dataset)
        return TriplesPreviewer(low[: rows * columns], high[: rows * columns], columns)

    def preview_intervals(self, recipe: Recipe, watch: Watch, epoch: int) -> tuple[int, ...]:
        """One crop of every photo is too short an epoch for a preview of its own."""
        return (watch.sample_every or max(recipe.batch_size, recipe.images // PREVIEWS),)

    def validator(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Validator:
        """PSNR on Y, and the perceptual distance where its package is installed."""
        from ganvas.tasks.restoration.validation import OriginalsValidator

        # Of a few photos none is held out; then those trained on serve, and the protocol names the split.
        split, part = ("held-out", held_out) if len(held_out) else ("train", dataset)
        return OriginalsValidator(*_crops(recipe, part), split, recipe.schedule.pretrain, _perceptual())

    def observers(
        self, recipe: Recipe, watch: Watch, folder: RunFolder, console: Console, validator: Validator
    ) -> Sequence[Observer]:
        """What reports that a run is past its knee, or ends it there."""
        from ganvas.tasks.restoration.validation import KneeObserver, OriginalsValidator

        assert isinstance(validator, OriginalsValidator)
        return (KneeObserver(folder, console, validator, watch.stop_at_knee),)

    def probe(self, run: Run, dataset: Dataset, held_out: Dataset) -> None:
        """None: the diagnosis knows games that begin at noise alone."""

    def placeholder(self, recipe: Recipe, count: int) -> Dataset:
        """Photos of noise, each as large as a crop."""
        import numpy as np

        from ganvas.data.crops import Photos

        channels, *sides = recipe.system.shape
        assert isinstance(recipe.data, Cropped)
        channels *= recipe.data.pictures
        images = np.random.default_rng(0).integers(0, 256, (count, *sides, channels), dtype=np.uint8)
        pixels = images.reshape(-1, channels)
        places = [[i * len(pixels) // count, *sides] for i in range(count)]
        return Photos(pixels, places=np.array(places), size=sides[0])

    def bytes_each(self, recipe: Recipe, placeholder: Dataset) -> int:
        """Photos are kept whole, not as crops."""
        from ganvas.data import open_data
        from ganvas.data.builtin import COUNTS

        if recipe.data.title in COUNTS:
            return PHOTO * recipe.system.shape[0]
        return super().bytes_each(recipe, open_data(recipe.data, recipe.system.shape))

    def results(self, folder: RunFolder) -> list[tuple[str, str]]:
        """The last PSNR, beside that of the reference."""
        for line in reversed(folder.read_log()):
            for ours, other in zip(figures_of(line), reference_of(line), strict=False):
                if ours.measure == "PSNR-Y":
                    name = other.protocol.get("upscaler", "bicubic")
                    of = f"{ours.protocol.get('crops', '?')} crops, {ours.protocol.get('split', '?')}"
                    return [("PSNR on Y", f"{ours.value:.2f} dB of {of}; {name} {other.value:.2f} dB")]
        return []

    def next_command(self, recipe: Recipe, folder: RunFolder) -> str:
        """Upscale a photo."""
        return f"ganvas upscale PHOTO --model {folder.path}"


class RepairTask(RestorationTask):
    """Crops of photographs that have lived."""

    name = "repair"

    def next_command(self, recipe: Recipe, folder: RunFolder) -> str:
        """Repair a photo."""
        return f"ganvas repair PHOTO --model {folder.path}"


def _parts(recipe: Recipe, dataset: Dataset) -> tuple[Translation, Cropped, Photos]:
    from ganvas.data.crops import Photos

    # As `check` has seen to.
    assert isinstance(recipe.system, Translation)
    assert isinstance(recipe.data, Cropped)
    assert isinstance(dataset, Photos)
    return recipe.system, recipe.data, dataset


def _perceptual() -> STLPIPS | None:
    """The perceptual distance, opened; None where its package is not installed."""
    from ganvas.metrics.lpips import STLPIPS

    measure = STLPIPS()
    try:
        measure.open()
    except InputError:
        return None
    return measure


def _crops(recipe: Recipe, part: Dataset) -> tuple[Tensor, NDArray[np.uint8]]:
    """What is measured: inputs (N, C, h, w) in [-1, 1], and originals uint8 (N, H, W, C), spread over a part."""
    import numpy as np

    from ganvas.data.transforms import centre_crops

    system, crops, photos = _parts(recipe, part)
    index = np.linspace(0, len(part) - 1, min(CROPS, len(part))).round().astype(np.int64)
    high, low = centre_crops(photos, index, crops.rule, system.scale)
    return low, high
