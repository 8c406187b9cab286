"""The observers that a watch asks for."""

from __future__ import annotations

from typing import Any

from ganvas.data import Dataset
from ganvas.diagnosis.signals import Probe
from ganvas.observers.augmentation_cap import AugmentationCap
from ganvas.observers.checkpoints import Checkpoints
from ganvas.observers.curves import Curves
from ganvas.observers.diagnosis import Diagnose
from ganvas.observers.log import Log
from ganvas.observers.previews import Previews
from ganvas.observers.progress import ProgressLine
from ganvas.observers.tensorboard import tensorboard
from ganvas.observers.validation import Validation
from ganvas.observers.watch import Watch
from ganvas.recipe import Recipe
from ganvas.runs.folder import RunFolder
from ganvas.tasks import Task
from ganvas.training.observer import Observer
from ganvas.training.run import Run

LOG_LINES, MEASUREMENTS = 500, 20  # in a whole run, unless the watch says otherwise


def observers_of(
    task: Task,
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
        about: what stands in the header of every checkpoint.

    Raises:
        InputError: an extractor or TensorBoard is not available.
    """
    console, epoch = progress.console, len(parts[0])
    sinks = (tensorboard(folder),) if watch.tensorboard else ()
    checkpoints = Checkpoints(folder, about, watch.checkpoint_seconds, watch.keep_every)

    def keep_best(run: Run) -> None:
        checkpoints.save(run, "best")

    log_every = watch.log_every or max(recipe.batch_size, recipe.images // LOG_LINES)
    measure_every = watch.measure_every or max(recipe.batch_size, recipe.images // MEASUREMENTS)
    validator = task.validator(recipe, watch, *parts)
    return [
        progress,
        Log(folder, log_every, sinks),
        AugmentationCap(folder, console, log_every),
        Previews(folder, task.previewer(recipe, watch, *parts), task.preview_intervals(recipe, watch, epoch)),
        Validation(folder, validator, measure_every, keep_best, sinks),
        *task.observers(recipe, watch, folder, console, validator),
        *([Diagnose(folder, console, watch, probe, validator)] if probe else []),
        checkpoints,
        Curves(folder),
    ]
