"""One training session: begin or resume a run folder, train, and leave it in a consistent state."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from rich.console import Console

import ganvas
from ganvas.data import Dataset, open_data
from ganvas.data.feed import Feed
from ganvas.diagnosis.signals import Probe
from ganvas.errors import InputError
from ganvas.experiment.host import Host
from ganvas.experiment.observing import make_observers
from ganvas.experiment.resume import is_finished, reject_other_recipe, restore
from ganvas.experiment.sanity_checks import sanity_checks
from ganvas.files import expect_plain_name, remove_leftovers, write_text
from ganvas.observers.progress import ProgressLine
from ganvas.observers.watch import Watch
from ganvas.recipe import Recipe
from ganvas.recipe.serialization import to_plain
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.runs.models import generator_weights
from ganvas.systems import named_recipe, run_name
from ganvas.tasks import Task, task_of
from ganvas.terminal import console as terminal
from ganvas.training.allocator import keep_freed_memory
from ganvas.training.controller import Controller
from ganvas.training.loop import Diverged, Timing
from ganvas.training.loop import train as play
from ganvas.training.observer import Observer
from ganvas.training.run import Run


@dataclass(frozen=True)
class Outcome:
    """The result of a call to `train`."""

    folder: RunFolder
    state: Literal["finished", "stopped"]
    images_seen: int
    signal: int | None = None
    """The signal that stopped it."""
    early: str = ""
    """The reason for finishing before the recipe's length, if it did."""


def train(
    recipe: Recipe | str | Path,
    *,
    name: str = "",
    observers: Sequence[Observer] = (),
    watch: Watch | None = None,
    host: Host | None = None,
    console: Console | None = None,
    note: str = "",
) -> Outcome:
    """Train the recipe in the run folder `host.runs/name`, beginning a new run or resuming an existing one.

    Ctrl-C or SIGTERM stops after the current round and a checkpoint; a second one stops at once. A larger `images`
    extends the run; any other change of the recipe is rejected.

    Args:
        recipe: a recipe, the name of one as in ``ganvas list``, or a run's folder or recipe.json to train again.
        name: of the run; by default that of the recipe, which a `Recipe` itself does not have.
        observers: yours, called after ganvas's own; they must not change the run. One that fails is left out.
        note: a sentence about the run, printed once nothing has been refused.

    Raises:
        InputError: a setting, the data or the folder is invalid.
        Diverged: a loss became NaN or infinite; the last good checkpoint is kept.
    """
    watch, host, console = watch or Watch(), host or Host(), console or terminal.Console(stderr=True)
    recipe, name = _named(recipe, name, host)
    if stranger := next((one for one in observers if not isinstance(one, Observer)), None):
        raise InputError(f"{stranger!r} does not observe; give instances of subclasses of ganvas.Observer.")
    task = task_of(recipe)
    task.check(recipe)
    folder = RunFolder(Path(host.runs) / name)
    reject_other_recipe(folder, recipe)
    session = _prepare(task, recipe, folder, watch, host, console)
    session.observers = observers
    run = session.run
    with folder.lock():
        remove_leftovers(folder.path)
        session.restore()
        if is_finished(run, folder, watch):
            console.print(
                f"{folder.path} is already finished at image {run.images_seen:,}; raise --images to extend it",
                soft_wrap=True,
            )
            return Outcome(folder, "finished", run.images_seen)
        write_text(folder.recipe, json.dumps(to_plain(recipe), indent=2) + "\n")
        write_text(folder.host, json.dumps(host.describe(), indent=2) + "\n")
        session.announce(note)
        with _stop_on_signals(console) as caught:
            return session.play(caught)


def _named(recipe: Recipe | str | Path, name: str, host: Host) -> tuple[Recipe, str]:
    """The recipe, and the name of its run."""
    made = recipe if isinstance(recipe, Recipe) else named_recipe(recipe)
    if not name and not isinstance(recipe, Recipe):
        name = run_name(recipe, host.runs)
    if not isinstance(name, str) or not name:
        raise InputError("a run of a Recipe needs a name; give one, as in ganvas.train(recipe, name='mine').")
    expect_plain_name(name, "--name")
    return made, name


def _prepare(task: Task, recipe: Recipe, folder: RunFolder, watch: Watch, host: Host, console: Console) -> _Session:
    """Open the data and build the networks, rejecting everything invalid before anything is written."""
    task.check_watch(recipe, watch)
    keep_freed_memory()
    device = host.torch_device()
    whole = open_data(recipe.data, recipe.system.shape, workers=host.workers, progress=True)
    dataset, held_out = whole.split(recipe.data.held_out)
    task.check_data(recipe, watch, dataset, folder)
    feed = task.feed(recipe, dataset, device)
    return _Session(task, recipe, folder, watch, console, dataset, held_out, feed, Run(recipe, device))


