"""A search as one chart: KID over images, and the fakes of all candidates from the same z."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganvas.errors import InputError
from ganvas.files import write_atomically
from ganvas.imaging.grid import Pixels
from ganvas.runs.record import Record
from ganvas.studies.tuning.candidates import TuningCandidate
from ganvas.studies.tuning.trials import Trial, read

SIDE = 2.3  # inches of a sample grid
CURVES = 3.4  # inches of the curves


def draw(
    path: Path,
    candidates: Sequence[TuningCandidate],
    trials: Sequence[Trial],
    seed: int,
    images: int,
) -> None:
    """Write the chart as PNG.

    Args:
        candidates: in the order of their sample grids: the learning rate grows to the right, the penalty downwards.
        trials: of all seeds, the best first.
        seed: whose fakes are shown.
        images: at which all candidates are shown; below them the finalists at their end.
    """
    from ganvas.imaging.figures import Figure

    columns = max(2, len({candidate.lr for candidate in candidates}))
    shown = {trial.candidate.label: trial for trial in trials if trial.seed == seed}
    finals = [trial for trial in shown.values() if trial.images > images]
    # A finalist's verdict at its end is not its verdict beside the other candidates.
    all_ = [read(candidate, seed, shown[candidate.label].folder, images) for candidate in candidates]
    rows, below = -(-len(all_) // columns), -(-len(finals) // columns)
    heights = [CURVES, *[SIDE + 0.4] * (rows + below)]
    figure = Figure(figsize=(max(8.0, columns * (SIDE + 0.2)), sum(heights)), layout="constrained", dpi=110)
    places = figure.add_gridspec(len(heights), columns, height_ratios=heights)
    _curves(figure.add_subplot(places[0, :]), trials, seed)
    for row in range(rows + below):
        for column in range(columns):
            part, index = (all_, row * columns + column) if row < rows else (finals, (row - rows) * columns + column)
            if index < len(part):
                axis = figure.add_subplot(places[1 + row, column])
                _sample_grid(axis, part[index], images if part is all_ else part[index].images)
    figure.suptitle(path.parent.name, x=0.02, ha="left")
    write_atomically(path, lambda part: figure.savefig(part, format="png"))


def _curves(axis: Any, trials: Sequence[Trial], seed: int) -> None:
    colours = {label: f"C{index}" for index, label in enumerate(sorted({p.candidate.label for p in trials}))}
    for trial in trials:
        found = Record(trial.folder).log_figures("KID")
        if not found:
            continue
        values = np.array([[figure.images_seen, figure.value, figure.low, figure.high] for figure in found])
        label = trial.candidate.label
        first = trial.seed == seed
        style: dict[str, Any] = {"color": colours[label], "linestyle": "-" if first else "--", "linewidth": 1.2}
        axis.plot(values[:, 0], values[:, 1], marker=".", label=label if first else None, **style)
        axis.fill_between(values[:, 0], values[:, 2], values[:, 3], color=colours[label], alpha=0.12, linewidth=0)
    axis.set_xlabel("real images seen")
    axis.set_ylabel("KID (other seeds dashed)")
    axis.grid(alpha=0.3)
    axis.legend(loc="upper right", ncols=2, fontsize=8)


def _sample_grid(axis: Any, trial: Trial, images: int) -> None:
    fakes, at = _fakes(Record(trial.folder), images)
    axis.imshow(fakes.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axis.set_axis_off()
    own = " (own)" if trial.candidate.is_own else ""
    axis.set_title(f"{trial.candidate.label}{own}\nseed {trial.seed}, {at:,} images, {trial.verdict}", fontsize=8)


def _fakes(record: Record, images: int) -> tuple[Pixels, int]:
    """The fakes of the last preview up to a count of images, without the reals, and the count of that preview."""
    preview = next((one for one in reversed(record.previews) if one.images_seen <= images), None)
    if not preview:
        raise InputError(
            f"the run {record.path} has no index of its previews; start the search again under a new --name."
        )
    with Image.open(record.folder.samples / preview.file) as opened:
        pixels = np.asarray(opened)
    return pixels[:, : preview.box(preview.columns - 1)[2] + preview.gap], preview.images_seen
