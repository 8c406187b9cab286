"""Compute all requested measures of fakes and reals, and record the figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ganvas.errors import InputError
from ganvas.evaluation.arrays import Array, Latent, Sampled
from ganvas.evaluation.chart import draw
from ganvas.evaluation.features import remembered
from ganvas.evaluation.samples import Samples, Split, gather, source_of, task_of_model
from ganvas.files import expect_ending
from ganvas.metrics import measure_named
from ganvas.metrics import measures as known_measures
from ganvas.metrics.extractors import expect_known, open_extractor
from ganvas.metrics.figure import Figure
from ganvas.metrics.measure import OF_SAMPLES, Evidence, Measure, Need
from ganvas.metrics.memorization import nearest
from ganvas.metrics.perceptual import open_perceptual
from ganvas.nn.device import on_device
from ganvas.progress import Bar
from ganvas.systems import load_systems
from ganvas.tasks import Task
from ganvas.terminal.console import Console

EXTRACTOR, PERCEPTUAL = "efficientnet-lite0", "st-lpips"  # by default
ON_EXTRACTOR: tuple[Need, ...] = ("extractor", "features", "probabilities", "class names")
ON_IMAGES: tuple[Need, ...] = (*ON_EXTRACTOR, "distance")  # what only networks for images give
ON_TEXT: tuple[Need, ...] = ("text", "draws", "likelihood", "oracle", "rule")
ABSENT: dict[Need, tuple[Callable[[Evidence], bool], str]] = {
    "probabilities": (
        lambda x: x.extractor is None or not x.extractor.class_count,
        "{measure} needs an extractor that tells classes apart, and {extractor} does not; give another --extractor.",
    ),
    "class names": (
        lambda x: x.extractor is None or not x.extractor.class_names,
        "{measure} needs an extractor that knows the classes by name, and {extractor} does not; give --extractor digits"
        " with it.",
    ),
    "labels": (
        lambda x: x.labels is None,
        "{measure} is for fakes that were made of the reals' classes, and those of {name} were not; leave it out.",
    ),
    "held-out": (
        lambda x: x.held_out is None or not len(x.held_out),
        "{measure} compares with held-out samples, and none are held out; train with --data.held-out 0.05.",
    ),
    "mixture": (
        lambda x: x.mixture is None,
        "{measure} counts the modes of a known mixture, and the data of {name} are not drawn from one; leave it out.",
    ),
    "draws": (lambda x: not x.draws, "{measure} draws at several temperatures, and {name} has none; leave it out."),
    "likelihood": (
        lambda x: x.likelihood is None,
        "{measure} needs the probabilities of words, and {name} gives none; leave it out.",
    ),
    "oracle": (
        lambda x: x.oracle is None,
        "{measure} needs the model that the data come from, and for the data of {name} there is none; leave it out.",
    ),
    "rule": (
        lambda x: x.rule is None,
        "{measure} needs a text whose rule is known, and the data of {name} have none; leave it out.",
    ),
}
"""When something that a measure needs is missing, and the message for it."""


@dataclass(frozen=True)
class Evaluation:
    """What one evaluation found."""

    name: str
    """Of the run, or of the source of the fakes."""
    figures: tuple[Figure, ...]
    """In the order of the measures."""
    notes: tuple[str, ...]
    """Sentences on what was left out, and why."""
    chart: Path | None
    """The PNG that shows fakes, reals and the nearest pairs, or how often each mode was found, or the curves of text;
    None where there is nothing to draw."""

    def __repr__(self) -> str:
        return f"<Evaluation of {self.name}: {', '.join(f'{one.title} {one.value:.4g}' for one in self.figures)}>"

    def __getitem__(self, title: str) -> Figure:
        """The figure of that title, as in ``evaluation["KID"].value``."""
        return next(figure for figure in self.figures if figure.title == title)


def evaluate(
    source: str | Path | Sampled,
    *,
    against: str | Path | Array = "",
    latent: Latent = 0,
    extractor: str = EXTRACTOR,
    measures: Sequence[str] = (),
    perceptual: str = PERCEPTUAL,
    fakes: int = 0,
    split: Split | None = None,
    seed: int = 0,
    which: Literal["last", "best"] = "last",
    resize: int = 0,
    device: str = "cpu",
    out: str | Path = "",
    progress: bool = False,
) -> Evaluation:
    """Measure a run, or images, against reals.

    A run's figures are appended to its figures.jsonl, and its chart is evaluation.png in its folder. Text is measured
    by its words; of other modalities that no extractor sees, the measures are SWD, memorization, modes-2d, and yours.

    Args:
        source: a run's folder, a .safetensors file that ganvas wrote, or a folder, zip, parquet or npz file of fakes;
            or in memory: fakes as an array (N, H, W, C) of uint8 or of floats in [0, 1], or as a tensor (N, C, H, W) of
            uint8 or of floats in [-1, 1]; what `ganvas.open` returns; or any `nn.Module` from noise to such a tensor.
        against: source of the reals, or an array or a tensor of them; by default the run's own.
        latent: length of the noise of an `nn.Module`, or its shape, such as (100, 1, 1); 0 is its attribute `latent`.
        extractor: efficientnet-lite0, digits, inception, or one that you defined.
        measures: their names, as `ganvas evaluate --help` lists them, or of those that you defined; by default all
            that are usual and defined here, the others are noted. Of a run on stacked-mnist the default is modes, which
            are counted alone.
        perceptual: the distance of the measure perceptual: st-lpips or lpips.
        fakes: how many; 0 is 2,048, or as many as there are reals, and 26,000 to count modes in.
        split: which part of the reals: train, held-out or all; by default train, and of text held-out, which alone
            says anything of it.
        seed: of the fakes, of the choice of reals, and of the intervals.
        which: the run's newest state or its best.
        resize: pixels to which images are resized for the extractor; 0 is what it was trained at.
        device: where to compute networks.
        out: the PNG file of the chart; by default in the run, or ganvas-evaluate-NAME.png.
        progress: show a bar on stderr.

    Raises:
        InputError: something cannot be opened or measured; the message says what to do.
    """
    task = task_of_model(source)
    split = split or ("held-out" if task and task.has_words else "train")
    asked = {"extractor": extractor, "measures": list(measures), "fakes": fakes, "split": split, "seed": seed}
    named = str(against) if isinstance(against, str | Path) else "array"
    asked |= {"resize": resize, "against": named}
    if out:
        expect_ending(Path(out), ".png", flag="--out")
    load_systems()  # measures and extractors of your own may stand in these files
    expect_known(extractor)
    chosen = _chosen(measures, extractor, named or source_of(source))
    has_images = not task or task.has_features
    chosen = _suited(chosen, task, str(source), measures)
    if task and not has_images:
        _refuse_images(task, str(source), extractor, split, out)
    own = next((one for one in chosen if one.alone), None)
    if own:
        extractor, fakes = own.extractor, fakes or own.fakes
    # No distance is opened by default: most have no weights for it.
    needs = {need for one in chosen for need in one.needs} - ({"distance"} if not measures else set())
    if perceptual != PERCEPTUAL and "distance" not in needs:
        raise InputError(f"--perceptual {perceptual} is for the measure perceptual; add it to --measures.")
    # Whatever may be missing is opened before anything takes time.
    distance = on_device(open_perceptual(perceptual), device) if "distance" in needs else None
    network = open_extractor(extractor, resize) if needs & set(ON_EXTRACTOR) else None
    if network:
        on_device(network.network, device)
    samples = gather(
        source,
        against,
        latent=latent,
        fakes=fakes,
        split=split,
        seed=seed,
        which=which,
        device=device,
        progress=progress,
    )
    with Bar(Console(stderr=True), show=progress) as bar:
        evidence = Evidence(
            fakes=samples.fakes,
            reals=samples.reals,
            name=samples.name,
            protocol=samples.protocol,
            seed=seed,
            extractor=network,
            labels=samples.labels,
            training=samples.parts,
            held_out=samples.held_out.take(slice(None)) if "held-out" in needs else None,
            distance=distance,
            track=lambda what, total: _tracked(bar, what, total),
            **samples.known,
        )
        wanted, notes = _defined(chosen, evidence, strict=bool(measures))
        needs = {need for one in wanted for need in one.needs}
        if "distance" in needs and not distance:
            evidence = replace(evidence, distance=on_device(open_perceptual(perceptual), device))
        if needs & {"features", "probabilities"}:
            evidence = _extracted(evidence)
        if not own and (has_images or "training" in needs):  # that chart needs none, and so many would take long
            advance = evidence.track("nearest training samples", len(samples.training))
            evidence = replace(evidence, nearest=nearest(samples.fakes, samples.parts(), advance))
        figures: list[Figure] = []
        advance = evidence.track("measures", len(wanted))
        for one in wanted:
            figures += one.compute(evidence)
            advance(1)
    notes += [note for one in wanted for note in one.notes(evidence)]
    panels = [panel for one in wanted if (panel := one.panel(evidence))]
    chart = None
    if has_images or panels:  # of other modalities the previews show more
        chart = Path(out) if out else _chart_path(samples)
        draw(chart, samples, evidence, panels)
    if samples.folder:
        for figure in figures:
            figure = replace(figure, images_seen=samples.images_seen, state=samples.state)
            samples.folder.add_figure(figure.to_plain() | {"asked": asked})
    return Evaluation(samples.name, tuple(figures), (*samples.notes, *notes), chart)


def _chosen(names: Sequence[str], extractor: str, reals: str) -> list[Measure]:
    """The measures of these names; without names those that come into question for a source of reals."""
    known = known_measures(OF_SAMPLES)
    if not names:
        own = [one for one in known if one.alone and reals == one.sources[0]]
        chosen = own or [one for one in known if not one.sources]
    else:
        asked = [measure_named(name, known) for name in names]
        chosen = [one for one in known if one in asked]
    for one in chosen:
        if one.sources and reals not in one.sources:
            raise InputError(
                f"{one.name} is for {' and '.join(one.sources)}, and the reals here are {reals or 'not known'}; leave"
                f" {one.name} out, or name {one.sources[0]} as their source."
            )
        others = ", ".join(other.name for other in chosen if other is not one)
        if one.alone and others:
            raise InputError(f"{one.name} is taken alone, of {one.fakes:,} fakes; ask for {others} in another call.")
        if one.extractor and extractor not in (one.extractor, EXTRACTOR):
            raise InputError(f"{one.name} is taken by {one.extractor}, not by {extractor}; leave --extractor out.")
    return chosen


def _suited(chosen: Sequence[Measure], task: Task | None, source: str, asked: Sequence[str]) -> list[Measure]:
    """The measures that can be taken of a modality's samples; without a task, of images.

    Raises:
        InputError: another was asked for by name.
    """
    has_images, has_words, unit = (task.has_features, task.has_words, task.unit) if task else (True, False, "images")
    lacks: dict[str, Sequence[Need]] = {
        "compares features of images": () if has_images else ON_IMAGES,
        "compares samples number by number": ("vectors",) if has_words else (),
        "reads sentences": () if has_words else ON_TEXT,
    }
    suited = []
    for one in chosen:
        wrong = next((does for does, needs in lacks.items() if one.needs & set(needs)), None)
        if wrong and asked:
            raise InputError(f"{one.name} {wrong}, and {source} makes {unit}; leave it out.")
        suited += [] if wrong else [one]
    return suited


def _refuse_images(task: Task, source: str, extractor: str, split: Split, out: str | Path) -> None:
    """Refuse, of a modality that is no images, options that only images have.

    Raises:
        InputError: something that only images have was asked for.
    """
    why = f"and {source} makes {task.unit}"
    if extractor != EXTRACTOR:
        raise InputError(f"--extractor {extractor} sees images, {why}; leave it out.")
    if task.has_words and split != "held-out":
        raise InputError(
            f"--split {split} compares with sentences that were trained on, which rewards copying them; leave it out,"
            " so that held-out ones are taken."
        )
    if out and not task.has_words:
        raise InputError(f"--out {out} is for a chart of images, {why}; leave it out.")


def _defined(chosen: Sequence[Measure], x: Evidence, strict: bool) -> tuple[list[Measure], list[str]]:
    """The measures to take, and sentences on those of the default that are undefined here.

    Raises:
        InputError: one is undefined, and `strict` is set: it was asked for by name.
    """
    wanted, notes = [], []
    about = {"extractor": x.extractor.name if x.extractor else "none", "name": x.name}
    for one in chosen:
        if not (strict or one.alone or one.is_default(x)):
            continue
        try:
            for need, (is_absent, sentence) in ABSENT.items():
                if need in one.needs and is_absent(x):
                    raise InputError(sentence.format(measure=one.name, **about))
            one.check(x)
            wanted.append(one)
        except InputError as error:
            if strict or one.alone:
                raise
            notes.append(f"{one.name} is left out: {error}")
    return wanted, notes


def _extracted(x: Evidence) -> Evidence:
    assert x.extractor
    name = x.extractor.name
    of_reals, of_fakes = x.track(f"{name} on reals", len(x.reals)), x.track(f"{name} on fakes", len(x.fakes))
    real = remembered(x.extractor, x.reals, of_reals)
    return replace(x, real=real, fake=remembered(x.extractor, x.fakes, of_fakes))


def _tracked(bar: Bar, what: str, total: int) -> Callable[[int], object]:
    task = bar.add(what, total, counts=True)
    return lambda count: bar.advance(task, count)


def _chart_path(samples: Samples) -> Path:
    return samples.folder.evaluation if samples.folder else Path(f"ganvas-evaluate-{samples.name}.png")
