"""The picture of an evaluation: numbers alone hide what a glance shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import ganvas
from ganvas.evaluation.measures import Inputs
from ganvas.evaluation.samples import Sets
from ganvas.files import write_atomically
from ganvas.imaging.grid import Pixels, grid, some
from ganvas.metrics.memorization import Nearest

SHOWN, COLUMNS, PAIRS = 64, 8, 10


def draw(path: Path, sets: Sets, pairs: Nearest, inputs: Inputs | None) -> None:
    """Write a PNG of fakes, reals, the fakes nearest to a training picture with it, and the classes of digits.

    Raises:
        InputError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    digits = inputs is not None and inputs.extractor.name == "digits"
    figure = Figure(figsize=(11, 11.5 if digits else 9), layout="constrained", dpi=110)
    rows: Any = figure.subfigures(3 if digits else 2, 1, height_ratios=[5, 2.9, 2.4] if digits else [5, 2.9])
    of = f"{sets.state} state at image {sets.images:,}" if sets.folder else "given pictures"
    figure.suptitle(
        f"{sets.name}: {of}, against {sets.protocol['source']} ({sets.protocol['split']})", x=0.01, ha="left"
    )
    for axes, title, pictures in zip(
        rows[0].subplots(1, 2), ("fakes, none chosen", "reals"), (sets.fakes, sets.reals), strict=True
    ):
        _show(axes, grid(some(pictures, SHOWN), COLUMNS), title)
    closest = np.argsort(pairs.distance, kind="stable")[:PAIRS]
    training = sets.training.take(pairs.index[closest])
    columns = rows[1].subplots(2, len(closest), squeeze=False)
    for column, (number, real) in enumerate(zip(closest, training, strict=True)):
        _show(columns[0, column], sets.fakes[number], f"{pairs.distance[number]:.3f}")
        _show(columns[1, column], real, "")
    rows[1].suptitle(
        "the fakes closest to a training picture, above that picture, with their distance per pixel in 0..1",
        x=0.01,
        ha="left",
        fontsize="medium",
    )
    if inputs and digits:
        _histogram(rows[2].subplots(), inputs)
    text = {
        "Software": f"ganvas {ganvas.__version__}",
        "Description": f"Evaluation of {sets.name}, with synthetic pictures",
    }
    write_atomically(path, lambda part: figure.savefig(part, format="png", metadata=text))


def _show(axes: Any, picture: Pixels, title: str) -> None:
    axes.imshow(np.broadcast_to(picture, (*picture.shape[:2], 3)), interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, fontsize="small")


def _histogram(axes: Any, inputs: Inputs) -> None:
    counts = [np.bincount(found.probabilities.argmax(1), minlength=10) for found in (inputs.fake, inputs.real)]
    for offset, name, count in zip((-0.2, 0.2), ("fakes", "reals"), counts, strict=True):
        axes.bar(np.arange(10) + offset, count / count.sum(), width=0.4, label=name)
    axes.set_xticks(range(10))
    axes.set_xlabel("digit, as the classifier sees it")
    axes.set_ylabel("share")
    axes.legend(frameon=False)
