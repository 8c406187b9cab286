"""One command's worth of extra samples: train or take a generator, filter what it makes, judge it, write it down."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from ganvas.data import Pictures, load
from ganvas.errors import InputError
from ganvas.runs.files import write_text
from ganvas.runs.folder import read_json
from ganvas.synthetic.candidates import (
    Candidates,
    Maker,
    conditional,
    expect_classes,
    generator_recipe,
    make,
    open_maker,
    train_generator,
)
from ganvas.synthetic.classifier import Diet, Lesson, learn, probabilities
from ganvas.synthetic.filtering import REASONS, Filtered, filter_candidates
from ganvas.synthetic.judging import ARMS, Judgement, judge
from ganvas.synthetic.picture import draw
from ganvas.synthetic.reals import Reals, form_of, read_reals, write_reals
from ganvas.synthetic.settings import Settings
from ganvas.synthetic.writing import Place, write_figures, write_pictures, write_report
from ganvas.training import Host
from ganvas.values import difference, from_plain, to_plain

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
        outcome = train_generator(recipe, place.generator, device, console)
        if outcome.state == "stopped":
            return Augmented(place, signal=outcome.signal)
        maker = open_maker(place.generator, where)
    filtered = _filtered(maker, reals, settings, where, console)
    write_pictures(place, maker, _digest(maker.file), filtered, reals.classes, settings.seed)
    own = load(Pictures(source=str(place.reals), held_out=0), size=size, channels=channels).fingerprint
    notes = tuple(_notes(filtered, reals, settings, maker.data == own))
    _expect_some(filtered, reals, place)
    total = len(ARMS) * settings.seeds
    done = iter(range(1, total + 1))
    judgement = judge(
        reals, filtered.fakes, settings, place.judging, where, lambda one: _say(console, f"{next(done)}/{total} {one}")
    )
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
    changed = difference(from_plain(Settings, found.get("settings"), str(place.settings)), settings)
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


def _filtered(maker: Maker, reals: Reals, settings: Settings, device: str, console: Console) -> Filtered:
    count = round(settings.candidates * settings.per_class) * len(reals.classes)
    _say(console, f"making {count:,} candidates with {maker.generator.name}")
    candidates: Candidates = make(maker, count, settings.seed)
    lesson = Lesson(len(reals.classes), settings.updates, settings.precision, device)
    # Of no arm's seeds: what chooses the fakes is not what is judged by them.
    teacher = learn(Diet(reals.train, crops=True, flips=settings.flips), lesson, settings.seed + settings.seeds)
    made = candidates.made
    confidence = probabilities(teacher, made.images, lesson)[np.arange(count), made.labels].astype(np.float64)
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


def _expect_some(found: Filtered, reals: Reals, place: Place) -> None:
    for label, name in enumerate(reals.classes):
        if not (found.fakes.labels == label).any():
            told = ", ".join(f"{found.count(reason, label)} {reason}" for reason in REASONS)
            raise InputError(
                f"no candidate of class {name} passed ({told}), so that nothing can be judged, and what passed of the"
                f" others is in {place.pictures}; give more --candidates, loosen --confidence, --realness or --copies,"
                " or train longer with --images, each with a new --out."
            )


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:HASH]


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)
