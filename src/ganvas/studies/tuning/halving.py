"""Successive halving over paired trials: all candidates briefly, the best few longer and with more seeds."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import TaskID

from ganvas.data import count
from ganvas.diagnosis.remedies import flags
from ganvas.errors import InputError
from ganvas.experiment import Host, train
from ganvas.experiment.sanity_checks import sanity_checks
from ganvas.files import expect_plain_name, write_text
from ganvas.metrics.extractors import open_extractor
from ganvas.metrics.intervals import GROUPS
from ganvas.observers.watch import Watch
from ganvas.progress import Bar
from ganvas.recipe import Recipe
from ganvas.recipe.serialization import difference, to_plain
from ganvas.runs.folder import RunFolder
from ganvas.runs.record import Record
from ganvas.studies.tuning.candidates import FURTHER, TuningCandidate, candidates_of, first_images
from ganvas.studies.tuning.search import Search
from ganvas.studies.tuning.trial_chart import draw
from ganvas.studies.tuning.trials import Recommendation, Trial, Trials, choose, ranked, read
from ganvas.terminal import console as terminal
from ganvas.training.loop import Diverged
from ganvas.training.observer import Observer
from ganvas.training.run import Report, Run
from ganvas.untrusted import read_object

FILE, CHART = "tune.json", "tune.png"
DIAGNOSES = 20  # in a first trial
GRID = (4, 4)
SHOWN = 0.5  # seconds between looks at how far a trial is


class SearchStopped(KeyboardInterrupt):
    """A signal ended the search; finished trials are kept.

    Attributes:
        signal: its number.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = number


@dataclass(frozen=True)
class TuningResult:
    """What a search found.

    Attributes:
        trials: all of them as they ended, the best first: finalists, then the others.
        choice: the recommendation, and why.
        flags: turn the given recipe into the recommended one; empty for the recipe's own values.
        seconds: of all trials together.
        images: real images of all trials together.
        share: these over those of the whole run.
        chart: PNG of all candidates' fakes and KIDs.
    """

    trials: tuple[Trial, ...]
    choice: Recommendation
    flags: tuple[str, ...]
    seconds: float
    images: int
    share: float
    chart: Path


