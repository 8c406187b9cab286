"""A search as one picture: the KIDs over images, and all candidates' fakes of the same z."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganvas.errors import InputError
from ganvas.files import write_atomically
from ganvas.imaging.grid import Pixels
from ganvas.runs.folder import RunFolder, figures_of
from ganvas.runs.previews import read_previews
from ganvas.studies.tuning.candidates import Candidate
from ganvas.studies.tuning.verdict import Probe, read

SIDE = 2.3  # inches of a sheet
CURVES = 3.4  # inches


def draw(
    path: Path,
    candidates: Sequence[Candidate],
    probes: Sequence[Probe],
    seed: int,
    images: int,
) -> None:
    """Write it as PNG.

    Args:
        candidates: in the order of their sheets: the learning rate grows from left to right, the penalty downwards.
        probes: of all seeds, the best first.
        seed: of the sheets.
        images: at which all candidates are shown; below them the finalists at their end.
    """
    from matplotlib.figure import Figure

    columns = max(2, len({candidate.lr for candidate in candidates}))
    shown = {probe.candidate.label: probe for probe in probes if probe.seed == seed}
    finals = [probe for probe in shown.values() if probe.images > images]
    # A finalist's verdict at its end is not that of the sheet on which it stands beside the others.
    all_ = [read(candidate, seed, shown[candidate.label].folder, images) for candidate in candidates]
    rows, below = -(-len(all_) // columns), -(-len(finals) // columns)
    heights = [CURVES, *[SIDE + 0.4] * (rows + below)]
    figure = Figure(figsize=(max(8.0, columns * (SIDE + 0.2)), sum(heights)), layout="constrained", dpi=110)
    places = figure.add_gridspec(len(heights), columns, height_ratios=heights)
    _curves(figure.add_subplot(places[0, :]), probes, seed)
    for row in range(rows + below):
        for column in range(columns):
            part, index = (all_, row * columns + column) if row < rows else (finals, (row - rows) * columns + column)
            if index < len(part):
                axis = figure.add_subplot(places[1 + row, column])
                _sheet(axis, part[index], images if part is all_ else part[index].images)
    figure.suptitle(path.parent.name, x=0.02, ha="left")
    write_atomically(path, lambda part: figure.savefig(part, format="png"))


def _curves(axis: Any, probes: Sequence[Probe], seed: int) -> None:
    colours = {label: f"C{index}" for index, label in enumerate(sorted({p.candidate.label for p in probes}))}
    for probe in probes:
        found = [figure for line in probe.folder.read_log() for figure in figures_of(line) if figure.measure == "KID"]
        if not found:
            continue
        values = np.array([[figure.images_seen, figure.value, figure.low, figure.high] for figure in found])
        label = probe.candidate.label
        first = probe.seed == seed
        style: dict[str, Any] = {"color": colours[label], "linestyle": "-" if first else "--", "linewidth": 1.2}
        axis.plot(values[:, 0], values[:, 1], marker=".", label=label if first else None, **style)
        axis.fill_between(values[:, 0], values[:, 2], values[:, 3], color=colours[label], alpha=0.12, linewidth=0)
    axis.set_xlabel("real images seen")
    axis.set_ylabel("KID (other seeds dashed)")
    axis.grid(alpha=0.3)
    axis.legend(loc="upper right", ncols=2, fontsize=8)


def _sheet(axis: Any, probe: Probe, images: int) -> None:
    fakes, at = _fakes(probe.folder, images)
    axis.imshow(fakes.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axis.set_axis_off()
    own = " (own)" if probe.candidate.is_own else ""
    axis.set_title(f"{probe.candidate.label}{own}\nseed {probe.seed}, {at:,} images, {probe.verdict}", fontsize=8)


def _fakes(folder: RunFolder, images: int) -> tuple[Pixels, int]:
    """The fakes of the last sheet up to a count of images, without the reals beside them, and that sheet's count."""
    preview = next((one for one in reversed(read_previews(folder.samples)) if one.images_seen <= images), None)
    if not preview:
        raise InputError(
            f"the run {folder.path} has no list of its previews; begin the search again under a new --name."
        )
    with Image.open(folder.samples / preview.file) as picture:
        pixels = np.asarray(picture)
    return pixels[:, : preview.box(preview.columns - 1)[2] + preview.gap], preview.images_seen
