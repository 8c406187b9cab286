"""One command's worth of training: begin or resume a run folder, play, leave it whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from rich.console import Console

import ganvas
from ganvas.data import Dataset, open_data
from ganvas.errors import InputError
from ganvas.experiment.host import Host
from ganvas.experiment.sanity_checks import doubts
from ganvas.files import expect_plain_name, remove_leftovers, write_text
from ganvas.metrics.intervals import GROUPS
from ganvas.observers.progress import ProgressLine
from ganvas.observers.watch import Watch
from ganvas.recipe import Recipe
from ganvas.recipe.serialization import difference, from_plain, to_plain
from ganvas.recipe.sources import Images
from ganvas.recipe.system import Translation
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.runs.models import find, generator_weights
from ganvas.tasks.feed_of import make_feed
from ganvas.tasks.labels import expect_labels
from ganvas.tasks.observers_of import expect_sound, make_probe, observers_of
from ganvas.training.allocator import keep_freed_memory
from ganvas.training.controller import Controller
from ganvas.training.loop import Diverged
from ganvas.training.loop import train as play
from ganvas.training.run import Run


@dataclass(frozen=True)
class Outcome:
    """How a call to `train` ended."""

    folder: RunFolder
    state: Literal["finished", "stopped"]
    images_seen: int
    signal: int | None = None
    """The signal that stopped it."""
    early: str = ""
    """Why it finished before its recipe's length, where it did."""


def train(
    recipe: Recipe,
    *,
    name: str,
    watch: Watch | None = None,
    host: Host | None = None,
    console: Console | None = None,
) -> Outcome:
    """Train the recipe in the run folder `host.runs/name`: begin there, or go on where it stands.

    Ctrl-C and SIGTERM stop after the current round with a checkpoint; a second one at once. More `images` than the
    run had lengthens it; any other change of the recipe is refused.

    Raises:
        InputError: a setting, the data or the folder cannot be used.
        Diverged: a loss became NaN or infinite; the last good checkpoint stands.
    """
    watch, host, console = watch or Watch(), host or Host(), console or Console(stderr=True)
    expect_plain_name(name, "--name")
    folder = RunFolder(Path(host.runs) / name)
    _refuse_other_recipe(folder, recipe)
    if watch.extractor and not isinstance(recipe.data, Images):
        raise InputError(
            f"--watch.extractor {watch.extractor} compares pictures made from noise, and this run makes none; drop it."
        )
    expect_sound(recipe, watch)
    keep_freed_memory()
    device = host.torch_device()
    system = recipe.system
    whole = open_data(recipe.data, system.shape, workers=host.workers, progress=True)
    dataset, held_out = whole.split(recipe.data.held_out)
    expect_labels(system, dataset, folder)
    if watch.extractor and len(dataset) < 2 * GROUPS:
        raise InputError(
            f"--watch.extractor {watch.extractor} needs {2 * GROUPS} pictures, and {dataset.name} has {len(dataset)} to"
            " train on; drop it."
        )
    feed = make_feed(recipe, dataset, device)
    run = Run(recipe, device)
    with folder.lock():
        remove_leftovers(folder.path)
        # The diagnosis knows games that begin at noise alone.
        probe = None if isinstance(system, Translation) else make_probe(run, dataset, held_out)
        if probe and recipe.steering.mode == "treat":
            Controller(run, probe, partial(_tell, folder, console))
        _restore(run, folder, dataset, console)
        if _is_finished(run, folder, watch):
            console.print(f"{folder.path} is finished at image {run.images_seen:,}; more --images would lengthen it")
            return Outcome(folder, "finished", run.images_seen)
        write_text(folder.recipe, _json(to_plain(recipe)))
        write_text(folder.host, _json(host.describe()))
        _announce(run, folder, dataset, console)
        began_at = run.images_seen
        progress = ProgressLine(console)
        about = {
            "ganvas": ganvas.__version__,
            "run": folder.name,
            "system": to_plain(system),
            "data": dataset.fingerprint,
            "start": recipe.start,
            "classes": dataset.classes if system.classes else (),
        }
        observers = observers_of(folder, recipe, watch, (dataset, held_out), probe, about, progress)
        try:
            with _stop_on_signals(console) as caught:
                spent = play(run, feed, observers, stop=lambda: bool(caught) or any(o.ends for o in observers))
        except Diverged as error:
            last = folder.states()
            kept = str(last[0]) if last else None
            folder.add_event("diverged", images=error.images, term=error.term, checkpoint=kept)
            raise
        finally:
            progress.close()
        ends = next((observer.ends for observer in observers if observer.ends), "")
        early = ends or ("" if caught else _ended_by_controller(run))
        finished = run.images_seen >= recipe.images or bool(early)
        state: Literal["finished", "stopped"] = "finished" if finished else "stopped"
        if finished:
            best, images = folder.checkpoints / "best.safetensors", run.images_seen
            if ends and best.exists():
                players, notes = checkpoint.load(best)
                run.load_players(players)
                images = notes["images"]
            tensors = {f"g.{key}": value for key, value in run.sampler.state_dict().items()}
            checkpoint.save(folder.model, tensors, {**about, "images": images})
        fields: dict[str, Any] = {"data_wait": spent.data / spent.total, "observers": spent.observers / spent.total}
        if early:
            saved = spent.total * (recipe.images - run.images_seen) / max(1, run.images_seen - began_at)
            fields |= {"early": early, "saved_seconds": round(saved, 1)}
        folder.add_event(state, images=run.images_seen, seconds=round(spent.total, 3), **fields)
        return Outcome(folder, state, run.images_seen, caught[0] if caught and not finished else None, early)


