"""What the page of a super-resolution study adds: bicubic's figures, and the same images by every run."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from ganvas.evaluation.baselines import BICUBIC
from ganvas.evaluation.pairs import score
from ganvas.evaluation.test_sets import Pair, TestSet, find_set, upscale
from ganvas.files import write_text
from ganvas.imaging.grid import Pixels
from ganvas.inference import Upscaler, open_as
from ganvas.reports import Reference
from ganvas.reports.viewer import ViewerRow
from ganvas.runs.figures import figure_of
from ganvas.studies.run_jobs import RunJob
from ganvas.studies.study import Study
from ganvas.untrusted import read_object

REFERENCES = "references.json"  # in the study's folder: the figures of bicubic
COLUMNS = {"PSNR-Y": "PSNR-Y ↑", "SSIM-Y": "SSIM-Y ↑", "ST-LPIPS": "ST-LPIPS ↓", "LPIPS": "LPIPS ↓"}
DISTORTION, PERCEPTION = "PSNR-Y", "ST-LPIPS"

Table = dict[str, dict[str, float]]
"""Scores of every image of a test set by its name."""


def references(study: Study, folder: Path) -> tuple[Reference, ...]:
    """Bicubic's figures on the study's test sets; measured once and kept in the folder.

    Raises:
        InputError: a test set is not available.
    """
    scale, file = study.scale, folder / REFERENCES
    found = read_object(file) if file.exists() else {}
    names = [find_set(word, scale).name for word in study.sets]
    for word, name in zip(study.sets, names, strict=True):
        if name not in found:
            (scores,) = score(BICUBIC, [word], scale=scale, out=folder)
            found[name] = [figure.to_plain() for figure in scores.figures]
            write_text(file, json.dumps(found, indent=2) + "\n")
    lines = [line for name in names for line in found[name]]
    return (Reference(BICUBIC, tuple(figure for line in lines if (figure := figure_of(line)))),)


def side_by_side(study: Study, jobs: Sequence[RunJob], folder: Path) -> list[ViewerRow]:
    """Of every test set the image on which the settings differ most, and the median one.

    Each setting is shown by the first of its seeds that was scored.
    """
    rows: list[ViewerRow] = []
    scale = study.scale
    for word in study.sets:
        pairs = find_set(word, scale)
        scored = {label: (job, table) for label, job, table in _scored(jobs, pairs.name)}
        if not scored:
            continue
        tables = {label: table for label, (_, table) in scored.items()}
        plain = _table(folder / f"ganvas-evaluate-{BICUBIC}-{pairs.name}.csv")
        chosen = _choose(tables)
        models = {label: open_as(Upscaler, job.folder.path) for label, (job, _) in scored.items()}
        for pair in _pairs(pairs, chosen):
            images = {BICUBIC: upscale(pair.low, scale)}
            images |= {label: model.upscale(pair.low, colour_lock=False) for label, model in models.items()}
            images["original"] = pair.high
            scores = {
                label: _with_arrows(table.get(pair.name, {})) for label, table in {BICUBIC: plain, **tables}.items()
            }
            drawn = {label: _image(pixels) for label, pixels in images.items()}
            seeds = sorted({job.recipe.seed for job, _ in scored.values()})
            note = f"{chosen[pair.name]} Each setting by seed {' or '.join(map(str, seeds))}."
            rows.append(ViewerRow(f"{pair.name} of {pairs.name}", drawn, scores, note))
    return rows


def _scored(jobs: Sequence[RunJob], name: str) -> Iterator[tuple[str, RunJob, Table]]:
    seen = set()
    for job in jobs:
        label = job.name.removesuffix(f"-seed{job.recipe.seed}")
        table = _table(job.folder.path / f"evaluation-{name}.csv")
        if table and label not in seen and job.state == "finished":
            seen.add(label)
            yield label, job, table


def _table(file: Path) -> Table:
    if not file.is_file():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {row.pop("picture"): {key: float(value) for key, value in row.items() if value} for row in rows}


def _choose(tables: Mapping[str, Table]) -> dict[str, str]:
    """Name of an image -> why it is shown."""
    names = [name for name in next(iter(tables.values())) if all(name in table for table in tables.values())]
    if not names:
        return {}
    by = PERCEPTION if all(PERCEPTION in table[name] for table in tables.values() for name in names) else DISTORTION

    def spread(name: str) -> float:
        values = [table[name].get(by, 0.0) for table in tables.values()]
        return max(values) - min(values)

    def fidelity(name: str) -> float:
        return float(np.mean([table[name].get(DISTORTION, 0.0) for table in tables.values()]))

    middle = sorted(names, key=fidelity)[len(names) // 2]
    chosen = {max(names, key=spread): f"The image of its set on which the settings differ most in {by}."}
    return chosen | ({middle: f"The median image of its set by {DISTORTION}."} if middle not in chosen else {})


def _pairs(pairs: TestSet, chosen: Mapping[str, str]) -> Iterator[Pair]:
    few = {pair.name: pair for pair in replace(pairs, items=tuple(i for i in pairs.items if i[0] in chosen))}
    # The image with the largest differences first, not in the order of the files.
    return (few[name] for name in chosen)


def _with_arrows(scores: Mapping[str, float]) -> dict[str, float]:
    return {title: scores[name] for name, title in COLUMNS.items() if name in scores}


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels)
