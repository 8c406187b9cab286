"""The runs of a study: what is left of each, how long that takes, and training one of them."""

from __future__ import annotations

import _thread
import math
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ganvas.data import count
from ganvas.errors import InputError
from ganvas.evaluation.test_sets import find_set
from ganvas.experiment import Host, Outcome, train
from ganvas.observers.watch import Watch
from ganvas.recipe import Adam, Recipe
from ganvas.recipe.serialization import difference
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.runs.record import Record
from ganvas.studies.study import Study, read_study
from ganvas.systems import read_recipe

FILE = "study.json"  # in the study's folder: the plan as it was carried out


@dataclass(frozen=True)
class Job:
    """One run of a study, with its length decided."""

    name: str
    recipe: Recipe
    folder: RunFolder
    pictures: int
    """That are trained on."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to train: it is finished at its length or before, or diverged."""
        if not self.folder.exists():
            return False
        now, last = Record(self.folder), self.folder.read_events()[-1:]
        early = any(event.get("early") for event in last)
        return now.state == "diverged" or (now.state == "finished" and (early or now.images_seen >= self.recipe.images))


def jobs_of(study: Study, runs: str) -> list[Job]:
    """The runs of a study in the order they are trained.

    Raises:
        InputError: the data cannot be used, or a run of that name stands there with another recipe.
    """
    counts: dict[Any, int] = {}
    made = []
    for name, recipe in study.runs().items():
        system = recipe.system
        key = recipe.data, system.shape
        if key not in counts:
            counts[key] = count(*key)
        if study.at:
            recipe = replace(recipe, images=max(study.at) * counts[key])
        job = Job(name, recipe, RunFolder(Path(runs) / study.name / name), counts[key])
        if job.folder.exists():
            old = read_recipe(job.folder.read_recipe(), str(job.folder.recipe))
            told = difference(old, replace(recipe, images=old.images))
            if told:
                raise InputError(
                    f"{job.folder.path} was begun with another recipe ({'; '.join(told)}); give the study another name,"
                    " or move that run away."
                )
        made.append(job)
    return made


def forecast(study: Study, host: Host) -> list[tuple[Job, int, float]]:
    """Of every run the images that are left and the seconds they take on this machine, one run at a time.

    Raises:
        InputError: as `jobs_of`.
    """
    from ganvas.experiment.cost import estimate_cost

    device = host.torch_device()
    rates: dict[Any, float] = {}
    told = []
    for job in jobs_of(study, host.runs):
        recipe = job.recipe
        key = recipe.system, recipe.batch_size, recipe.precision, recipe.objective, recipe.penalties, recipe.schedule
        if key not in rates:
            # A step costs the same at any rate, and one at rate 0 cannot diverge.
            still = replace(recipe, adam_g=Adam(lr=0.0), adam_d=Adam(lr=0.0))
            rates[key] = estimate_cost(still, device, job.pictures, Watch(), seconds=2.0).images_per_second
        done = Record(job.folder).images_seen if job.folder.exists() else 0
        left = 0 if job.is_over else max(0, recipe.images - done)
        told.append((job, left, left / rates[key]))
    return told


def evaluations(study: Study, job: Job) -> Iterator[list[str]]:
    """The command lines of ganvas evaluate that a finished run of a study still needs."""
    if study.sets:
        yield from _scorings(study, job)
        return
    options = {key: value for key, value in study.evaluate.items() if key != "which"}
    words = []
    for key, value in options.items():
        words += [f"--{key}", *map(str, value if isinstance(value, list | tuple) else [value])]
    figures = job.folder.read_figures()
    for state, target in _states(study, job):
        images = {"last": Record(job.folder).images_seen, "best": _best(job.folder)}.get(state)
        if not any(_is_of(figure, state, images, options) for figure in figures):
            yield ["evaluate", *target, *words]


def scale_of(study: Study) -> int:
    """By how much the study's system enlarges; 1 where it does not."""
    return getattr(study.recipe.system, "scale", 1)


def _scorings(study: Study, job: Job) -> Iterator[list[str]]:
    """The same for sets of pictures that are enlarged: of every state, those sets that it is not yet scored on."""
    names = {word: find_set(word, scale_of(study)).name for word in study.sets}
    seed = study.evaluate.get("seed", 0)
    figures = job.folder.read_figures()
    for state, target in _states(study, job):
        images = {"last": Record(job.folder).images_seen, "best": _best(job.folder)}.get(state)
        left = [
            word
            for word, name in names.items()
            if not any(_is_of(figure, state, images, {"on": name, "seed": seed}) for figure in figures)
        ]
        if left:
            yield ["evaluate", *target, "--on", *left, "--seed", str(seed)]


def _states(study: Study, job: Job) -> Iterator[tuple[str, list[str]]]:
    """Name and target of every state to evaluate."""
    kept = sorted(job.folder.checkpoints.glob("kept-*.safetensors"))
    for epochs in sorted(study.at)[:-1]:
        # Kept at the end of the round in which the count was reached.
        reached = [path for path in kept if int(path.stem.removeprefix("kept-")) >= epochs * job.pictures]
        for path in reached[:1]:  # none where the run ended early
            yield path.stem, [str(path)]
    which = study.evaluate.get("which", ["last"])
    for state in [which] if isinstance(which, str) else which:
        yield state, [str(job.folder.path), "--which", state]


def _is_of(figure: dict[str, Any], state: str, images: int | None, options: dict[str, Any]) -> bool:
    asked = figure.get("asked", {})
    return (
        figure.get("state") == state
        and images in (None, figure.get("images_seen", figure.get("images")))
        and asked.get("against", "") == options.get("against", "")
        and all(asked.get(key) == value for key, value in options.items())
    )


def _best(folder: RunFolder) -> int | None:
    try:
        return int(checkpoint.about(folder.checkpoints / "best.safetensors")["images"])
    except checkpoint.Damaged:
        return None


def train_one(file: str | Path, name: str, host: Host) -> Outcome:
    """Train one run of a study whose file lies beside its runs; stops when standard input closes.

    Raises:
        InputError, Diverged: as `ganvas.train`.
    """
    study = read_study(file)
    folder = Path(file).parent
    jobs = {job.name: job for job in jobs_of(study, str(folder.parent))}
    if name not in jobs:
        raise InputError(f"the study {study.name} has no run {name!r}; its runs are {', '.join(jobs)}.")
    job = jobs[name]
    every = math.gcd(*study.at) * job.pictures if len(study.at) > 1 else 0
    _stop_with_parent()
    return train(job.recipe, name=name, watch=Watch(keep_every=every), host=replace(host, runs=str(folder)))


def _stop_with_parent() -> None:
    def wait() -> None:
        os.read(0, 1)
        _thread.interrupt_main()

    threading.Thread(target=wait, daemon=True).start()
