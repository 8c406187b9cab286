"""Score what enlarges pictures on sets of originals: distortion and perception, picture by picture."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from ganvas.errors import InputError
from ganvas.evaluation.measures import Figure, figure
from ganvas.evaluation.test_sets import Pair, TestSet, enlarge, find_set
from ganvas.evaluation.upscalers import open_upscaler
from ganvas.evaluation.worst_cases import View, draw, view, worst
from ganvas.files import write_text
from ganvas.imaging.grid import Pixels
from ganvas.imaging.tensors import from_pixels
from ganvas.inference.loading import move
from ganvas.inference.super_resolution import SuperResolution
from ganvas.metrics.distortion import EXACT, luma, psnr, ssim
from ganvas.metrics.intervals import Estimate, mean
from ganvas.metrics.perceptual import ALEXNET, SIDE, Perceptual, open_perceptual
from ganvas.metrics.weights import weights_dir

DISTORTION = ("PSNR-Y", "SSIM-Y", "PSNR-RGB", "SSIM-RGB")
ON = {"Y": "Y of BT.601 in studio range, rounded", "RGB": "RGB"}
WINDOW = "Gaussian 11 x 11, sigma 1.5, inside"


@dataclass(frozen=True)
class Scores:
    """What one model has on one set.

    Attributes:
        name: of the model.
        set: its name.
        figures: named as in ``PSNR-Y on Set5``, with intervals over the pictures.
        pictures: the scores of each picture by its name, in the order of the files.
        notes: sentences on what was left out or stands apart.
        sheet: PNG of the worst pictures, the worst first.
        table: CSV of `pictures`.
    """

    name: str
    set: str
    figures: tuple[Figure, ...]
    pictures: dict[str, dict[str, float]]
    notes: tuple[str, ...]
    sheet: Path
    table: Path

    @property
    def measures(self) -> list[str]:
        """Their names without the set's."""
        return [figure.measure.removesuffix(f" on {self.set}") for figure in self.figures]

    def __getitem__(self, measure: str) -> Estimate:
        """The estimate of that measure, as in ``scores["PSNR-Y"].value``."""
        return next(f.estimate for f in self.figures if f.measure == f"{measure} on {self.set}")


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
    """Enlarge the low-resolution pictures of some sets and hold the results against the originals.

    A run's figures are appended to its figures.jsonl; the sheet and the table of each set lie beside it.

    Args:
        model: bicubic, a bundled model's name, a run's folder, a file of weights, or an opened model.
        on: Set5, Set14, BSD100, Urban100, Manga109, or folders of pictures.
        scale: of bicubic, 4 unless given.
        which: the run's newest state or its best.
        strength: of an SRGAN, as in ganvas upscale: 0 is the network it started from.
        device: where to compute networks.
        seed: of the intervals' resamples.
        out: folder of sheets and tables; by default the run's, else the current one.
        progress: show a bar on stderr.

    Raises:
        InputError: something cannot be opened or measured; the message says what to do.
    """
    if seed < 0:
        raise InputError(f"--seed {seed} is below 0; give a seed of at least 0.")
    folder, state = None, ""
    if isinstance(model, str | Path):
        model, folder, state = open_upscaler(model, scale=scale, which=which, strength=strength, device=device)
    sets = [find_set(str(source), model.scale) for source in ([on] if isinstance(on, str | Path) else on)]
    names = [one.name for one in sets]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"--on names two sets {twice}, whose files would be the same; give one of them at a time.")
    distances, notes = _distances(device)
    beside = Path(out) if out else folder.path if folder else Path()
    stem = "evaluation" if folder else f"ganvas-evaluate-{model.name}"
    stem += f"-{state}" if state not in ("", "last") else ""
    stem += f"-strength-{strength:g}" if strength != 1 else ""
    found = []
    for one in sets:
        scores = _score(model, one, distances, notes, beside / f"{stem}-{one.name}", seed, strength, progress)
        if folder:
            about = {"images": model.images_seen, "state": state, "asked": {"on": one.name, "seed": seed}}
            for line in scores.figures:
                folder.add_figure(line.line() | about)
        found.append(scores)
    return tuple(found)


def difference(a: Scores, b: Scores, seed: int = 0) -> dict[str, Estimate]:
    """By how much `a` is above `b`, picture by picture: much surer than two means with their intervals.

    Raises:
        InputError: they were not measured alike, or on other pictures.
    """
    protocols = [{f.measure: {**f.protocol, "ganvas": "", "strength": 1} for f in scores.figures} for scores in (a, b)]
    shared = [measure for measure in protocols[0] if protocols[0][measure] == protocols[1].get(measure)]
    if not shared:
        raise InputError(
            f"{a.name} on {a.set} and {b.name} on {b.set} were not measured alike; evaluate both on the same pictures"
            " at one scale."
        )
    measures = [measure for measure in a.measures if f"{measure} on {a.set}" in shared]
    gaps = {m: [a.pictures[name][m] - b.pictures[name][m] for name in a.pictures] for m in measures}
    return {measure: mean(np.array(values), seed) for measure, values in gaps.items()}


