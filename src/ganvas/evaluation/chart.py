"""The chart of an evaluation: numbers alone hide what a glance shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import ganvas
from ganvas.evaluation.samples import Samples
from ganvas.imaging.grid import Pixels, evenly_spaced, grid
from ganvas.imaging.lettering import save_chart
from ganvas.metrics.measure import Evidence
from ganvas.metrics.neighbors import Nearest

SHOWN, COLUMNS, PAIRS = 64, 8, 10
MOST_CLASSES = 20  # of which a histogram can be read


def draw(path: Path, samples: Samples, x: Evidence, panels: Sequence[Callable[[Any], None]]) -> None:
    """Write a PNG of fakes and reals, if they are images, and below them one thing after another.

    These are the panels of the measures; without any, the fakes nearest to a training image with it. Then the classes
    of both, where an extractor knows them by name.

    Raises:
        InputError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    below: list[tuple[float, Callable[[Any], None]]] = [(2.4, partial(_panel, fill=panel)) for panel in panels]
    if x.nearest and not panels:
        below = [(2.9, partial(_pairs, samples=samples, found=x.nearest))]
    if x.fake and x.extractor and 0 < len(x.extractor.class_names) <= MOST_CLASSES:
        below.append((2.4, partial(_panel, fill=partial(_histogram, x=x))))
    if x.text is None:
        below.insert(0, (5, partial(_both, samples=samples)))
    height = 9 + 2.5 * (len(below) - 2) if x.text is None else 4.5
    figure = Figure(figsize=(11 if x.text is None else 14, height), layout="constrained", dpi=110)
    parts: Any = figure.subfigures(len(below), 1, height_ratios=[height for height, _ in below], squeeze=False)
    of = f"{samples.state} state at image {samples.images_seen:,}" if samples.folder else "given images"
    against = f"{samples.protocol['source']} ({samples.protocol['split']})"
    figure.suptitle(f"{samples.name}: {of}, against {against}", x=0.01, ha="left")
    for part, (_, fill) in zip(parts[:, 0], below, strict=True):
        fill(part)
    text = {
        "Software": f"ganvas {ganvas.__version__}",
        "Description": f"Evaluation of {samples.name}, with synthetic {samples.training.kind}",
    }
    save_chart(figure, path, text)


def _both(part: Any, samples: Samples) -> None:
    titles = ("fakes, none chosen", "reals")
    for axes, title, images in zip(part.subplots(1, 2), titles, (samples.fakes, samples.reals), strict=True):
        _show(axes, grid(evenly_spaced(images, SHOWN), COLUMNS), title)


def _panel(part: Any, fill: Callable[[Any], None]) -> None:
    fill(part.subplots())


def _pairs(part: Any, samples: Samples, found: Nearest) -> None:
    closest = np.argsort(found.distance, kind="stable")[:PAIRS]
    training = samples.training.take(found.index[closest])
    columns = part.subplots(2, len(closest), squeeze=False)
    for column, (number, real) in enumerate(zip(closest, training, strict=True)):
        _show(columns[0, column], samples.fakes[number], f"{found.distance[number]:.3f}")
        _show(columns[1, column], real, "")
    part.suptitle(
        "the fakes closest to a training image, above that image, with their distance per pixel in 0..1",
        x=0.01,
        ha="left",
        fontsize="medium",
    )


def _show(axes: Any, pixels: Pixels, title: str) -> None:
    axes.imshow(np.broadcast_to(pixels, (*pixels.shape[:2], 3)), interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, fontsize="small")


def _histogram(axes: Any, x: Evidence) -> None:
    assert x.extractor
    names = x.extractor.class_names
    counts = [np.bincount(found.probabilities.argmax(1), minlength=len(names)) for found in (x.of_fakes, x.of_reals)]
    for offset, name, count in zip((-0.2, 0.2), ("fakes", "reals"), counts, strict=True):
        axes.bar(np.arange(len(names)) + offset, count / count.sum(), width=0.4, label=name)
    axes.set_xticks(range(len(names)), names)
    axes.set_xlabel("class, as the classifier sees it")
    axes.set_ylabel("share")
    axes.legend(frameon=False)
