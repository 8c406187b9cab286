"""What a modality provides: `Task`.

Only values are imported here, and in the modules that define tasks: whatever computes is imported by the method that
needs it, so that a refusal, or the next command of a run, needs no torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ganvas.errors import InputError
from ganvas.recipe.recipe import Recipe
from ganvas.runs.folder import RunFolder

if TYPE_CHECKING:
    import torch
    from rich.console import Console
    from torch import Tensor

    from ganvas.data import Dataset
    from ganvas.data.feed import Feed
    from ganvas.diagnosis.signals import Probe
    from ganvas.metrics.extractors import Extractor
    from ganvas.observers.previews import Previewer
    from ganvas.observers.validation import Validator
    from ganvas.observers.watch import Watch
    from ganvas.training.observer import Observer
    from ganvas.training.run import Run


class Task(ABC):
    """One modality. A subclass decides how its samples are fed, shown and measured; the rest has a default."""

    name: ClassVar[str]
    """As systems name it in `System.task`."""
    unit: ClassVar[str] = "samples"
    """What its samples are called."""
    has_features: ClassVar[bool] = False
    """Whether the extractors of features know its samples, so that KID and FID can be measured, and runs be tuned."""
    has_words: ClassVar[bool] = False
    """Whether its samples are sentences, which are measured by their words, against held-out ones."""
    has_originals: ClassVar[bool] = False
    """Whether each output has an original, so that it can be scored on test sets of pairs."""

    def check(self, recipe: Recipe) -> None:  # noqa: B027
        """Refuse a recipe whose parts are sound but do not fit this modality.

        Raises:
            InputError: one does not.
        """

    def check_watch(self, recipe: Recipe, watch: Watch) -> None:
        """Refuse, before anything is written, what cannot be watched in this modality.

        Raises:
            InputError: an extractor that is for other samples, or a knee where there is none.
        """
        if watch.extractor and not self.has_features:
            raise InputError(
                f"--watch.extractor {watch.extractor} compares images made from noise, and this run makes none; leave"
                " it out."
            )
        if watch.stop_at_knee and not self.has_originals:
            raise InputError(
                f"--watch.stop-at-knee {watch.stop_at_knee} is for super-resolution, and {type(recipe.system).__name__}"
                f" makes {self.unit} from noise; take --watch.stop-when-past-best."
            )

    def check_data(self, recipe: Recipe, watch: Watch, dataset: Dataset, folder: RunFolder | None = None) -> None:
        """Refuse data that do not fit the recipe or the watch.

        Args:
            dataset: the part that is trained on.
            folder: of the run, which may have begun with other classes; None where none is begun.

        Raises:
            InputError: labels are missing or are others, or there is too little to measure on.
        """
        from ganvas.tasks.labels import validate_labels

        validate_labels(recipe.system, dataset, folder)

    def check_count(self, recipe: Recipe, count: int) -> None:
        """Refuse too few samples to train on, where their number is known before they are opened.

        Raises:
            InputError: there are fewer than a batch.
        """
        from ganvas.data.order import expect_batch

        expect_batch(count, recipe.batch_size, recipe.data.title, self.unit)

    def warnings(self, recipe: Recipe, dataset: Dataset) -> Iterator[str]:
        """Sentences on data that can be used, but are hardly what was intended."""
        yield from ()

    def feed(self, recipe: Recipe, dataset: Dataset, device: torch.device) -> Feed:
        """Serve the part of the data that is trained on; by default its rows as they are.

        Raises:
            InputError: the batch does not fit the data.
        """
        from ganvas.data.feed import row_feed
        from ganvas.data.transforms import AsTheyAre

        return row_feed(dataset, AsTheyAre(), batch_size=recipe.batch_size, seed=recipe.seed, device=device)

    @abstractmethod
    def previewer(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Previewer:
        """What is shown of a run; of the data the part trained on, and the one held out."""

    def preview_intervals(self, recipe: Recipe, watch: Watch, epoch: int) -> tuple[int, ...]:
        """Real images between previews, where `epoch` are trained on; 0 is none."""
        return watch.grid_intervals(epoch, recipe.images)

    @abstractmethod
    def validator(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Validator:
        """What is measured, and by what the best state is kept; of the data as for `previewer`."""

    def observers(
        self, recipe: Recipe, watch: Watch, folder: RunFolder, console: Console, validator: Validator
    ) -> Sequence[Observer]:
        """What else observes a run of this modality, after each measurement."""
        return ()

    def classifier(self, recipe: Recipe, dataset: Dataset) -> Extractor | None:
        """What tells the classes of samples that no class was asked of; None where nothing does."""
        return None

    def probe(self, run: Run, dataset: Dataset, held_out: Dataset) -> Probe | None:
        """What the diagnosis measures with; by default for a generator from noise. None where there is no diagnosis."""
        from ganvas.tasks.noise import noise_probe

        return noise_probe(run, dataset, held_out, self.embed)

    def embed(self, samples: Tensor) -> Tensor:
        """Samples (N, ...) as vectors (N, F) whose distances the diagnosis takes; by default all their numbers."""
        return samples.flatten(1).float()

    def evidence(self, recipe: Recipe) -> Mapping[str, Any]:
        """What measures may ask for besides samples, by its name in `ganvas.metrics.measure.Evidence`."""
        return {}

    def protocol(self, recipe: Recipe) -> Mapping[str, Any]:
        """What figures have to say of how samples are read, beside their source and their number."""
        return {}

    def names(self, recipe: Recipe, dataset: Dataset) -> Mapping[str, Any]:
        """What names a generator's outputs besides classes, as plain data that go with its weights into every file.

        The predictor finds them in `ganvas.inference.base.Model.names`.
        """
        return {}

    def placeholder(self, recipe: Recipe, count: int) -> Dataset:
        """Random stand-ins for the data (count, *shape), to estimate a run's cost with."""
        import numpy as np

        from ganvas.data import Dataset

        return Dataset(np.random.default_rng(0).standard_normal((count, *recipe.system.shape), np.float32))

    def bytes_each(self, recipe: Recipe, placeholder: Dataset) -> int:
        """Bytes in memory of one sample of the real data."""
        return placeholder.images.nbytes // len(placeholder)

    def results(self, folder: RunFolder) -> list[tuple[str, str]]:
        """Lines on a finished run besides its files, each with its name."""
        return []

    def next_command(self, recipe: Recipe, folder: RunFolder) -> str:
        """What to do with a finished run."""
        return f"ganvas generate {folder.path} -n 100 --out samples.npz"
