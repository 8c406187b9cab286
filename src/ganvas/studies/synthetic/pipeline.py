"""ganvas augment: train or open a generator, filter what it makes, evaluate it, and write it all to a folder."""

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
from ganvas.progress import Bar
from ganvas.recipe.serialization import difference, from_plain, to_plain
from ganvas.recipe.sources import Images
from ganvas.runs.folder import RunFolder
from ganvas.runs.record import Record
from ganvas.studies.synthetic.benefit import ARMS, Benefit, evaluate_benefit
from ganvas.studies.synthetic.benefit_chart import draw
from ganvas.studies.synthetic.classifier import ClassifierConfig, TrainingMix, probabilities, train_classifier
from ganvas.studies.synthetic.fakes import (
    Candidates,
    ConditionalGAN,
    conditional,
    expect_classes,
    generate,
    generator_recipe,
    is_trained,
    length,
    open_gan,
    train_generator,
)
from ganvas.studies.synthetic.filtering import ACCEPTED, REASONS, FilterResult, filter_candidates
from ganvas.studies.synthetic.output_folder import OutputFolder, write_figures, write_images, write_report
from ganvas.studies.synthetic.reals import RealSplit, form_of, read_reals, write_reals
from ganvas.studies.synthetic.settings import SyntheticSettings
from ganvas.terminal import console as terminal
from ganvas.untrusted import read_object

SEEDS = 3  # fewer give no usable interval
HASH = 12  # characters of a file's SHA-256 that name it


@dataclass(frozen=True)
class AugmentResult:
    """How a call to `augment` ended.

    Attributes:
        filtered, benefit: None if the generator's training was stopped.
        notes: sentences on the limits of the result.
        signal: the one that stopped it.
    """

    output: OutputFolder
    filtered: FilterResult | None = None
    benefit: Benefit | None = None
    notes: tuple[str, ...] = ()
    signal: int | None = None


def augment(
    settings: SyntheticSettings, *, out: str | Path, device: str = "auto", console: Console | None = None
) -> AugmentResult:
    """Make extra samples in the folder `out`, and report whether they help; finished steps are not repeated.

    Raises:
        InputError: a setting, the data, the model or the folder cannot be used, or no candidate of some class passes.
        Diverged: a loss of the generator's training became NaN or infinite.
    """
    console = console or terminal.Console(stderr=True)
    if settings.seeds < SEEDS:
        _say(
            console,
            f"--seeds {settings.seeds} makes the intervals too wide to decide anything: Student's factor is 12.7 at 2"
            " seeds, 4.3 at 3 and 2.8 at 5.",
            style="yellow",
        )
    output, where = OutputFolder(out), str(Host(device=device).torch_device())  # type: ignore[arg-type]
    before = _expect_ours(output, settings)
    gan = open_gan(settings.model, where) if settings.model else None
    size, channels = _form(settings, gan)
    reals = read_reals(settings, size, channels)
    if gan:
        expect_classes(gan, reals.classes)
    identity = {"data": reals.fingerprint, "weights": _digest(gan.file) if gan else ""}
    if before not in ({}, identity):
        raise InputError(f"{output.path} was started with other images or another model; give a new --out.")
    write_text(output.settings, json.dumps({"settings": to_plain(settings), **identity}, indent=2) + "\n")
    write_reals(reals, output.reals)
    if gan is None:
        recipe = generator_recipe(settings, output.reals, (size, channels), reals)
        _say(console, _coming(settings, len(reals.classes), f"a generator on {recipe.images:,} images, then "))
        if not is_trained(output.generator, recipe.images):
            outcome = train_generator(recipe, output.generator, device, console)
            if outcome.state == "stopped":
                return AugmentResult(output, signal=outcome.signal)
        gan = open_gan(output.generator, where)
    else:
        _say(console, _coming(settings, len(reals.classes)))
    with Bar(console) as bar:
        making = bar.add("candidates", 1)
        _say(console, f"generating {_candidates(settings, len(reals.classes)):,} candidates with {gan.generator.name}")
        filtered = _filtered(gan, reals, settings, where)
        write_images(output, gan, _digest(gan.file), filtered, reals.classes, settings.seed)
        bar.advance(making)
        own = load(Images(source=str(output.reals), held_out=0), size=size, channels=channels).fingerprint
        notes = tuple(_notes(filtered, reals, settings, gan.data == own))
        _expect_some(filtered, reals, output, settings)
        progress = _Progress(bar, settings)
        benefit = evaluate_benefit(reals, filtered.fakes, settings, output.predictions, where, progress)
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
    write_figures(output, benefit, protocol)
    draw(output.chart, filtered, reals.train, benefit)
    write_report(output, settings, filtered, benefit, notes, len(reals.train))
    return AugmentResult(output, filtered, benefit, notes)


def _expect_ours(output: OutputFolder, settings: SyntheticSettings) -> dict[str, str]:
    """The fingerprints that an earlier call in this folder wrote; empty if there was none."""
    if output.path.is_file():
        raise InputError(f"--out {output.path} is a file; give a folder.")
    if not output.settings.is_file():
        if output.path.is_dir() and any(output.path.iterdir()):
            raise InputError(f"--out {output.path} holds other files; give a new or an empty folder.")
        return {}
    found = read_object(output.settings)
    old = from_plain(SyntheticSettings, found.get("settings"), str(output.settings))
    generator = RunFolder(output.generator)
    if length(settings) >= (Record(generator).images_seen if generator.exists() else 0):
        old = replace(old, images=settings.images)  # the training continues
    changed = difference(old, settings)
    if changed:
        raise InputError(
            f"{output.path} was started with other settings ({'; '.join(changed)}); repeat them to continue, or give a"
            f" new --out (--model {output.generator} uses the same generator again)."
        )
    return {"data": str(found.get("data")), "weights": str(found.get("weights"))}


