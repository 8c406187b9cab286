"""Resuming a run folder: the check for the same recipe, the newest intact checkpoint, and whether it is finished."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from ganvas.data import Dataset
from ganvas.inference.loading import starting_weights
from ganvas.observers.watch import Watch
from ganvas.recipe import Recipe
from ganvas.recipe.serialization import difference
from ganvas.runs import checkpoint
from ganvas.runs.again import NameTaken
from ganvas.runs.folder import RunFolder
from ganvas.runs.models import find
from ganvas.runs.previews import INDEX, set_aside
from ganvas.systems import read_recipe
from ganvas.training.run import Run


def reject_other_recipe(folder: RunFolder, recipe: Recipe) -> None:
    """Reject a recipe that differs from the run's in anything but its length.

    Raises:
        InputError: the run was started with other settings.
    """
    if not folder.exists():
        return
    old = read_recipe(folder.read_recipe(), str(folder.recipe))
    # The length determines only where the run ends, not its weights before that.
    changed = difference(old, replace(recipe, images=old.images))
    if changed:
        raise NameTaken(
            f"the run {folder.path} was started with another recipe ({'; '.join(changed)}); use the same settings to"
            " resume it, or choose a new --name."
        )


def restore(run: Run, folder: RunFolder, dataset: Dataset, console: Console) -> None:
    """Restore a run from its folder's newest intact checkpoint, or else initialize it as its recipe says.

    Raises:
        InputError: no checkpoint is intact, the data differ, or the initial weights do not fit.
    """
    damaged: dict[Path, str] = {}
    for path in folder.states():
        try:
            tensors, about = checkpoint.load(path)
        except checkpoint.Damaged as error:
            damaged[path] = str(error)
            console.print(f"{error}; using the previous checkpoint.", style="yellow")
            continue
        if about["data"] != dataset.fingerprint:
            raise NameTaken(
                f"the {dataset.kind} of {dataset.name} have changed since the run {folder.path} was started; restore"
                " them, or choose a new --name."
            )
        run.load_state_dict(tensors, about)
        break
    else:
        _begin(run, folder, damaged)
    if aside := set_aside(folder.samples):
        console.print(
            f"{folder.samples / INDEX} is damaged; it is kept as {aside}, and its sound entries are used.",
            style="yellow",
        )
        folder.add_event("damaged", file=INDEX, reason=f"kept as {aside}")
    for path, reason in damaged.items():
        folder.add_event("damaged", file=path.name, reason=reason)
        path.unlink()
    folder.forget_after(run.images_seen)


def _begin(run: Run, folder: RunFolder, damaged: dict[Path, str]) -> None:
    if damaged:
        first = next(iter(damaged.values()))
        raise NameTaken(
            f"no checkpoint of the run {folder.path} is intact ({first}); choose a new --name to start over."
        )
    if run.recipe.start:
        file = find(run.recipe.start)
        weights, about = starting_weights(file)
        run.start_from(weights, str(file), about["system"])
        folder.add_event("began-at", model=run.recipe.start, run=about["run"], of_images=about["images"])


def is_finished(run: Run, folder: RunFolder, watch: Watch) -> bool:
    """Whether the run is finished, possibly early by a rule that is still in effect."""
    ends = [event for event in folder.read_events()[-1:] if event["event"] == "finished"]
    if not ends or ends[0]["images"] != run.images_seen:
        return False
    early = ends[0].get("early")
    may_end = watch.stop_when_past_best or watch.stop_at_knee or run.controller
    return run.images_seen >= run.recipe.images or bool(early and may_end)
