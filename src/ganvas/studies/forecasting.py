"""How long a study takes on this machine: starting its processes, training, and judging."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ganvas.errors import InputError
from ganvas.evaluation.samples import CHUNK, FAKES
from ganvas.evaluation.test_sets import find_set, upscale
from ganvas.experiment import Host
from ganvas.experiment.cost import estimate_cost
from ganvas.metrics import measure_named, measures, pair_measures
from ganvas.metrics.extractors import open_extractor
from ganvas.metrics.measure import Evidence
from ganvas.metrics.memorization import nearest
from ganvas.observers.watch import Watch
from ganvas.recipe import Recipe
from ganvas.studies.processes import FORKS
from ganvas.studies.run_jobs import RunJob, evaluations, jobs_of
from ganvas.studies.study import Study, as_tuple
from ganvas.tasks import task_of

EXTRACTOR = "efficientnet-lite0"  # that of ganvas evaluate unless said otherwise
PROBE = 32  # images that are judged to time judging


@dataclass(frozen=True)
class Forecast:
    """What is left of one run of a study, and the seconds it takes on this machine, one run at a time."""

    job: RunJob
    left: int
    """Images to train on."""
    training: float
    start: float
    """Starting what trains and judges it; where all are forked from one process, the first run bears it."""
    judging: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.training + self.start + self.judging


def forecast(study: Study, host: Host) -> list[Forecast]:
    """What is left of every run, and how long it takes; timed on placeholder data, for some seconds each.

    Raises:
        InputError: as `jobs_of`.
    """
    device = host.torch_device()
    rates: dict[Any, float] = {}
    judged: dict[Any, float] = {}
    begun = _start()
    made = []
    for job in jobs_of(study, host.runs):
        recipe = job.recipe
        key = recipe.system, recipe.batch_size, recipe.precision, recipe.objective, recipe.penalties, recipe.schedule
        if key not in rates:
            # A step costs the same at any rate, and one at rate 0 cannot diverge.
            still = replace(recipe, adam_g=recipe.adam_g.at_rate(0.0), adam_d=recipe.adam_d.at_rate(0.0))
            rates[key] = estimate_cost(still, device, job.dataset_size, Watch()).images_per_second
        left = 0 if job.is_over else max(0, recipe.images - job.images_seen)
        times = _evaluations(study, job)
        of = recipe.system, job.dataset_size
        if times and of not in judged:
            judged[of] = _judging(study, recipe, job.dataset_size)
        judging = times * judged[of] if times else 0.0
        commands = bool(left) + times
        made.append(Forecast(job, left, left / rates[key], begun * (min(1, commands) if FORKS else commands), judging))
        if FORKS and commands:
            begun = 0.0
    return made


def _evaluations(study: Study, job: RunJob) -> int:
    """How many times it is judged."""
    if not study.evaluate or job.state == "diverged":
        return 0
    if job.is_over:
        return len(list(evaluations(study, job)))
    return len(study.at[:-1]) + len(as_tuple(study.evaluate.get("which", "last")))


def _start() -> float:
    """Seconds until a process has imported what it trains with."""
    return _timed(lambda: subprocess.run([sys.executable, "-c", "import ganvas.experiment.session"], check=True))


def _judging(study: Study, recipe: Recipe, dataset_size: int) -> float:
    """Seconds in which one state is judged, after the start."""
    if study.sets:
        return sum(_scoring(word, study.scale, recipe) for word in study.sets)
    if not task_of(recipe).has_features:
        return 0.0
    asked = study.evaluate
    own = [measure_named(name, measures()) for name in as_tuple(asked.get("measures", ()))]
    alone = next((one for one in own if one.alone), None)
    extractor = open_extractor(alone.extractor if alone else str(asked.get("extractor", EXTRACTOR)))
    fakes = int(asked.get("fakes", 0)) or (alone.fakes if alone else min(FAKES, dataset_size))
    channels, height, width = recipe.system.shape
    images = np.zeros((PROBE, height, width, channels), np.uint8)
    seconds = _timed(lambda: extractor.extract(images)) / PROBE
    if not alone:
        training = [np.zeros((min(CHUNK, dataset_size), height, width, channels), np.uint8)]
        seconds += _timed(lambda: nearest(images, training)) / PROBE * dataset_size / len(training[0])
    return fakes * seconds  # the features of the reals are kept after the first time


def _scoring(word: str, scale: int, recipe: Recipe) -> float:
    """Seconds in which one state is scored on a test set, from its first pair."""
    pairs = find_set(word, scale)
    pair = next(iter(replace(pairs, items=pairs.items[:1])))
    network = recipe.system.generator().eval()
    given = torch.zeros(1, recipe.system.shape[0], 32, 32)
    result = upscale(pair.low, scale)
    seconds = _timed(lambda: network(given)) * (pair.low[..., 0].size / given[0, 0].numel())
    for measure in (one for one in pair_measures() if one.is_default(Evidence())):
        try:
            measure.open()
        except InputError:  # it is left out of the scores as well
            continue
        seconds += _timed(lambda measure=measure: measure.score(result, pair.high, scale))  # type: ignore[misc]
    return seconds * len(pairs)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    with torch.inference_mode():
        work()
    return time.perf_counter() - began