@dataclass
class _Session:
    """A run in its folder."""

    task: Task
    recipe: Recipe
    folder: RunFolder
    watch: Watch
    console: Console
    dataset: Dataset
    held_out: Dataset
    feed: Feed
    run: Run
    probe: Probe | None = None
    observers: Sequence[Observer] = ()
    finished: bool = False
    early: str = ""
    """The reason for finishing before the recipe's length, if it did."""

    def restore(self) -> None:
        """Restore the run and its controller from the folder."""
        self.probe = self.task.probe(self.run, self.dataset, self.held_out)
        if self.probe and self.recipe.steering.mode == "treat":
            Controller(self.run, self.probe, self._on_event)
        restore(self.run, self.folder, self.dataset, self.console)

    def announce(self, note: str = "") -> None:
        """Print and record the start of the session and any warnings."""
        run, folder, dataset, console = self.run, self.folder, self.dataset, self.console
        for skipped in dataset.skipped if not run.images_seen else ():
            folder.add_event("skipped", file=skipped.name, reason=skipped.reason)
        if dataset.unusable:
            console.print(f"{dataset.unusable}; {folder.events} lists them all.", style="yellow")
        for line in filter(None, (*(f"{dataset.name}: {choice}" for choice in dataset.notes), note)):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        folder.add_event("resumed" if run.images_seen else "started", images=run.images_seen)
        for warning in (*self.task.warnings(run.recipe, dataset), *sanity_checks(run.recipe)):
            folder.add_event("warning", images=run.images_seen, sentence=warning)
            console.print(warning, style="yellow", highlight=False, soft_wrap=True)
        start = f"resuming {folder.path} at image {run.images_seen:,}" if run.images_seen else f"training {folder.path}"
        epochs = run.recipe.images / len(dataset)
        console.print(
            f"{start}: {len(dataset):,} {dataset.kind} of {dataset.name}, {epochs:.1f} epochs, on {run.device}"
        )

    def play(self, caught: list[int]) -> Outcome:
        """Train with all observers until the end, or until `caught` holds a signal."""
        run, folder, began_at = self.run, self.folder, self.run.images_seen
        progress = ProgressLine(self.console)
        parts = self.dataset, self.held_out
        about, conclude = self._about(), lambda: self._conclude(caught)
        ours = make_observers(self.task, folder, self.recipe, self.watch, parts, self.probe, about, progress, conclude)
        self.observers = [*ours, *self.observers]
        try:
            spent = play(run, self.feed, self.observers, lambda: bool(caught or self._ends()), self._leave_out)
        except Diverged as error:
            last = folder.states()
            kept = str(last[0]) if last else None
            folder.add_event("diverged", images=error.images, term=error.term, checkpoint=kept)
            raise
        finally:
            for observer in self.observers:
                with suppress(Exception):
                    observer.close()
        return self._record(spent, began_at, caught)

    def _ends(self) -> str:
        """Why an observer ends the run; empty if none does."""
        return next((observer.ends for observer in self.observers if observer.ends), "")

    def _conclude(self, caught: list[int]) -> None:
        """Decide how the session ended, and write the model of a finished run."""
        self.early = self._ends() or ("" if caught else self._ended_by_controller())
        self.finished = self.run.images_seen >= self.recipe.images or bool(self.early)
        if self.finished:
            self._write_model(best=bool(self._ends()))

    def _record(self, spent: Timing, began_at: int, caught: list[int]) -> Outcome:
        """Record how the session ended."""
        seen, early = self.run.images_seen, self.early
        state: Literal["finished", "stopped"] = "finished" if self.finished else "stopped"
        fields: dict[str, Any] = {"data_wait": spent.data / spent.total, "observers": spent.observers / spent.total}
        if early:
            saved = spent.total * (self.recipe.images - seen) / max(1, seen - began_at)
            fields |= {"early": early, "saved_seconds": round(saved, 1)}
        self.folder.add_event(state, images=seen, seconds=round(spent.total, 3), **fields)
        return Outcome(self.folder, state, seen, caught[0] if caught and state == "stopped" else None, early)

    def _write_model(self, best: bool) -> None:
        """Write the current or best generator as the run's model."""
        weights, images = self.run.sampler.state_dict(), self.run.images_seen
        kept = self.folder.checkpoints / "best.safetensors"
        if best and kept.exists():
            weights, notes = generator_weights(kept)
            images = notes["images"]
        tensors = {f"g.{key}": value for key, value in weights.items()}
        checkpoint.save(self.folder.model, tensors, {**self._about(), "images": images})

    def _leave_out(self, observer: Observer, error: Exception) -> None:
        """Report an observer that failed; to report must not fail either."""
        name, reason = type(observer).__name__, f"{type(error).__name__}: {' '.join(str(error).split())}"
        with suppress(InputError):
            self.folder.add_event("observer-failed", images=self.run.images_seen, observer=name, reason=reason)
        with suppress(OSError):
            self.console.print(
                f"image {self.run.images_seen:,}: {name} failed and is left out from here on, while the training goes"
                f" on ({reason})",
                style="yellow",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )

    def _about(self) -> dict[str, Any]:
        """The header of every checkpoint and of the model."""
        return {
            "ganvas": ganvas.__version__,
            "run": self.folder.name,
            "system": to_plain(self.recipe.system),
            "data": self.dataset.fingerprint,
            "start": self.recipe.start,
            "classes": self.dataset.classes if self.recipe.system.classes else (),
            "names": dict(self.task.names(self.recipe, self.dataset)),
        }

    def _ended_by_controller(self) -> str:
        return "no remedy helped" if self.run.controller and self.run.images_seen < self.recipe.images else ""

    def _on_event(self, event: str, **fields: Any) -> None:
        self.folder.add_event(event, **fields)
        about = fields.get("remedy") or f"to image {fields['to']:,}"
        change = f" ({fields['change']})" if "change" in fields else ""
        self.console.print(f"image {fields['images']:,}: {event}: {about}{change}", highlight=False, soft_wrap=True)


@contextmanager
def _stop_on_signals(console: Console) -> Iterator[list[int]]:
    """Collect the first SIGINT or SIGTERM; exit at once on the second."""
    caught: list[int] = []

    def catch(number: int, frame: FrameType | None) -> None:
        if caught:
            raise SystemExit(128 + number)
        caught.append(number)
        console.print("stopping after a checkpoint; interrupt again to stop at once", style="yellow")

    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {number: signal.signal(number, catch) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
