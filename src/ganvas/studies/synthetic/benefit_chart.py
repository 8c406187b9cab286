"""The chart of ganvas augment: what was accepted, what was rejected, and what it gained."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ganvas
from ganvas.files import write_atomically
from ganvas.imaging.grid import Pixels, grid
from ganvas.metrics.intervals import Estimate
from ganvas.studies.synthetic.benefit import ARMS, BOTH, Benefit
from ganvas.studies.synthetic.filtering import REASONS, FilterResult
from ganvas.studies.synthetic.reals import LabelledImages

CLASSES, COLUMNS, REJECTED = 10, 8, 10  # shown at most
WHY = {
    "copy": "rejected as copies, above the nearest real image of each",
    "unsure": "rejected because the classifier is unsure of their class",
    "unreal": "rejected because D finds them least real of their class",
}


def draw(path: Path, found: FilterResult, reals: LabelledImages, benefit: Benefit) -> None:
    """Write a PNG of accepted fakes beside their nearest reals, rejected ones, and the accuracy of every arm.

    Raises:
        InputError: the file cannot be written.
    """
    from ganvas.imaging.figures import Figure

    shown = [reason for reason in REASONS if found.count(reason)]
    heights = [6.2, *(1.9 if reason == "copy" else 1.2 for reason in shown), 3.4]
    figure = Figure(figsize=(11, sum(heights)), layout="constrained", dpi=100)
    rows: Any = figure.subfigures(len(heights), 1, height_ratios=heights)
    _accepted(rows[0], found, reals, benefit.classes)
    for panel, reason in zip(rows[1:], shown, strict=False):
        _rejected(panel, found, reals, reason)
    _arms(rows[-1], benefit)
    text = {"Software": f"ganvas {ganvas.__version__}", "Description": "Extra samples evaluated, with synthetic images"}
    write_atomically(path, lambda part: figure.savefig(part, format="png", metadata=text))


def _accepted(panel: Any, found: FilterResult, reals: LabelledImages, classes: tuple[str, ...]) -> None:
    made = found.candidates.made
    chosen = []
    shown = range(min(CLASSES, len(classes)))
    for label in shown:
        own = found.accepted[made.labels[found.accepted] == label]
        # Repeats images of a class that has too few: a grid has no holes.
        chosen.append(np.resize(own, COLUMNS)[:COLUMNS])
    index = np.concatenate(chosen)
    left, right = panel.subplots(1, 2)
    fakes = grid(made.images[index], COLUMNS)
    _show(left, fakes, "accepted fakes, the first of every class")
    _show(right, grid(reals.images[found.neighbour[index]], COLUMNS), "the nearest real image of each, of any class")
    step = fakes.shape[0] / len(shown)
    left.set_axis_on()
    left.set_xticks([])
    left.set_yticks([(label + 0.5) * step for label in shown], [_short(classes[label]) for label in shown])
    left.tick_params(length=0)
    left.spines[:].set_visible(False)


def _rejected(panel: Any, found: FilterResult, reals: LabelledImages, reason: str) -> None:
    index = np.flatnonzero(found.fate == reason)
    picked: NDArray[np.int64] = index[np.linspace(0, len(index) - 1, min(REJECTED, len(index))).round().astype(int)]
    images: list[Pixels] = [found.candidates.made.images[picked]]
    if reason == "copy":
        images.append(reals.images[found.neighbour[picked]])
    columns = panel.subplots(len(images), REJECTED, squeeze=False)
    panel.suptitle(f"{len(index):,} {WHY[reason]}", x=0.01, ha="left", fontsize="medium")
    for line, row in zip(columns, images, strict=True):
        for axes in line:
            axes.set_axis_off()
        for number, (axes, one) in enumerate(zip(line, row, strict=False)):
            _show(axes, one, _score(found, reason, int(picked[number])) if line is columns[0] else "")


def _score(found: FilterResult, reason: str, index: int) -> str:
    realness = found.candidates.realness
    scores = {"copy": found.distance, "unsure": found.confidence, "unreal": realness}[reason]
    return "" if scores is None else f"{scores[index]:.3g}"


def _arms(panel: Any, benefit: Benefit) -> None:
    left, right = panel.subplots(1, 2, sharey=True)
    most = min(1.02, max(benefit.accuracy(arm).high for arm in ARMS) * 1.08)  # with room for a cap at 1
    for place, arm in enumerate(ARMS):
        colour = "#d1006b" if arm == BOTH else "#9aa5b1"
        one = benefit.accuracy(arm)
        left.barh(place, one.value, color=colour, height=0.62)
        # The number above the interval in the same bar: neither hides the other, however wide the interval.
        left.errorbar(one.value, place + 0.2, xerr=_sides(one), color="black", capsize=3)
        inside = "white" if one.value > 0.15 * most else "black"
        left.text(0.01 * most, place - 0.08, f"{one.value:.3f}", va="center", color=inside, fontweight="bold")
        if arm != benefit.rival:
            gain = benefit.gain(arm, benefit.rival)
            right.errorbar(gain.value, place, xerr=_sides(gain), color=colour, fmt="o", capsize=4, lw=2)
    left.set_yticks(range(len(ARMS)), [benefit.name(arm) for arm in ARMS])
    left.invert_yaxis()
    left.set_xlim(0, most)
    left.set_xlabel(f"accuracy on {len(benefit.labels):,} held-out real images")
    right.axvline(0, color="black", lw=1)
    right.set_xlabel(f"gain over {benefit.name(benefit.rival)}, {benefit.seeds} seeds, 95 %")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    panel.suptitle(fill(benefit.sentence, 130), x=0.01, ha="left", fontsize="medium")


def _sides(found: Estimate) -> list[list[float]]:
    """The extent of an interval to the left and to the right of its value, as errorbar expects it."""
    return [[found.value - found.low], [found.high - found.value]]


def _short(name: str) -> str:
    return name if len(name) <= 14 else f"{name[:13]}…"


def _show(axes: Any, pixels: Pixels, title: str) -> None:
    axes.imshow(np.broadcast_to(pixels, (*pixels.shape[:2], 3)), interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, fontsize="small")
