"""One command's worth of extra samples: train or take a generator, filter what it makes, judge it, write it down."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import mean

import numpy as np
from rich.console import Console

from ganvas.data import load
from ganvas.errors import InputError, listed
from ganvas.experiment import Host
from ganvas.files import write_text
from ganvas.recipe.serialization import difference, from_plain, to_plain
from ganvas.recipe.sources import Images
from ganvas.runs.folder import RunFolder, read_json
from ganvas.runs.record import Record
from ganvas.studies.synthetic.benefit import ARMS, Judgement, judge
from ganvas.studies.synthetic.chart import draw
from ganvas.studies.synthetic.classifier import Diet, Lesson, learn, probabilities
from ganvas.studies.synthetic.fakes import (
    Candidates,
    Maker,
    conditional,
    expect_classes,
    generator_recipe,
    is_trained,
    length,
    make,
    open_maker,
    train_generator,
)
from ganvas.studies.synthetic.filtering import ACCEPTED, REASONS, Filtered, filter_candidates
from ganvas.studies.synthetic.reals import Reals, form_of, read_reals, write_reals
from ganvas.studies.synthetic.settings import Settings
from ganvas.studies.synthetic.writing import Place, write_figures, write_pictures, write_report

SEEDS = 3  # fewer make no usable interval
HASH = 12  # characters of a file's SHA-256 that name it


@dataclass(frozen=True)
class Augmented:
    """How a call to `augment` ended.

    Attributes:
        filtered, judgement: None where the generator's training was stopped.
        notes: sentences on what is to be known besides.
        signal: the signal that stopped it.
    """

    place: Place
    filtered: Filtered | None = None
    judgement: Judgement | None = None
    notes: tuple[str, ...] = ()
    signal: int | None = None


def augment(settings: Settings, *, out: str | Path, device: str = "auto", console: Console | None = None) -> Augmented:
    """Make extra samples in the folder `out`, and say whether they help; what it holds already is not done again.

    Raises:
        InputError: a setting, the data, the model or the folder cannot be used, or no candidate of some class passes.
        Diverged: the generator's training ended in numbers that are none.
    """
    console = console or Console(stderr=True)
    if settings.seeds < SEEDS:
        _say(
            console,
            f"--seeds {settings.seeds} makes intervals so wide that hardly anything can be told: Student's factor is"
            " 12.7 at 2 seeds, 4.3 at 3 and 2.8 at 5.",
            style="yellow",
        )
    place, where = Place(out), str(Host(device=device).torch_device())  # type: ignore[arg-type]
    before = _expect_ours(place, settings)
    maker = open_maker(settings.model, where) if settings.model else None
    size, channels = _form(settings, maker)
    reals = read_reals(settings, size, channels)
    if maker:
        expect_classes(maker, reals.classes)
    identity = {"data": reals.fingerprint, "weights": _digest(maker.file) if maker else ""}
    if before not in ({}, identity):
        raise InputError(f"the pictures or the model are not those that {place.path} was begun with; give a new --out.")
    write_text(place.settings, json.dumps({"settings": to_plain(settings), **identity}, indent=2) + "\n")
    write_reals(reals, place.reals)
    if maker is None:
        recipe = generator_recipe(settings, place.reals, (size, channels), reals)
        _say(console, _coming(settings, len(reals.classes), f"a generator on {recipe.images:,} images, then "))
        if not is_trained(place.generator, recipe.images):
            outcome = train_generator(recipe, place.generator, device, console)
            if outcome.state == "stopped":
                return Augmented(place, signal=outcome.signal)
        maker = open_maker(place.generator, where)
    else:
        _say(console, _coming(settings, len(reals.classes)))
    _say(console, f"making {_count(settings, len(reals.classes)):,} candidates with {maker.generator.name}")
    filtered = _filtered(maker, reals, settings, where)
    write_pictures(place, maker, _digest(maker.file), filtered, reals.classes, settings.seed)
    own = load(Images(source=str(place.reals), held_out=0), size=size, channels=channels).fingerprint
    notes = tuple(_notes(filtered, reals, settings, maker.data == own))
    _expect_some(filtered, reals, place, settings)
    judgement = judge(reals, filtered.fakes, settings, place.judging, where, _Progress(console, settings))
    protocol = {
        "source": settings.source,
        "data": reals.fingerprint,
        "reals": len(reals.train),
        "fakes": len(filtered.fakes),
        "fake_share": settings.fake_share,
        "size": size,
        "updates": settings.updates,
        "flips": settings.flips,
        "precision": settings.precision,
        "seed": settings.seed,
    }
    write_figures(place, judgement, protocol)
    draw(place.picture, filtered, reals.train, judgement)
    write_report(place, settings, filtered, judgement, notes, len(reals.train))
    return Augmented(place, filtered, judgement, notes)


def _expect_ours(place: Place, settings: Settings) -> dict[str, str]:
    """What an earlier call in this folder was about; empty where there was none."""
    if place.path.is_file():
        raise InputError(f"--out {place.path} is a file; give a folder.")
    if not place.settings.is_file():
        if place.path.is_dir() and any(place.path.iterdir()):
            raise InputError(f"--out {place.path} holds other files; give a new or an empty folder.")
        return {}
    found = read_json(place.settings)
    old = from_plain(Settings, found.get("settings"), str(place.settings))
    generator = RunFolder(place.generator)
    if length(settings) >= (Record(generator).images_seen if generator.exists() else 0):
        old = replace(old, images=settings.images)  # the training goes on where it stands
    changed = difference(old, settings)
    if changed:
        raise InputError(
            f"{place.path} was begun with other settings ({'; '.join(changed)}); repeat them to go on, or give a new"
            f" --out (with --model {place.generator} the same generator serves again)."
        )
    return {"data": str(found.get("data")), "weights": str(found.get("weights"))}


def _form(settings: Settings, maker: Maker | None) -> tuple[int, int]:
    """Size and channels of all pictures."""
    if maker:
        channels, size = maker.system.shape[:2]
        return size, channels
    if settings.recipe:
        channels, size = conditional(settings.recipe).system.shape[:2]
        return size, channels
    size, channels = form_of(settings.source)
    return settings.size or size, channels


def _count(settings: Settings, classes: int) -> int:
    """Candidates in all."""
    return round(settings.candidates * settings.per_class) * classes


def _coming(settings: Settings, classes: int, training: str = "") -> str:
    """What the command is about to do, before it begins."""
    return (
        f"to come: {training}{_count(settings, classes):,} candidates, then {len(ARMS)} x {settings.seeds} classifiers"
        f" of {settings.updates:,} updates"
    )


class _Progress:
    """A line for each classifier that is judged, with the time left by those before it."""

    def __init__(self, console: Console, settings: Settings) -> None:
        self.console, self.total = console, len(ARMS) * settings.seeds
        self.done, self.taken = 0, list[float]()

    def __call__(self, one: str, seconds: float) -> None:
        self.done += 1
        self.taken += [seconds] if seconds else []
        left = mean(self.taken) * (self.total - self.done) if self.taken else 0
        told = f", {timedelta(seconds=round(left))} left" if left else ""
        _say(self.console, f"{self.done}/{self.total} {one}{told}")


def _filtered(maker: Maker, reals: Reals, settings: Settings, device: str) -> Filtered:
    total = _count(settings, len(reals.classes))
    candidates: Candidates = make(maker, total, settings.seed)
    lesson = Lesson(len(reals.classes), settings.updates, settings.precision, device)
    # Of no arm's seeds: what chooses the fakes is not what is judged by them.
    teacher = learn(Diet(reals.train, crops=True, flips=settings.flips), lesson, settings.seed + settings.seeds)
    made = candidates.made
    confidence = probabilities(teacher, made.images, lesson)[np.arange(total), made.labels].astype(np.float64)
    return filter_candidates(candidates, confidence, reals.train, settings)


def _notes(found: Filtered, reals: Reals, settings: Settings, own: bool) -> list[str]:
    """What is to be known besides; `own` says that the generator learnt from the same pictures as the classifiers."""
    notes = []
    if not own:
        notes.append(
            "The model was trained on other pictures than the classifiers; if any that are tested on were among them,"
            " the figures flatter it: give pictures that it has not seen with --test."
        )
    if found.candidates.realness is None:
        notes.append(
            "The model came without its D, so that no candidate was rejected as unreal; give the folder of its run to"
            " have D's opinion."
        )
    few = [(found.fakes.labels == label).sum() for label in range(len(reals.classes))]
    if min(few) < settings.per_class:
        notes.append(
            f"Fewer than {settings.per_class} pictures passed in {sum(n < settings.per_class for n in few)} of"
            f" {len(few)} classes, {min(few)} in the poorest: give more --candidates, or loosen --confidence,"
            " --realness or --copies."
        )
    if reals.shared:
        notes.append(f"{reals.shared} test pictures were left out, since equal ones are learnt from.")
    return notes


def _expect_some(found: Filtered, reals: Reals, place: Place, settings: Settings) -> None:
    poor = [label for label in range(len(reals.classes)) if not found.count(ACCEPTED, label)]
    if not poor:
        return
    names = listed([reals.classes[label] for label in poor])
    told = ", ".join(f"{sum(found.count(reason, label) for label in poor)} {reason}" for reason in REASONS)
    rest = f" (what passed of the others is in {place.pictures})" if len(poor) < len(reals.classes) else ""
    # Where all are copies, some are unsure besides.
    unsure = [found.count("unsure", label) for label in poor]
    sure = [(found.confidence[found.candidates.made.labels == label] >= settings.confidence).any() for label in poor]
    loose = ["--confidence 0"] * (any(unsure) or not all(sure)) + ["--copies 0"] * (not all(unsure))
    fresh = next(path for n in count(2) if not (path := place.path.with_name(f"{place.path.name}-{n}")).exists())
    model = settings.model or place.generator
    further = "; or the same command with more --images trains it further"
    instead = "" if settings.model else f", without --recipe, --images and --size{further}"
    which = f"class {names}" if len(poor) == 1 else f"{len(poor)} of {len(reals.classes)} classes ({names})"
    raise InputError(
        f"no candidate of {which} passed the filter ({told}), so that nothing can be judged{rest}; the same generator"
        f" serves again with --model {model} --out {fresh} {' '.join(loose)}{instead}."
    )


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:HASH]


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, highlight=False, soft_wrap=True)
