"""The runs of a study: what remains of each, and training one of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ganvas.data import count
from ganvas.errors import InputError
from ganvas.evaluation.test_sets import find_set
from ganvas.experiment import Host, Outcome, train
from ganvas.observers.watch import Watch
from ganvas.recipe import Recipe
from ganvas.recipe.serialization import difference
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.runs.record import Record
from ganvas.studies.study import Study, as_tuple, read_study
from ganvas.systems import read_recipe

FILE = "study.json"  # in the study's folder: the study as it was run


@dataclass(frozen=True)
class RunJob:
    """One run of a study, with its length decided."""

    name: str
    recipe: Recipe
    folder: RunFolder
    dataset_size: int
    """Images that are trained on: one epoch."""

    @property
    def record(self) -> Record | None:
        """Its run as it is now; None before it starts."""
        return Record(self.folder) if self.folder.exists() else None

    @property
    def images_seen(self) -> int:
        """Real images seen so far."""
        return record.images_seen if (record := self.record) else 0

    @property
    def state(self) -> str:
        """That of the run; new before it starts."""
        return record.state if (record := self.record) else "new"

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to train: it reached its length, was stopped early by a rule, or diverged."""
        record = self.record
        if record is None or record.state != "finished":
            return record is not None and record.state == "diverged"
        return record.ended_early or record.images_seen >= self.recipe.images


def jobs_of(study: Study, runs: str, only: str = "") -> list[RunJob]:
    """The runs of a study, in the order in which they are trained; of all or of one name.

    Raises:
        InputError: the data cannot be used, or a run of that name exists with another recipe.
    """
    counts: dict[Any, int] = {}
    made = []
    for name, recipe in study.runs().items():
        if only not in ("", name):
            continue
        system = recipe.system
        key = recipe.data, system.shape
        if key not in counts:
            counts[key] = count(*key)
        if study.at:
            recipe = replace(recipe, images=max(study.at) * counts[key])
        job = RunJob(name, recipe, RunFolder(Path(runs) / study.name / name), counts[key])
        if job.folder.exists():
            old = read_recipe(job.folder.read_recipe(), str(job.folder.recipe))
            changed = difference(old, replace(recipe, images=old.images))
            if changed:
                raise InputError(
                    f"{job.folder.path} was started with another recipe ({'; '.join(changed)}); give the study another"
                    " name, or move that run away."
                )
        made.append(job)
    return made


def evaluations(study: Study, job: RunJob) -> Iterator[list[str]]:
    """The command lines of ganvas evaluate that a finished run of a study still needs."""
    record = Record(job.folder)
    if study.sets:
        yield from _scorings(study, job, record)
        return
    options = {key: value for key, value in study.evaluate.items() if key != "which"}
    words = []
    for key, value in options.items():
        words += [f"--{key}", *map(str, as_tuple(value))]
    for state, target in _states(study, job):
        if not _has(record, state, options):
            yield ["evaluate", *target, *words]


def _scorings(study: Study, job: RunJob, record: Record) -> Iterator[list[str]]:
    """The same for test sets: for every state, the sets on which it is not yet scored."""
    names = {word: find_set(word, study.scale).name for word in study.sets}
    seed = study.evaluate.get("seed", 0)
    for state, target in _states(study, job):
        left = [word for word, name in names.items() if not _has(record, state, {"on": name, "seed": seed})]
        if left:
            yield ["evaluate", *target, "--on", *left, "--seed", str(seed)]


def _states(study: Study, job: RunJob) -> Iterator[tuple[str, list[str]]]:
    """Name and target of every state to evaluate."""
    kept = sorted(job.folder.checkpoints.glob("kept-*.safetensors"))
    for epochs in sorted(study.at)[:-1]:
        # Kept at the end of the round in which the count was reached.
        reached = [path for path in kept if int(path.stem.removeprefix("kept-")) >= epochs * job.dataset_size]
        for path in reached[:1]:  # none if the run ended early
            yield path.stem, [str(path)]
    for state in as_tuple(study.evaluate.get("which", "last")):
        yield state, [str(job.folder.path), "--which", state]


def _has(record: Record, state: str, options: dict[str, Any]) -> bool:
    """Whether a state of a run, as it is now, has been evaluated with these options."""
    images = {"last": record.images_seen, "best": _best(record.folder)}.get(state)
    for line in record.evaluations:
        asked = line.get("asked", {})
        if (
            line.get("state") == state
            and images in (None, line.get("images_seen", line.get("images")))
            and asked.get("against", "") == options.get("against", "")
            and all(asked.get(key) == value for key, value in options.items())
        ):
            return True
    return False


def _best(folder: RunFolder) -> int | None:
    try:
        return int(checkpoint.about(folder.checkpoints / "best.safetensors")["images"])
    except checkpoint.Damaged:
        return None


def train_one(file: str | Path, name: str, host: Host) -> Outcome:
    """Train one run of a study whose file is in the folder of its runs.

    Raises:
        InputError, Diverged: as `ganvas.train`.
    """
    study = read_study(file)
    folder = Path(file).parent
    found = jobs_of(study, str(folder.parent), only=name)
    if not found:
        raise InputError(f"the study {study.name} has no run {name!r}; its runs are {', '.join(study.runs())}.")
    (job,) = found
    every = math.gcd(*study.at) * job.dataset_size if len(study.at) > 1 else 0
    return train(job.recipe, name=name, watch=Watch(keep_every=every), host=replace(host, runs=str(folder)))
