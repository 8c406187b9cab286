"""A chart of the diagnosis: the signals over the verdicts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from ganvas.diagnosis.history import Diagnosis
from ganvas.diagnosis.verdicts import Verdict
from ganvas.imaging.colours import colours_of, colours_of_signals
from ganvas.imaging.lettering import save_chart
from ganvas.runs.record import Record

COLOURS = {
    "early": "#ffffff",
    "healthy": "#e6f4e9",
    "d-dominates": "#f6c9a8",
    "g-dominates": "#b9d3f0",
    "mode-collapse": "#d99a9a",
    "partial-collapse": "#eec4cf",
    "d-overfits": "#e3d08a",
    "oscillation": "#cdbbe6",
    "divergence": "#bcbcbc",
    "past-best": "#e3e3e3",
    "class-imbalance": "#d5e8e8",
}

PANELS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("D's mean score", ("logit_real", "logit_held_out", "logit_fake"), "linear"),
    ("share", ("accuracy_real", "accuracy_held_out", "accuracy_fake", "duplicates"), "linear"),
    ("fakes / reals", ("diversity", "features", "movement"), "linear"),
    ("distance / that of held-out", ("distance",), "log"),
)


def draw_diagnosis(record: Record, diagnosis: Diagnosis, path: Path) -> None:
    """Draw a run's diagnosis to a PNG file.

    Raises:
        InputError: the file cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    figure = Figure(figsize=(9, 11), layout="constrained", dpi=100)
    axes = figure.subplots(len(PANELS) + 1, 1, sharex=True)
    last = max(snapshot.images for snapshot in diagnosis.snapshots)
    colours = colours_of(record.terms)
    for name, points in sorted(record.terms.items()):
        axes[0].plot(*zip(*points, strict=True), label=name, linewidth=0.9, color=colours[name])
    axes[0].set_ylabel("loss")
    for axis, (title, names, scale) in zip(axes[1:], PANELS, strict=True):
        for name, colour in colours_of_signals(names).items():
            known = [(s.images, s.signals[name]) for s in diagnosis.snapshots if name in s.signals]
            if known:
                axis.plot(*zip(*known, strict=True), label=name.replace("_", " "), linewidth=1.1, color=colour)
        axis.set_ylabel(title)
        axis.set_yscale(scale)
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("{x:g}" if scale == "log" else "")
    for axis in axes:
        for verdict, end in _spans(diagnosis.timeline, last):
            axis.axvspan(verdict.since, end, color=COLOURS[verdict.name], linewidth=0, zorder=0)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
        axis.grid(alpha=0.25)
        axis.margins(x=0)
    axes[-1].set_xlabel("real images seen")
    named: dict[str, Any] = {v.name: Patch(color=COLOURS[v.name], label=v.name) for v in diagnosis.timeline}
    figure.legend(handles=list(named.values()), loc="outside upper right", ncols=4, frameon=False, fontsize=9)
    figure.suptitle(record.name, x=0.02, ha="left")
    save_chart(figure, path)


def _spans(timeline: list[Verdict], last: int) -> list[tuple[Verdict, int]]:
    return [(now, after.since) for now, after in pairwise(timeline)] + [(timeline[-1], last)]