def _form(settings: SyntheticSettings, gan: ConditionalGAN | None) -> tuple[int, int]:
    """Size and channels of all images."""
    if gan:
        channels, size = gan.system.shape[:2]
        return size, channels
    if settings.recipe:
        channels, size = conditional(settings.recipe).system.shape[:2]
        return size, channels
    size, channels = form_of(settings.source)
    return settings.size or size, channels


def _candidates(settings: SyntheticSettings, classes: int) -> int:
    """Number of candidates of all classes."""
    return round(settings.candidates * settings.per_class) * classes


def _coming(settings: SyntheticSettings, classes: int, training: str = "") -> str:
    """What the command is about to do."""
    return (
        f"plan: {training}{_candidates(settings, classes):,} candidates, then {len(ARMS)} x {settings.seeds}"
        f" classifiers of {settings.updates:,} updates"
    )


class _Progress:
    """A line for each classifier, with the remaining time estimated from those before."""

    def __init__(self, bar: Bar, settings: SyntheticSettings) -> None:
        self.bar, self.total = bar, len(ARMS) * settings.seeds
        self.task = bar.add("classifiers", self.total, counts=True)
        self.done, self.taken = 0, list[float]()

    def __call__(self, one: str, seconds: float) -> None:
        self.done += 1
        self.taken += [seconds] if seconds else []
        left = mean(self.taken) * (self.total - self.done) if self.taken else 0
        remaining = f", {timedelta(seconds=round(left))} left" if left else ""
        self.bar.say(f"{self.done}/{self.total} {one}{remaining}")
        self.bar.advance(self.task)


def _filtered(gan: ConditionalGAN, reals: RealSplit, settings: SyntheticSettings, device: str) -> FilterResult:
    total = _candidates(settings, len(reals.classes))
    candidates: Candidates = generate(gan, total, settings.seed)
    config = ClassifierConfig(len(reals.classes), settings.updates, settings.precision, device)
    # A seed of its own: the classifier that filters the fakes is not one of those they are evaluated with.
    teacher = train_classifier(
        TrainingMix(reals.train, crops=True, flips=settings.flips), config, settings.seed + settings.seeds
    )
    made = candidates.made
    confidence = probabilities(teacher, made.images, config)[np.arange(total), made.labels].astype(np.float64)
    return filter_candidates(candidates, confidence, reals.train, settings)


def _notes(found: FilterResult, reals: RealSplit, settings: SyntheticSettings, own: bool) -> list[str]:
    """The limits of the result; `own`: whether the generator was trained on the same images as the classifiers."""
    notes = []
    if not own:
        notes.append(
            "The model was trained on other images than the classifiers; if test images were among them, the figures"
            " flatter it: give images that it has not seen with --test."
        )
    if found.candidates.realness is None:
        notes.append(
            "The model file has no D, so no candidate was rejected as unreal; give the folder of its run to use its D."
        )
    few = [(found.fakes.labels == label).sum() for label in range(len(reals.classes))]
    if min(few) < settings.per_class:
        notes.append(
            f"Fewer than {settings.per_class} images passed in {sum(n < settings.per_class for n in few)} of {len(few)}"
            f" classes (lowest: {min(few)}); give more --candidates, or relax --confidence, --realness or --copies."
        )
    if reals.shared:
        notes.append(f"{reals.shared} test images were left out, because equal ones are used for training.")
    return notes


def _expect_some(found: FilterResult, reals: RealSplit, output: OutputFolder, settings: SyntheticSettings) -> None:
    poor = [label for label in range(len(reals.classes)) if not found.count(ACCEPTED, label)]
    if not poor:
        return
    names = listed([reals.classes[label] for label in poor])
    counts = ", ".join(f"{sum(found.count(reason, label) for label in poor)} {reason}" for reason in REASONS)
    rest = f" (what passed of the others is in {output.images})" if len(poor) < len(reals.classes) else ""
    # If all are copies, some may be unsure as well.
    unsure = [found.count("unsure", label) for label in poor]
    sure = [(found.confidence[found.candidates.made.labels == label] >= settings.confidence).any() for label in poor]
    loose = ["--confidence 0"] * (any(unsure) or not all(sure)) + ["--copies 0"] * (not all(unsure))
    fresh = next(path for n in count(2) if not (path := output.path.with_name(f"{output.path.name}-{n}")).exists())
    model = settings.model or output.generator
    further = "; or train it further with the same command and more --images"
    instead = "" if settings.model else f", without --recipe, --images and --size{further}"
    which = f"class {names}" if len(poor) == 1 else f"{len(poor)} of {len(reals.classes)} classes ({names})"
    raise InputError(
        f"no candidate of {which} passed the filter ({counts}){rest}; use the same generator again with --model {model}"
        f" --out {fresh} {' '.join(loose)}{instead}."
    )


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:HASH]


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, highlight=False, soft_wrap=True)