def _score(
    model: SuperResolution,
    pairs: TestSet,
    distances: Sequence[Perceptual],
    notes: Sequence[str],
    stem: Path,
    seed: int,
    strength: float,
    progress: bool,
) -> Scores:
    crop = pairs.scale
    rows: dict[str, dict[str, float]] = {}
    views: list[View] = []
    digest = hashlib.blake2b(digest_size=6)
    grey = unlike = 0
    for pair in _bar(pairs, f"{model.name} on {pairs.name}", progress):
        _expect_size(pair, pairs.name, crop)
        digest.update(f"{pair.high.shape} {pair.low.shape}".encode() + pair.high.tobytes() + pair.low.tobytes())
        grey += pair.high.shape[-1] == 1
        unlike += not pair.as_published
        result = model.upscale(pair.low, colour_lock=False)
        if result.shape != pair.high.shape:
            raise InputError(
                f"{model.name} made {result.shape} of {pair.name}, not {pair.high.shape}; give another model."
            )
        plain = enlarge(pair.low, pairs.scale)
        row = {**_distortion(result, pair.high, crop), **_perception(distances, result, pair.high, crop)}
        rows[pair.name] = row | {"bicubic PSNR-Y": min(EXACT, psnr(luma(plain), luma(pair.high), crop=crop))}
        views = worst([*views, view(pair.name, plain, result, pair.high, rows[pair.name])])
    measures = [*DISTORTION, *(distance.title for distance in distances)]
    absent = [m for m in measures if any(m not in row for row in rows.values())]
    protocol = {
        "set": pairs.name,
        "data": digest.hexdigest(),
        "pictures": len(rows),
        "grey": grey,
        "scale": pairs.scale,
        "low": f"not MATLAB's bicubic in {unlike} pictures" if unlike else "MATLAB's bicubic, byte for byte",
        "result": "8 bit, rounded",
        "crop": crop,
        "mean": "over pictures",
        "seed": seed,
    }
    if strength != 1:
        protocol["strength"] = strength
    figures = tuple(
        figure(
            f"{measure} on {pairs.name}",
            mean(np.array([row[measure] for row in rows.values()]), seed),
            {**_about(measure, distances), **protocol},
        )
        for measure in measures
        if measure not in absent
    )
    said = [*notes, *pairs.notes]
    said += [f"{m} is left out: {pairs.name} has pictures below {SIDE} px inside the crop." for m in absent]
    if any(row["PSNR-Y"] == EXACT or row["PSNR-RGB"] == EXACT for row in rows.values()):
        said.append(f"Some results equal their originals, which has no PSNR; each counts {EXACT:g} dB.")
    if len(rows) == 1:
        said.append("One picture has no interval over pictures.")
    sheet, table = stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.csv")
    draw(
        sheet, views, f"{model.name} on {pairs.name}: the worst {len(views)} of {len(rows)} by PSNR-Y, the worst first"
    )
    write_text(table, _csv(rows))
    return Scores(model.name, pairs.name, figures, rows, tuple(said), sheet, table)


def _expect_size(pair: Pair, name: str, crop: int) -> None:
    least = 11 + 2 * crop
    if min(pair.high.shape[:2]) < least:
        height, width = pair.high.shape[:2]
        raise InputError(
            f"{pair.name} of {name} is {width} x {height} px, and SSIM with a crop of {crop} px needs {least} x"
            f" {least}; take it away."
        )


def _distortion(result: Pixels, high: Pixels, crop: int) -> dict[str, float]:
    y, of = luma(result), luma(high)
    values = (
        psnr(y, of, crop=crop),
        ssim(y, of, crop=crop),
        psnr(result, high, crop=crop),
        ssim(result, high, crop=crop),
    )
    return {name: value if math.isfinite(value) else EXACT for name, value in zip(DISTORTION, values, strict=True)}


def _perception(distances: Sequence[Perceptual], result: Pixels, high: Pixels, crop: int) -> dict[str, float]:
    inside = slice(crop, high.shape[0] - crop), slice(crop, high.shape[1] - crop)
    if min(high[inside].shape[:2]) < SIDE:
        return {}
    a, b = (from_pixels(np.ascontiguousarray(x[inside])[None]) for x in (result, high))
    found = {}
    with torch.inference_mode():
        for distance in distances:
            device = distance.get_buffer("shift").device
            found[distance.title] = float(distance(a.to(device), b.to(device)))
    return found


def _distances(device: str) -> tuple[list[Perceptual], list[str]]:
    """The perceptual distances whose weights are here, and a sentence on each that is not asked for in vain."""
    found, notes = [], []
    # Nobody who wants a score waits for a download of 244 MB.
    wanted = ["st-lpips", *(["lpips"] if (weights_dir() / ALEXNET).is_file() else [])]
    for name in wanted:
        try:
            network = open_perceptual(name)
        except InputError as error:
            notes.append(f"{name} is left out: {error}")
            continue
        move(network, device)
        found.append(network)
    return found, notes


def _about(measure: str, distances: Sequence[Perceptual]) -> dict[str, Any]:
    for distance in distances:
        if distance.title == measure:
            return {"on": "RGB", "extractor": distance.name, "weights": distance.weights}
    kind, _, channels = measure.partition("-")
    return {"on": ON[channels]} | ({"window": WINDOW} if kind == "SSIM" else {})


def _csv(rows: dict[str, dict[str, float]]) -> str:
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["picture", *columns])
    writer.writerows([name, *(f"{row[c]:.6g}" if c in row else "" for c in columns)] for name, row in rows.items())
    return text.getvalue()


def _bar(pairs: TestSet, what: str, progress: bool) -> Iterator[Pair]:
    console = Console(stderr=True)
    show = progress and console.is_terminal
    yield from track(pairs, what, len(pairs), console=console, transient=True, disable=not show)
