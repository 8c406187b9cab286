"""Take every measure asked for of one pair of sets, and write down what came out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ganvas.data import Dataset
from ganvas.errors import InputError
from ganvas.errors import nearest as nearest_word
from ganvas.evaluation import stacked_mnist
from ganvas.evaluation.chart import draw
from ganvas.evaluation.features import remembered
from ganvas.evaluation.measures import DEFAULT, EXTRACTOR, MEASURES, ON_FEATURES, Figure, Inputs, figure, on_features
from ganvas.evaluation.per_class import MEASURE as BY_CLASS
from ganvas.evaluation.per_class import by_class
from ganvas.evaluation.samples import Sets, Split, gather, source_of
from ganvas.imaging.grid import Pixels
from ganvas.inference.loading import move
from ganvas.metrics.extractors import Extractor, open_extractor
from ganvas.metrics.fid import expect_enough
from ganvas.metrics.kid import expect_groups
from ganvas.metrics.memorization import SIDE, Nearest, memorisation, nearest
from ganvas.metrics.perceptual import PAIRS, Perceptual, diversity, open_perceptual
from ganvas.metrics.perceptual import SIDE as SMALLEST

CHUNK = 4096  # training pictures in memory at a time


@dataclass(frozen=True)
class Evaluation:
    """What one evaluation found.

    Attributes:
        name: of the run, or of the source of the fakes.
        figures: in the order of MEASURES.
        notes: sentences on what was left out, and why.
        picture: the PNG that shows fakes, reals and the nearest pairs, or how often each mode was found.
    """

    name: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]
    picture: Path

    def __getitem__(self, measure: str) -> Figure:
        """The figure of that name, as in ``evaluation["KID"].estimate.value``."""
        return next(figure for figure in self.figures if figure.measure == measure)


def evaluate(
    source: str | Path,
    *,
    against: str = "",
    extractor: str = EXTRACTOR,
    measures: Sequence[str] = (),
    perceptual: str = "st-lpips",
    fakes: int = 0,
    split: Split = "train",
    seed: int = 0,
    which: Literal["last", "best"] = "last",
    resize: int = 0,
    device: str = "cpu",
    out: str | Path = "",
    progress: bool = False,
) -> Evaluation:
    """Measure a run, or pictures, against real pictures.

    A run's figures are appended to its figures.jsonl, and its picture is evaluation.png in its folder.

    Args:
        source: a run's folder, a .safetensors file that ganvas wrote, or a folder, zip, parquet or npz file of fakes.
        against: source of the reals; by default the run's own.
        extractor: efficientnet-lite0, digits or inception.
        measures: some of MEASURES; by default all of DEFAULT that are defined here, the others are noted. Of a run on
            stacked-mnist the default is modes, which are counted alone.
        perceptual: the distance of the measure perceptual: st-lpips or lpips.
        fakes: how many; 0 is 2,048, or as many as there are reals, and 26,000 to count modes in.
        split: which part of the reals: train, held-out or all.
        seed: of the fakes, of the choice of reals, and of the intervals.
        which: the run's newest state or its best.
        resize: pixels to which pictures are resized for the extractor; 0 is what it was trained at.
        device: where to compute networks.
        out: the PNG file; by default in the run, or ganvas-evaluate-NAME.png.
        progress: show a bar on stderr.

    Raises:
        InputError: something cannot be opened or measured; the message says what to do.
    """
    for measure in measures:
        if measure not in MEASURES:
            raise InputError(
                f"there is no measure {measure!r}{nearest_word(measure, MEASURES)}; give some of {', '.join(MEASURES)}."
            )
    if out and Path(out).suffix.lower() != ".png":
        raise InputError(f"--out {out} is no name of a picture; give one that ends in .png.")
    if perceptual != "st-lpips" and "perceptual" not in measures:
        raise InputError(f"--perceptual {perceptual} is for the measure perceptual; add it to --measures.")
    asked = {"extractor": extractor, "measures": list(measures), "fakes": fakes, "split": split, "seed": seed}
    asked |= {"resize": resize, "against": against}
    reals = against or source_of(source)
    if "modes" in measures or (reals == stacked_mnist.SOURCE and not measures):
        stacked_mnist.expect_countable(measures, extractor, reals)
        network = open_extractor("digits", resize)
        move(network.network, device)
        fakes = fakes or stacked_mnist.FAKES
        sets = gather(source, against, fakes=fakes, split=split, seed=seed, which=which, device=device)
        stacked_mnist.expect_channels(sets)
        with _bar(progress) as bar:
            task = bar.add_task("digits of fakes", total=stacked_mnist.DIGITS * len(sets.fakes))
            labels = stacked_mnist.read(network, sets.fakes, lambda count: bar.advance(task, count))
        picture = _picture(out, sets)
        stacked_mnist.draw(picture, sets, labels)
        return _kept(
            sets,
            stacked_mnist.figures(network, labels, sets.protocol),
            [stacked_mnist.floor(len(labels))],
            picture,
            asked,
        )
    distance = open_perceptual(perceptual).to(device) if "perceptual" in measures else None
    network = open_extractor(extractor, resize)
    move(network.network, device)
    sets = gather(source, against, fakes=fakes, split=split, seed=seed, which=which, device=device)
    wanted, notes = _defined(network, sets, measures)
    figures: list[Figure] = []
    inputs = _extract(network, sets, seed, progress) if set(wanted) & {*ON_FEATURES, BY_CLASS} else None
    for measure in wanted:
        if inputs and measure in ON_FEATURES:
            figures += on_features(measure, inputs)
    if inputs and BY_CLASS in wanted:
        made, few = by_class(inputs)
        figures += made
        notes += few
    pairs = nearest(sets.fakes, _parts(sets.training))
    if "memorisation" in wanted:
        figures += _memorisation(sets, pairs, seed)
    if distance:
        figures += _perceptual(distance, sets, seed)
    picture = _picture(out, sets)
    draw(picture, sets, pairs, inputs)
    return _kept(sets, figures, notes, picture, asked)


def _picture(out: str | Path, sets: Sets) -> Path:
    return Path(out) if out else sets.folder.evaluation if sets.folder else Path(f"ganvas-evaluate-{sets.name}.png")


def _kept(sets: Sets, figures: list[Figure], notes: list[str], picture: Path, asked: dict[str, Any]) -> Evaluation:
    if sets.folder:
        about = {"images": sets.images, "state": sets.state, "asked": asked}
        for found in figures:
            sets.folder.add_figure(found.line() | about)
    return Evaluation(sets.name, tuple(figures), (*sets.notes, *notes), picture)


def _defined(extractor: Extractor, sets: Sets, measures: Sequence[str]) -> tuple[list[str], list[str]]:
    """The measures to take, and sentences on those of the default that are undefined here."""
    if not measures:
        measures_ = [*DEFAULT, *(["classes"] if extractor.name == "digits" else [])]
        measures_ += [BY_CLASS] if sets.classes else []
    else:
        measures_ = [measure for measure in MEASURES if measure in measures]
    wanted, notes = [], []
    for measure in measures_:
        try:
            if measure == "fd":
                expect_enough(len(sets.fakes), len(sets.reals), extractor.count)
            if measure == "kid":
                expect_groups(len(sets.fakes), len(sets.reals))
            if measure == "classes" and extractor.name != "digits":
                raise InputError("the histogram of classes is one of digits; give --extractor digits with it.")
            if measure == BY_CLASS and not sets.classes:
                raise InputError(
                    f"{BY_CLASS} is for fakes that were made of the reals' classes, and those of {sets.name} were not;"
                    " leave it out."
                )
            if measure == "memorisation" and not len(sets.held_out):
                raise InputError(
                    "memorisation is measured against held-out pictures, and none are held out; train with"
                    " --data.held-out 0.05."
                )
            wanted.append(measure)
        except InputError as error:
            if measures:
                raise
            notes.append(f"{measure} is left out: {error}")
    return wanted, notes


def _extract(extractor: Extractor, sets: Sets, seed: int, progress: bool) -> Inputs:
    with _bar(progress) as bar:
        real_task = bar.add_task(f"{extractor.name} on reals", total=len(sets.reals))
        fake_task = bar.add_task(f"{extractor.name} on fakes", total=len(sets.fakes))
        real = remembered(extractor, sets.reals, lambda count: bar.advance(real_task, count))
        fake = extractor.extract(sets.fakes, advance=lambda count: bar.advance(fake_task, count))
    return Inputs(sets, extractor, fake, real, seed)


def _bar(progress: bool) -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("left"))
    show = progress and console.is_terminal
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not show)


def _memorisation(sets: Sets, pairs: Nearest, seed: int) -> list[Figure]:
    new = nearest(sets.held_out.take(slice(None)), _parts(sets.training))
    protocol = {key: value for key, value in sets.protocol.items() if key not in ("reals", "split")}
    about = {
        "extractor": "pixels",
        "resize": f"averaged to at most {SIDE} px",
        "training": len(sets.training),
        "new": len(sets.held_out),
    }
    return [figure(name, found, about | protocol) for name, found in memorisation(pairs, new, seed).items()]


def _perceptual(network: Perceptual, sets: Sets, seed: int) -> list[Figure]:
    about = {
        "extractor": network.name,
        "weights": network.weights,
        "resize": f"at least {SMALLEST} px",
        "pairs": PAIRS,
        **sets.protocol,
    }
    return [
        figure(f"{network.title} diversity", diversity(network, sets.fakes, seed), about),
        figure(f"{network.title} diversity of the reals", diversity(network, sets.reals, seed), about),
    ]


def _parts(dataset: Dataset) -> Iterator[Pixels]:
    for start in range(0, len(dataset), CHUNK):
        yield dataset.take(slice(start, start + CHUNK))
