"""The observers configured by a watch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ganvas.data import Dataset
from ganvas.diagnosis.signals import Probe
from ganvas.observers.augmentation_cap import AugmentationCap
from ganvas.observers.checkpoints import Checkpoints
from ganvas.observers.class_balance import ClassBalance
from ganvas.observers.curves import Curves
from ganvas.observers.diagnosis import DiagnosisObserver
from ganvas.observers.forecast import Forecast
from ganvas.observers.log import Log
from ganvas.observers.previews import Previews
from ganvas.observers.progress import ProgressLine
from ganvas.observers.tensorboard import tensorboard
from ganvas.observers.validation import Validation
from ganvas.observers.watch import Watch, looks_every
from ganvas.recipe import Recipe
from ganvas.runs.folder import RunFolder
from ganvas.tasks import Task
from ganvas.training.observer import Observer
from ganvas.training.run import Run

LOG_LINES, MEASUREMENTS = 500, 20  # per run by default
APART, FEWEST = 28_672, 2  # measurements in short runs: one, with keeping the best, costs 150 images of training


def make_observers(
    task: Task,
    folder: RunFolder,
    recipe: Recipe,
    watch: Watch,
    parts: tuple[Dataset, Dataset],
    probe: Probe | None,
    about: dict[str, Any],
    progress: ProgressLine,
    finish: Callable[[], object],
) -> list[Observer]:
    """The observers of a run, in the order in which they are called.

    Args:
        parts: the training data and the held-out data.
        about: the header of every checkpoint.
        finish: writes the model, if the run is finished; called after the last checkpoint.

    Raises:
        InputError: an extractor or TensorBoard is not available.
    """
    console, epoch = progress.console, len(parts[0])
    sinks = (tensorboard(folder),) if watch.tensorboard else ()
    pretrain = recipe.schedule.pretrain if task.has_words else 0  # what a text GAN began as, it is measured against
    checkpoints = Checkpoints(folder, about, watch.checkpoint_seconds, watch.keep_every, finish, pretrain)

    def keep_best(run: Run) -> None:
        checkpoints.save(run, "best")

    log_every = watch.log_every or looks_every(recipe, LOG_LINES, 1_024, 100)
    measure_every = watch.measure_every or looks_every(recipe, MEASUREMENTS, APART, FEWEST)
    validator = task.validator(recipe, watch, *parts)
    classifier = task.classifier(recipe, parts[0])
    balance = [ClassBalance(folder, classifier, parts[0], recipe)] if classifier else []
    measured = [validator.signals, *(one.signals for one in balance)]
    return [
        progress,
        Forecast(console, epoch),
        Log(folder, log_every, sinks),
        AugmentationCap(folder, console, log_every),
        # Before the checkpoints: what is drawn at an image must be there when a run resumes from it.
        Previews(folder, task.previewer(recipe, watch, *parts), task.preview_intervals(recipe, watch, epoch)),
        Validation(folder, validator, measure_every, keep_best, sinks),
        *task.observers(recipe, watch, folder, console, validator),
        *balance,
        *([DiagnosisObserver(folder, console, watch, probe, measured)] if probe else []),
        checkpoints,
        Curves(folder),
    ]