def _ended_by_controller(run: Run) -> str:
    return "no remedy helped" if run.controller and run.images_seen < run.recipe.images else ""


def _tell(folder: RunFolder, console: Console, event: str, **fields: Any) -> None:
    folder.add_event(event, **fields)
    about = fields.get("remedy") or f"to image {fields['to']:,}"
    change = f" ({fields['change']})" if "change" in fields else ""
    console.print(f"image {fields['images']:,}: {event}: {about}{change}", highlight=False, soft_wrap=True)


def _refuse_other_recipe(folder: RunFolder, recipe: Recipe) -> None:
    if not folder.exists():
        return
    old = from_plain(Recipe, folder.read_recipe(), str(folder.recipe))
    # The length decides only where the run ends, not what any weight is on the way.
    changed = difference(old, replace(recipe, images=old.images))
    if changed:
        raise InputError(
            f"the run {folder.path} was begun with another recipe ({'; '.join(changed)}); repeat its settings to go on"
            " with it, or give a new --name."
        )


def _restore(run: Run, folder: RunFolder, dataset: Dataset, console: Console) -> None:
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
    for path, reason in damaged.items():
        folder.add_event("damaged", file=path.name, reason=reason)
        path.unlink()
    folder.forget_after(run.images_seen)


def _is_finished(run: Run, folder: RunFolder, watch: Watch) -> bool:
    ends = [event for event in folder.read_events()[-1:] if event["event"] == "finished"]
    if not ends or ends[0]["images"] != run.images_seen:
        return False
    early = ends[0].get("early")
    may_end = watch.stop_when_past_best or watch.stop_at_knee or run.controller
    return run.images_seen >= run.recipe.images or bool(early and may_end)


def _announce(run: Run, folder: RunFolder, dataset: Dataset, console: Console) -> None:
    for skipped in dataset.skipped if not run.images_seen else ():
        folder.add_event("skipped", file=skipped.name, reason=skipped.reason)
    if dataset.skipped:
        console.print(
            f"{len(dataset.skipped)} of {len(dataset) + len(dataset.skipped)} files cannot be used, such as"
            f" {dataset.skipped[0].name} ({dataset.skipped[0].reason}); all are listed in {folder.events}.",
            style="yellow",
        )
    folder.add_event("resumed" if run.images_seen else "started", images=run.images_seen)
    for doubt in doubts(run.recipe, dataset):
        folder.add_event("doubt", images=run.images_seen, sentence=doubt)
        console.print(doubt, style="yellow", highlight=False, soft_wrap=True)
    start = f"resuming {folder.path} at image {run.images_seen:,}" if run.images_seen else f"training {folder.path}"
    epochs = run.recipe.images / len(dataset)
    console.print(f"{start}: {len(dataset):,} {dataset.kind} of {dataset.name}, {epochs:.1f} epochs, on {run.device}")


@contextmanager
def _stop_on_signals(console: Console) -> Iterator[list[int]]:
    """Collect the first SIGINT or SIGTERM; let the second end the process as usual."""
    caught: list[int] = []

    def catch(number: int, frame: FrameType | None) -> None:
        if caught:
            raise SystemExit(128 + number)
        caught.append(number)
        console.print("stopping after a checkpoint; once more to stop at once", style="yellow")

    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {number: signal.signal(number, catch) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _json(plain: Any) -> str:
    import json

    return json.dumps(plain, indent=2) + "\n"