def tune(
    recipe: Recipe,
    *,
    name: str = "tune",
    search: Search | None = None,
    host: Host | None = None,
    console: Console | None = None,
) -> TuningResult:
    """Find the factors of the learning rates and of the penalties that suit a recipe.

    Every trial is, bit for bit, the beginning of the whole run with its values, so that the best one can go on. Trials
    of one seed start from the same weights, see the same batches, and measure KID on the same z. After an interruption
    the same call continues.

    Args:
        recipe: images from noise, with the length of the whole run.
        name: of the folder in `host.runs` for the trials.
        search: what is tried.
        host: where to compute.
        console: prints one line for each trial.

    Raises:
        InputError: there is nothing to tune, the budget or the data cannot be used, or the folder holds another search.
        SearchStopped: by Ctrl-C or SIGTERM.
    """
    search, host, console = search or Search(), host or Host(), console or terminal.Console(stderr=True)
    candidates, images = candidates_of(recipe, search), first_images(recipe, search)
    expect_plain_name(name, "--name")
    folder = Path(host.runs) / name
    asked = {"recipe": to_plain(recipe), "search": to_plain(search)}
    _refuse_other(folder, asked)
    dataset_size = count(recipe.data, recipe.system.shape)
    if dataset_size < 2 * GROUPS:
        raise InputError(
            f"{dataset_size} training images are too few to measure KID, and so to tune; give at least {2 * GROUPS}."
        )
    open_extractor(search.extractor)  # fails before anything is started
    write_text(folder / FILE, json.dumps(asked, indent=2) + "\n")
    say = partial(console.print, highlight=False, soft_wrap=True)
    for warning in sanity_checks(recipe):  # once, not in every trial
        say(warning, style="yellow")
    many = max(2, -(-len(candidates) // FURTHER))
    seeds = range(recipe.seed, recipe.seed + search.seeds)
    total = len(candidates) * images + many * images * (FURTHER * search.seeds - 1)
    say(
        f"{len(candidates)} trials of {images:,} images, then the best {many} to {FURTHER * images:,}, with"
        f" {search.seeds} seed{'s' * (search.seeds > 1)} each: {total:,} images, {total / recipe.images:.0%} of the"
        " run's"
    )
    if total > recipe.images:
        say(
            "this search is longer than the run it is for; lengthen the run with --images, shorten the search with"
            " --search.seeds 1, --search.factors or --search.images, or compare whole runs with ganvas study.",
            style="yellow",
        )
    with Bar(console, refresh=False) as bar:
        trainer = _Trainer(search, images, replace(host, runs=str(folder)), bar)
        first = ranked([[trainer.run(candidate, recipe.seed, images)] for candidate in candidates])
        chosen = finalists(first, many)
        finals = ranked([[trainer.run(one, seed, FURTHER * images) for seed in seeds] for one in chosen])
    choice = choose(finals or first, (1.0, *search.factors))
    rest = [group for group in first if group[0].candidate not in chosen]
    trials = tuple(trial for group in (*finals, *rest) for trial in group)
    result = TuningResult(
        trials,
        choice,
        () if choice.candidate is None else tuple(flags(recipe, choice.candidate.recipe)),
        sum(trial.seconds for trial in trials),
        sum(trial.images for trial in trials),
        sum(trial.images for trial in trials) / recipe.images,
        folder / CHART,
    )
    draw(result.chart, candidates, trials, recipe.seed, images)
    write_text(folder / FILE, json.dumps({**asked, **_plain(result, recipe)}, indent=2) + "\n")
    return result


def finalists(first: Sequence[Trials], many: int) -> list[TuningCandidate]:
    """The candidates of the best few trials, and always the recipe's own values; none that diverged."""
    standing = [group[0].candidate for group in first if not group[0].has_diverged]
    own = [candidate for candidate in standing[many:] if candidate.is_own]
    return [*standing[: many - len(own)], *own]


class _Trainer:
    """Trains trials one after the other; continues those that were interrupted."""

    def __init__(self, search: Search, images: int, host: Host, bar: Bar) -> None:
        self.search, self.first, self.host, self.bar = search, images, host, bar

    def run(self, candidate: TuningCandidate, seed: int, images: int) -> Trial:
        """A candidate's trial up to a count of images."""
        folder = RunFolder(Path(self.host.runs) / candidate.run(seed))
        recipe = replace(candidate.recipe, seed=seed, images=images)
        if not _is_over(folder, images):
            watch = Watch(
                extractor=self.search.extractor,
                measure_every=images // 2 if images == self.first else self.first,
                diagnose_every=max(recipe.batch_size, self.first // DIAGNOSES),
                sample_epochs=0,
                grid=GRID,
            )
            try:
                outcome = train(
                    recipe,
                    name=folder.name,
                    observers=[_Shown(self.bar, f"{candidate.label}, seed {seed}")],
                    watch=watch,
                    host=self.host,
                    console=terminal.Console(quiet=True),
                )
            except Diverged:
                pass  # read from its folder, and ranked last
            else:
                if outcome.state == "stopped":
                    raise SearchStopped(outcome.signal or 2)
        found = read(candidate, seed, folder, images)
        kid = f"KID {found.kid.value:.4g}, SWD {found.swd:.4g}, " if found.kid else ""
        self.bar.say(
            f"{candidate.label}, seed {seed}, {found.images:,} images: {kid}{found.verdict}, {found.seconds:.0f} s"
        )
        return found


class _Shown(Observer):
    """A trial as a task of the search's bar, while it is trained."""

    def __init__(self, bar: Bar, name: str) -> None:
        self.bar, self.name = bar, name
        self.task: TaskID | None = None

    def start(self, run: Run) -> None:
        """Show it."""
        self.task, self.shown_at = self.bar.add(self.name, run.recipe.images, completed=run.images_seen), 0.0

    def step(self, run: Run, report: Report) -> None:
        """Show how far it is."""
        now = time.monotonic()
        if self.task is not None and now - self.shown_at >= SHOWN:
            self.shown_at = now
            self.bar.update(self.task, completed=min(report.images_seen, run.recipe.images), refresh=True)

    def close(self) -> None:
        """Show it no longer."""
        if self.task is not None:
            self.bar.remove_task(self.task)


def _is_over(folder: RunFolder, images: int) -> bool:
    if not folder.exists():
        return False
    record = Record(folder)
    return record.state == "diverged" or (record.state == "finished" and record.images_seen >= images)


def _refuse_other(folder: Path, asked: dict[str, Any]) -> None:
    if not (folder / FILE).is_file() or not any(folder.glob("*/recipe.json")):
        return
    before = read_object(folder / FILE)
    changed = difference({key: before.get(key) for key in asked}, asked)
    if changed:
        raise InputError(
            f"{folder} holds a search with other settings ({'; '.join(changed)}); repeat them to continue it, or give a"
            " new --name."
        )


def _plain(result: TuningResult, recipe: Recipe) -> dict[str, Any]:
    chosen = result.choice.candidate
    return {
        "probes": [_line(trial, recipe) for trial in result.trials],
        "choice": chosen and chosen.label,
        "reason": result.choice.reason,
        "flags": list(result.flags),
        "seconds": round(result.seconds, 1),
        "images": result.images,
        "share": result.share,
    }


def _line(trial: Trial, recipe: Recipe) -> dict[str, Any]:
    kid = trial.kid
    return {
        "candidate": trial.candidate.label,
        "flags": list(flags(recipe, trial.candidate.recipe)),
        "run": trial.folder.name,
        "seed": trial.seed,
        "images": trial.images,
        "kid": kid and [kid.value, kid.low, kid.high],
        "swd": trial.swd if kid else None,
        "verdict": trial.verdict,
        "why": trial.why,
        "seconds": round(trial.seconds, 1),
    }
