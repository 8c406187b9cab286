"""Successive halving over paired probes: all a little, the best few further and with more seeds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from ganvas.data import count
from ganvas.diagnosis.remedies import flags
from ganvas.errors import InputError
from ganvas.experiment import Host, train
from ganvas.experiment.sanity_checks import sanity_checks
from ganvas.files import expect_plain_name, write_text
from ganvas.metrics.extractors import open_extractor
from ganvas.metrics.intervals import GROUPS
from ganvas.observers.watch import Watch
from ganvas.recipe import Recipe
from ganvas.recipe.serialization import difference, to_plain
from ganvas.runs.folder import RunFolder, read_json
from ganvas.runs.record import Record
from ganvas.studies.tuning.candidates import FURTHER, Candidate, candidates_of, first_images
from ganvas.studies.tuning.chart import draw
from ganvas.studies.tuning.settings import Search
from ganvas.studies.tuning.verdict import Choice, Group, Probe, choose, ranked, read
from ganvas.training.loop import Diverged

FILE, PICTURE = "tune.json", "tune.png"
LOOKS = 20  # of the diagnosis in a first probe
GRID = (4, 4)


class Stopped(KeyboardInterrupt):
    """A signal ended the search; what was done is kept.

    Attributes:
        signal: its number.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = number


@dataclass(frozen=True)
class Advice:
    """What a search found.

    Attributes:
        probes: all of them as they ended, the best first: finalists, then the others.
        choice: what it would take, and why.
        flags: that make the chosen recipe of the given one; empty for the recipe's own values.
        seconds: that all probes took together.
        images: real images that all probes saw together.
        share: these over those of the whole run.
        picture: the PNG of all candidates' fakes and of their KIDs.
    """

    probes: tuple[Probe, ...]
    choice: Choice
    flags: tuple[str, ...]
    seconds: float
    images: int
    share: float
    picture: Path


