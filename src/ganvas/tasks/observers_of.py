"""What looks at a run: the observers that a watch asks for, and the probe of the diagnosis."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data import Dataset
from ganvas.data.crops import Photos
from ganvas.data.transforms import centre_crops
from ganvas.diagnosis.signals import COUNT, Probe
from ganvas.errors import InputError
from ganvas.imaging.grid import PAPER, Pixels
from ganvas.imaging.tensors import from_pixels
from ganvas.metrics.extractors import open_extractor
from ganvas.metrics.perceptual import PerceptualDistance, open_perceptual
from ganvas.observers.augmentation_cap import Leaks
from ganvas.observers.checkpoints import Checkpoints
from ganvas.observers.curves import Curves
from ganvas.observers.diagnose import Diagnose
from ganvas.observers.kernel import KernelMeasure
from ganvas.observers.log import Log
from ganvas.observers.measure import COUNT as MEASURED
from ganvas.observers.measure import Figure, Measure
from ganvas.observers.plane import MEASURED as MEASURED_POINTS
from ganvas.observers.plane import POINTS, PlaneMeasure, PlaneSheets
from ganvas.observers.progress import ProgressLine
from ganvas.observers.restoration import RestorationMeasure, RestorationSheets
from ganvas.observers.samples import Samples, Sheets
from ganvas.observers.tensorboard import tensorboard
from ganvas.observers.watch import Watch
from ganvas.recipe import WHOLE, Recipe
from ganvas.recipe.sources import Crops, Mixture2D
from ganvas.recipe.system import Translation
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer
from ganvas.training.run import Run

CLASS_ROWS = 20  # on a sheet of a run with classes: the first ones
SHEETS = 40  # of crops in a whole run, unless the watch says otherwise
DISTANCE = "st-lpips"
CROPS = 64  # held-out ones that super-resolution is measured on
LOG_LINES, MEASUREMENTS = 500, 20  # in a whole run, unless the watch says otherwise


def observers_of(
    folder: RunFolder,
    recipe: Recipe,
    watch: Watch,
    parts: tuple[Dataset, Dataset],
    probe: Probe | None,
    about: dict[str, Any],
    progress: ProgressLine,
) -> list[Observer]:
    """All that the watch asks for, in the order in which they look.

    Args:
        parts: of the data, the one trained on and the one held out.

    Raises:
        InputError: an extractor or TensorBoard is not to be had.
    """
    dataset, held_out = parts
    rows, columns = watch.grid
    sinks = (tensorboard(folder),) if watch.tensorboard else ()
    checkpoints = Checkpoints(folder, about, watch.checkpoint_seconds, watch.keep_every)

    def keep_best(run: Run) -> None:
        checkpoints.save(run, "best")

    log_every = watch.log_every or max(recipe.batch_size, recipe.images // LOG_LINES)
    epoch = len(dataset)
    samples: tuple[int, ...] = watch.sheet_intervals(epoch, recipe.images)
    measure_every = watch.measure_every or max(recipe.batch_size, recipe.images // MEASUREMENTS)
    extractor = open_extractor(watch.extractor) if watch.extractor else None
    labels = _labels(recipe, dataset, min(MEASURED, epoch))
    sheets: Sheets
    measure: Observer
    judge: Figure | None = None  # of the kept model, in games that begin at noise
    if isinstance(recipe.data, Crops):
        # Of a handful of photographs none is held out; then those trained on must do, and the log says so.
        part, judged = ("held-out", held_out) if len(held_out) else ("train", dataset)
        assert isinstance(judged, Photos)
        assert isinstance(recipe.system, Translation)  # as the recipe has seen to
        high, low = centre_crops(judged, _evenly(judged, CROPS), recipe.data.degradation, recipe.system.scale)
        # One crop of every photograph is too short an epoch for a sheet of its own.
        samples = (watch.sample_every or max(recipe.batch_size, recipe.images // SHEETS),)
        shown = min(rows * max(1, columns // 4), len(high))
        sheets = RestorationSheets(folder, low[:shown], high[:shown], max(1, columns // 4), samples)
        at_knee = watch.stop_at_knee
        console, crops = progress.console, (low, high, part)
        measure = RestorationMeasure(folder, console, crops, measure_every, keep_best, _distance(), at_knee)
    elif isinstance(recipe.data, Mixture2D):
        mixture = (recipe.data.modes(), recipe.data.std)
        sheets = PlaneSheets(folder, dataset.spread(POINTS), mixture, samples)
        measure = judge = PlaneMeasure(folder, dataset.spread(MEASURED_POINTS), mixture, measure_every, keep_best)
    else:
        named = dataset.classes[: min(recipe.system.classes, CLASS_ROWS)]
        reals = _by_class(dataset, len(named), columns) if named else dataset.spread(rows * columns)
        sheets = Samples(folder, reals, len(named) or rows, columns, samples, named)
        # A trained network's features say better than bare pixels what is best.
        on_best = None if extractor else keep_best
        measure = judge = Measure(folder, _judged(dataset.spread(MEASURED)), measure_every, on_best, labels)
    further: list[Observer] = []
    if extractor:
        judged_on = dataset.spread(MEASURED)
        judge = KernelMeasure(folder, judged_on, measure_every, extractor, keep_best, labels)
        further.append(judge)
    if probe and judge:
        further.append(Diagnose(folder, progress.console, watch, probe, judge))
    observers: list[Observer] = [
        progress,
        Log(folder, log_every, sinks),
        Leaks(folder, progress.console, log_every),
        sheets,
        measure,
        *further,
        checkpoints,
        Curves(folder),
    ]
    return observers


def expect_sound(recipe: Recipe, watch: Watch) -> None:
    """Refuse, before anything is written, a watch for a knee that cannot be found.

    Raises:
        InputError: the run plays no game between enlarging and looking real, or the distance is not to be had.
    """
    if not watch.stop_at_knee:
        return
    flag = f"--watch.stop-at-knee {watch.stop_at_knee}"
    if not isinstance(recipe.system, Translation):
        raise InputError(
            f"{flag} is for super-resolution, and {type(recipe.system).__name__} makes pictures from noise; take"
            " --watch.stop-when-past-best."
        )
    if recipe.schedule.pretrain == WHOLE:
        raise InputError(f"{flag} waits for a game that pays no more, and this run is all pretraining; leave it out.")
    try:
        open_perceptual(DISTANCE)
    except InputError as error:
        raise InputError(f"{flag} cannot be: {error}") from None


def _distance() -> PerceptualDistance | None:
    """By which enlarged crops are watched, where its package is installed."""
    try:
        return open_perceptual(DISTANCE)
    except InputError:
        return None


def make_probe(run: Run, dataset: Dataset, held_out: Dataset) -> Probe:
    """The probe of a run: the same noise and the same reals every time."""
    # Other noise than the sheets' and the measures'.
    recipe, device = run.recipe, run.device
    train, kept = (_judged(part.spread(COUNT)).to(device) for part in (dataset, held_out))
    counted = ((dataset, COUNT), (dataset, len(train)), (held_out, len(kept)))
    fakes, *reals = (_labels(recipe, part, count) for part, count in counted)
    inputs = recipe.system.inputs(COUNT, recipe.seed + 2, fakes).to(device)
    known = (None if part is None else torch.tensor(part, device=device) for part in (fakes, *reals))
    of_fakes, of_train, of_kept = known
    return Probe(inputs, train, kept, recipe.objective, recipe.system.logits, (of_fakes, of_train, of_kept))


def _labels(recipe: Recipe, part: Dataset, count: int) -> list[int] | None:
    """The classes of the `count` rows that are spread over a part, where the recipe's system is told of classes."""
    return part.shares(count).tolist() if recipe.system.classes else None


def _by_class(dataset: Dataset, classes: int, columns: int) -> Pixels:
    """A row of `columns` pictures of each of the first classes, white where a class has fewer."""
    rows = []
    for label in range(classes):
        members = dataset.of_class(label)
        row = dataset.take(members[_evenly(members, columns)])
        rows.append(np.pad(row, ((0, columns - len(row)), *[(0, 0)] * 3), constant_values=PAPER))
    return np.concatenate(rows)


def _evenly(dataset: Sized, count: int) -> NDArray[np.int64]:
    return np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round().astype(np.int64)


def _judged(rows: NDArray[Any]) -> Tensor:
    """Rows of a data set as the discriminator sees them."""
    return from_pixels(rows) if rows.dtype == np.uint8 else torch.from_numpy(rows)
