"""Score models that upscale or repair on sets of originals: distortion and perception, image by image."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from ganvas.errors import InputError
from ganvas.evaluation.baselines import Unchanged
from ganvas.evaluation.test_sets import Pair, TestSet, find_set, upscale
from ganvas.evaluation.upscalers import Repairs, open_upscaler
from ganvas.evaluation.worst_cases import View, draw, view, worst_cases
from ganvas.files import write_text
from ganvas.imaging.grid import Pixels
from ganvas.imaging.saving import save_png
from ganvas.inference.super_resolution import SuperResolution
from ganvas.metrics import pair_measures, repair_measures
from ganvas.metrics.distortion import EXACT
from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import Array, Estimate, mean
from ganvas.metrics.measure import Evidence, PairMeasure, RepairCase
from ganvas.metrics.psnr import PSNRY
from ganvas.progress import Bar
from ganvas.terminal.console import Console


@dataclass(frozen=True)
class Scores:
    """What one model has on one set."""

    name: str
    """Of the model."""
    set: str
    """Its name."""
    figures: tuple[Figure, ...]
    """With intervals over the images."""
    images: dict[str, dict[str, float]]
    """The scores of each image by its name, in the order of the files."""
    notes: tuple[str, ...]
    """Sentences on what was left out or is special."""
    sheet: Path
    """PNG of the worst images, the worst first."""
    table: Path
    """CSV of `images`."""

    @property
    def measures(self) -> list[str]:
        """The names of the figures."""
        return [figure.measure for figure in self.figures]

    def __getitem__(self, measure: str) -> Figure:
        """The figure of that measure, as in ``scores["PSNR-Y"].value``."""
        return next(figure for figure in self.figures if figure.measure == measure)


def score(
    model: str | Path | SuperResolution,
    on: str | Path | Sequence[str | Path],
    *,
    scale: int = 0,
    which: Literal["last", "best"] = "last",
    strength: float = 1.0,
    device: str = "cpu",
    seed: int = 0,
    out: str | Path = "",
    progress: bool = False,
) -> tuple[Scores, ...]:
    """Upscale the low-resolution images of some sets and compare the results with the originals.

    A run's figures are appended to its figures.jsonl; the worst cases and the table of each set lie beside it.

    Args:
        model: bicubic, a bundled model's name, a run's folder, a file of weights, or an opened model.
        on: Set5, Set14, BSD100, Urban100, Manga109, or folders of images; after the name of a degradation and a colon,
            as in aged:BSD100, inputs are made by it.
        scale: of bicubic, 4 unless given.
        which: the run's newest state or its best.
        strength: of an SRGAN, as in ganvas upscale: 0 is the network it started from.
        device: where to compute networks.
        seed: of the intervals' resamples.
        out: folder of images and tables; by default the run's, else the current one. If it is given, what a degradation
            made of the pictures is written there, too.
        progress: show a bar on stderr.

    Raises:
        InputError: something cannot be opened or measured; the message says what to do.
    """
    if seed < 0:
        raise InputError(f"--seed must be at least 0; got {seed}.")
    folder, state = None, ""
    if isinstance(model, str | Path):
        model, folder, state = open_upscaler(model, scale=scale, which=which, strength=strength, device=device)
    sets = [find_set(str(source), model.scale) for source in ([on] if isinstance(on, str | Path) else on)]
    names = [one.name for one in sets]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"--on names two sets {twice}, whose files would be the same; give one of them at a time.")
    alone = next((one.name for one in sets if not one.has_inputs), None)
    if alone and model.scale == 1 and not isinstance(model, Repairs | Unchanged):
        raise InputError(
            f"{model.name} {model.does} and keeps their size, and {alone} has originals alone, which would be its"
            " inputs; give a folder with the pictures before in LRx1 and those after in HR, under the same names, or"
            f" have a degradation make the inputs, as in aged:{alone}."
        )
    taken, notes = _opened(device)
    beside = Path(out) if out else folder.path if folder else Path()
    stem = "evaluation" if folder else f"ganvas-evaluate-{model.name}"
    stem += f"-{state}" if state not in ("", "last") else ""
    stem += f"-strength-{strength:g}" if strength != 1 else ""
    found = []
    for one in sets:
        target = beside / f"{stem}-{one.name.replace(':', '-')}"
        scores = _score(model, one, taken, notes, target, seed, strength, progress, keep=bool(out))
        if folder:
            for figure in scores.figures:
                figure = replace(figure, images_seen=model.images_seen, state=state)
                folder.add_figure(figure.to_plain() | {"asked": {"on": one.name, "seed": seed}})
        found.append(scores)
    return tuple(found)


def difference(a: Scores, b: Scores, seed: int = 0) -> dict[str, Estimate]:
    """By how much `a` is above `b`, image by image: much surer than two means with their intervals.

    Raises:
        InputError: they were not measured alike, or on other images.
    """
    protocols = [{f.measure: {**f.protocol, "ganvas": "", "strength": 1} for f in scores.figures} for scores in (a, b)]
    shared = [measure for measure in protocols[0] if protocols[0][measure] == protocols[1].get(measure)]
    # What is counted over the pixels of all pictures is no mean of theirs.
    shared = [measure for measure in shared if all(measure in row for row in (*a.images.values(), *b.images.values()))]
    if not shared:
        raise InputError(
            f"{a.name} on {a.set} and {b.name} on {b.set} were not measured alike; evaluate both on the same images"
            " at one scale."
        )
    gaps = {m: [a.images[name][m] - b.images[name][m] for name in a.images] for m in shared}
    return {measure: mean(np.array(values), seed) for measure, values in gaps.items()}


def _score(
    model: SuperResolution,
    pairs: TestSet,
    taken: Sequence[PairMeasure],
    notes: Sequence[str],
    stem: Path,
    seed: int,
    strength: float,
    progress: bool,
    keep: bool,
) -> Scores:
    crop, start = pairs.scale, "bicubic" if pairs.scale > 1 else "input"
    rows: dict[str, dict[str, float]] = {}
    views: list[View] = []
    repairs: dict[str, list[Array]] = {}
    digest = hashlib.blake2b(digest_size=6)
    grey = unlike = 0
    for pair in _bar(pairs, f"{model.name} on {pairs.name}", progress):
        _expect_size(pair, pairs.name, crop)
        digest.update(f"{pair.high.shape} {pair.low.shape}".encode() + pair.high.tobytes() + pair.low.tobytes())
        grey += pair.high.shape[-1] == 1
        unlike += not pairs.rule and not pair.as_published
        if keep and pairs.rule:
            _keep(pair, stem.with_name(pairs.name.replace(":", "-")))
        result, found = _made(model, pair)
        if result.shape != pair.high.shape:
            raise InputError(
                f"{model.name} made {result.shape} of {pair.name}, not {pair.high.shape}; give another model."
            )
        if pair.damage is not None and found is not None:
            case = _case(model, pair, result, found)
            for one in repair_measures():
                repairs.setdefault(one.name, []).append(one.sums(case))
        plain = upscale(pair.low, pairs.scale) if pairs.scale > 1 else pair.low
        scores = {one.gives[0].name: one.score(result, pair.high, crop) for one in taken}
        row = {name: value for name, value in scores.items() if value is not None}
        rows[pair.name] = row | {f"{start} PSNR-Y": PSNRY().score(plain, pair.high, crop)}
        views = worst_cases([*views, view(pair.name, plain, result, pair.high, rows[pair.name])])
    absent = [one for one in taken if any(one.gives[0].name not in row for row in rows.values())]
    kept = [one for one in taken if one not in absent]
    protocol = {
        "set": pairs.name,
        "data": digest.hexdigest(),
        "pictures": len(rows),
        "grey": grey,
        "scale": pairs.scale,
        "low": pairs.about
        or (f"not MATLAB's bicubic in {unlike} pictures" if unlike else "MATLAB's bicubic, byte for byte"),
        "result": "8 bit, rounded",
        "crop": crop,
        "mean": "over pictures",
        "seed": seed,
    }
    if strength != 1:
        protocol["strength"] = strength
    evidence = Evidence(
        protocol=protocol,
        seed=seed,
        scores={one.name: np.array([row[one.gives[0].name] for row in rows.values()]) for one in kept},
        repairs={name: np.array(sums) for name, sums in repairs.items()},
        test_set=pairs.name,
    )
    of_repairs = [one for one in repair_measures() if one.name in repairs]
    figures = tuple(figure for one in (*kept, *of_repairs) for figure in one.compute(evidence))
    remarks = [*notes, *pairs.notes]
    remarks += [f"{one.gives[0].name} is left out: {pairs.name} has {one.undefined}." for one in absent]
    if any(EXACT in (row.get("PSNR-Y"), row.get("PSNR-RGB")) for row in rows.values()):
        remarks.append(f"Some results equal their originals, which has no PSNR; each counts {EXACT:g} dB.")
    if len(rows) == 1:
        remarks.append("One image has no interval over images.")
    sheet, table = stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.csv")
    draw(
        sheet,
        views,
        f"{model.name} on {pairs.name}: the worst {len(views)} of {len(rows)} by PSNR-Y, the worst first",
        start,
    )
    write_text(table, _csv(rows))
    return Scores(model.name, pairs.name, figures, rows, tuple(remarks), sheet, table)


def _keep(pair: Pair, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_png(pair.low, folder / f"{pair.name}.png")
    if pair.damage is not None:
        save_png(pair.damage, folder / f"{pair.name}_damage.png")


def _made(model: SuperResolution, pair: Pair) -> tuple[Pixels, Pixels | None]:
    """The result, and the damage that was found; None of a model that looks for none."""
    if isinstance(model, Repairs):
        return model.repair(pair.low)
    made: Pixels = model.upscale(pair.low, colour_lock=False)
    return made, np.zeros((*made.shape[:2], 3), np.uint8) if isinstance(model, Unchanged) else None


def _case(model: SuperResolution, pair: Pair, result: Pixels, found: Pixels) -> RepairCase:
    assert pair.damage is not None
    given, clean, clean_found = result, pair.high, np.zeros_like(found)
    if isinstance(model, Repairs):
        given, _ = model.repair(pair.low, pair.damage)
        clean, clean_found = model.repair(pair.high)
    return RepairCase(pair.high, result, pair.damage, found, given, clean, clean_found)


def _expect_size(pair: Pair, name: str, crop: int) -> None:
    least = 11 + 2 * crop
    if min(pair.high.shape[:2]) < least:
        height, width = pair.high.shape[:2]
        raise InputError(
            f"{pair.name} of {name} is {width} x {height} px, and SSIM with a crop of {crop} px needs {least} x"
            f" {least}; remove it."
        )


def _opened(device: str) -> tuple[list[PairMeasure], list[str]]:
    """The measures that are available, and a sentence on each that is not."""
    found: list[PairMeasure] = []
    notes = []
    for one in pair_measures():
        if one.is_default(Evidence()):
            try:
                one.open()
            except InputError as error:
                notes.append(f"{one.name} is left out: {error}")
                continue
            one.move(device)
            found.append(one)
    return found, notes


def _csv(rows: dict[str, dict[str, float]]) -> str:
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["picture", *columns])
    writer.writerows([name, *(f"{row[c]:.6g}" if c in row else "" for c in columns)] for name, row in rows.items())
    return text.getvalue()


def _bar(pairs: TestSet, what: str, progress: bool) -> Iterator[Pair]:
    yield from Bar(Console(stderr=True), show=progress).track_each(pairs, what, len(pairs))