def tune(
    recipe: Recipe,
    *,
    name: str = "tune",
    search: Search | None = None,
    host: Host | None = None,
    console: Console | None = None,
) -> Advice:
    """Find out which factors of the learning rates and of the penalties suit a recipe.

    Every probe is, bit for bit, the beginning of the whole run with its values, so that the chosen one can go on.
    Probes of one seed start from the same weights and see the same batches; their KIDs are of the same z. Interrupted
    at any moment, the same call goes on.

    Args:
        recipe: of pictures from noise, as long as the run is to be.
        name: of the folder below `host.runs` that the probes are kept in.
        search: what is tried.
        host: where to compute.
        console: where one line for each probe goes.

    Raises:
        InputError: there is nothing to tune, the budget or the data cannot be used, or the folder holds another search.
        Stopped: by Ctrl-C or SIGTERM.
    """
    search, host, console = search or Search(), host or Host(), console or Console(stderr=True)
    candidates, images = candidates_of(recipe, search), first_images(recipe, search)
    expect_plain_name(name, "--name")
    folder = Path(host.runs) / name
    asked = {"recipe": to_plain(recipe), "search": to_plain(search)}
    _refuse_other(folder, asked)
    pictures = count(recipe.data, recipe.system.shape)
    if pictures < 2 * GROUPS:
        raise InputError(
            f"{pictures} pictures to train on are too few to measure a distance with, and so to tune by; bring at least"
            f" {2 * GROUPS}."
        )
    open_extractor(search.extractor)  # where it cannot be had, nothing is begun
    write_text(folder / FILE, json.dumps(asked, indent=2) + "\n")
    for warning in sanity_checks(recipe):  # what every probe would say
        console.print(warning, style="yellow", highlight=False, soft_wrap=True)
    prober = _Prober(search, images, replace(host, runs=str(folder)), console)
    many = max(2, -(-len(candidates) // FURTHER))
    seeds = range(recipe.seed, recipe.seed + search.seeds)
    total = len(candidates) * images + many * images * (FURTHER * search.seeds - 1)
    console.print(
        f"{len(candidates)} probes of {images:,} images, then the best {many} to {FURTHER * images:,}, with"
        f" {search.seeds} seed{'s' * (search.seeds > 1)} each: {total:,} images, {total / recipe.images:.0%} of the"
        " run's",
        highlight=False,
        soft_wrap=True,
    )
    if total > recipe.images:
        console.print(
            "this search is longer than the run that it is to advise on; ask for a longer run with --images, for less"
            " with --search.seeds 1, --search.factors or --search.images, or race whole runs with ganvas study.",
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )
    first = ranked([[prober.probe(candidate, recipe.seed, images)] for candidate in candidates])
    chosen = finalists(first, many)
    finals = ranked([[prober.probe(one, seed, FURTHER * images) for seed in seeds] for one in chosen])
    choice = choose(finals or first, (1.0, *search.factors))
    # Every run once, as it ended.
    left = [group for group in first if group[0].candidate not in chosen]
    probes = tuple(probe for group in (*finals, *left) for probe in group)
    advice = Advice(
        probes,
        choice,
        () if choice.candidate is None else tuple(flags(recipe, choice.candidate.recipe)),
        sum(probe.seconds for probe in probes),
        sum(probe.images for probe in probes),
        sum(probe.images for probe in probes) / recipe.images,
        folder / PICTURE,
    )
    draw(advice.picture, candidates, probes, recipe.seed, images)
    write_text(folder / FILE, json.dumps({**asked, **_plain(advice, recipe)}, indent=2) + "\n")
    return advice


def finalists(first: Sequence[Group], many: int) -> list[Candidate]:
    """The first few of ranked probes; the recipe's own values always, to be held against. None that diverged."""
    standing = [group[0].candidate for group in first if not group[0].has_diverged]
    own = [candidate for candidate in standing[many:] if candidate.is_own]
    return [*standing[: many - len(own)], *own]


class _Prober:
    """Trains probes one after the other, each from where it stands."""

    def __init__(self, search: Search, images: int, host: Host, console: Console) -> None:
        self.search, self.first, self.host, self.console = search, images, host, console

    def probe(self, candidate: Candidate, seed: int, images: int) -> Probe:
        """A candidate's probe at so many images."""
        folder = RunFolder(Path(self.host.runs) / candidate.run(seed))
        recipe = replace(candidate.recipe, seed=seed, images=images)
        if not _is_over(folder, images):
            watch = Watch(
                extractor=self.search.extractor,
                measure_every=images // 2 if images == self.first else self.first,
                diagnose_every=max(recipe.batch_size, self.first // LOOKS),
                sample_epochs=0,
                grid=GRID,
            )
            try:
                outcome = train(recipe, name=folder.name, watch=watch, host=self.host, console=Console(quiet=True))
            except Diverged:
                pass  # the folder says so, and the ranking
            else:
                if outcome.state == "stopped":
                    raise Stopped(outcome.signal or 2)
        found = read(candidate, seed, folder, images)
        kid = f"KID {found.kid.value:.4g}, SWD {found.swd:.4g}, " if found.kid else ""
        self.console.print(
            f"{candidate.label}, seed {seed}, {found.images:,} images: {kid}{found.verdict}, {found.seconds:.0f} s",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        return found


def _is_over(folder: RunFolder, images: int) -> bool:
    if not folder.exists():
        return False
    now = Record(folder)
    return now.state == "diverged" or (now.state == "finished" and now.images_seen >= images)


def _refuse_other(folder: Path, asked: dict[str, Any]) -> None:
    if not (folder / FILE).is_file() or not any(folder.glob("*/recipe.json")):
        return
    before = read_json(folder / FILE)
    told = difference({key: before.get(key) for key in asked}, asked)
    if told:
        raise InputError(
            f"{folder} holds a search begun with other settings ({'; '.join(told)}); repeat those to go on with it, or"
            " give a new --name."
        )


def _plain(advice: Advice, recipe: Recipe) -> dict[str, Any]:
    chosen = advice.choice.candidate
    return {
        "probes": [_line(probe, recipe) for probe in advice.probes],
        "choice": chosen and chosen.label,
        "reason": advice.choice.reason,
        "flags": list(advice.flags),
        "seconds": round(advice.seconds, 1),
        "images": advice.images,
        "share": advice.share,
    }


def _line(probe: Probe, recipe: Recipe) -> dict[str, Any]:
    kid = probe.kid
    return {
        "candidate": probe.candidate.label,
        "flags": list(flags(recipe, probe.candidate.recipe)),
        "run": probe.folder.name,
        "seed": probe.seed,
        "images": probe.images,
        "kid": kid and [kid.value, kid.low, kid.high],
        "swd": probe.swd if kid else None,
        "verdict": probe.verdict,
        "why": probe.why,
        "seconds": round(probe.seconds, 1),
    }
