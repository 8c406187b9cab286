"""Where a run folder stands: refused to another recipe, restored from its newest whole checkpoint, or finished."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from ganvas.data import Dataset
from ganvas.errors import InputError
from ganvas.observers.watch import Watch
from ganvas.recipe import Recipe
from ganvas.recipe.serialization import difference
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.runs.models import find, generator_weights
from ganvas.systems import read_recipe
from ganvas.training.run import Run


def refuse_other_recipe(folder: RunFolder, recipe: Recipe) -> None:
    """Refuse to go on with another recipe; its length alone may change.

    Raises:
        InputError: the run was begun with other settings.
    """
    if not folder.exists():
        return
    old = read_recipe(folder.read_recipe(), str(folder.recipe))
    # The length decides only where the run ends, not what any weight is on the way.
    changed = difference(old, replace(recipe, images=old.images))
    if changed:
        raise InputError(
            f"the run {folder.path} was begun with another recipe ({'; '.join(changed)}); repeat its settings to go on"
            " with it, or give a new --name."
        )


def restore(run: Run, folder: RunFolder, dataset: Dataset, console: Console) -> None:
    """Bring a run to where its folder stands, or to the weights that its recipe starts at.

    Raises:
        InputError: no checkpoint is whole, the data are others, or the weights to start at do not fit.
    """
    damaged: dict[Path, str] = {}
    for path in folder.states():
        try:
            tensors, about = checkpoint.load(path)
        except checkpoint.Damaged as error:
            damaged[path] = str(error)
            console.print(f"{error}; going back to the one before.", style="yellow")
            continue
        if about["data"] != dataset.fingerprint:
            raise InputError(
                f"the {dataset.kind} of {dataset.name} are not those that the run {folder.path} was begun with; bring"
                " them back, or give a new --name."
            )
        run.load_state_dict(tensors, about)
        break
    else:
        _begin(run, folder, damaged)
    for path, reason in damaged.items():
        folder.add_event("damaged", file=path.name, reason=reason)
        path.unlink()
    folder.forget_after(run.images_seen)


def _begin(run: Run, folder: RunFolder, damaged: dict[Path, str]) -> None:
    if damaged:
        first = next(iter(damaged.values()))
        raise InputError(
            f"no checkpoint of the run {folder.path} is whole ({first}); give a new --name to begin again."
        )
    if run.recipe.start:
        file = find(run.recipe.start)
        weights, about = generator_weights(file)
        run.begin_at(weights, str(file), about["system"])
        folder.add_event("began-at", model=run.recipe.start, run=about["run"], of_images=about["images"])


def is_finished(run: Run, folder: RunFolder, watch: Watch) -> bool:
    """Whether there is nothing left to do, also where a run ended early by a rule that still holds."""
    ends = [event for event in folder.read_events()[-1:] if event["event"] == "finished"]
    if not ends or ends[0]["images"] != run.images_seen:
        return False
    early = ends[0].get("early")
    may_end = watch.stop_when_past_best or watch.stop_at_knee or run.controller
    return run.images_seen >= run.recipe.images or bool(early and may_end)
