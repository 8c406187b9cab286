"""Draws the curves of a run: the loss terms and the first measure of validation over real images seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganvas.imaging.colours import colours_of
from ganvas.imaging.lettering import save_chart
from ganvas.runs.folder import RunFolder, figures_of
from ganvas.untrusted import is_number

STATISTICS = {"augment/p": "p, augmentation probability", "d/sign": "mean sign of D's scores of the reals"}
MEASURES = {"SWD": "sliced Wasserstein distance", "PSNR-Y": "PSNR on Y"}


def draw(folder: RunFolder, path: Path | None = None) -> bool:
    """Draw the curves from a run's log to `path`, by default its curves.png; whether there was anything to draw.

    Raises:
        InputError: the file cannot be written.
    """
    lines = folder.read_log()
    terms = dict.fromkeys(name for line in lines for name in line if "/" in name and is_number(line[name]))
    if not terms:
        return False
    from matplotlib.figure import Figure

    measured = [figures[0] for figures in map(figures_of, lines) if figures]
    # Statistics are not on the scale of the losses.
    losses, statistics = [n for n in terms if n not in STATISTICS], [n for n in terms if n in STATISTICS]
    heights = [3.6, *([2.4] if statistics else []), *([2.4] if measured else [])]
    figure = Figure(figsize=(9, sum(heights)), dpi=110)
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    # Fixed margins: a layout engine would lay out and draw everything twice.
    height = sum(heights)
    figure.subplots_adjust(left=0.09, right=0.98, top=1 - 0.35 / height, bottom=0.5 / height, hspace=0.08)
    colours = colours_of(terms)
    for name in losses:
        axes[0].plot(*_points(lines, name), label=name, linewidth=1.0, color=colours[name])
    axes[0].set_ylabel("loss")
    axes[0].legend(loc="best", frameon=False)
    axes[0].set_title(folder.name, loc="left")
    for name in statistics:
        axes[1].plot(*_points(lines, name), label=STATISTICS[name], linewidth=1.0, color=colours[name])
    if statistics:
        axes[1].set_ylabel("augmentation")
        axes[1].legend(loc="best", frameon=False)
    if measured:
        name, unit = measured[0].measure, measured[0].unit
        images, values = [figure.images_seen for figure in measured], [figure.value for figure in measured]
        axes[-1].plot(images, values, color="tab:green", linewidth=1.0, marker=".", markersize=3)
        best = values.index((max if measured[0].higher_is_better else min)(values))
        axes[-1].plot(images[best], values[best], "o", color="tab:red", label="best")
        axes[-1].set_ylabel(MEASURES.get(name, name) + (f" ({unit})" if unit else ""))
        axes[-1].legend(loc="best", frameon=False)
    axes[-1].set_xlabel("real images seen")
    for axis in axes:
        axis.grid(alpha=0.3)
    save_chart(figure, path or folder.curves, pil_kwargs={"compress_level": 1})
    return True


def _points(lines: list[dict[str, Any]], name: str) -> tuple[list[int], list[float]]:
    found = [(line["images"], line[name]) for line in lines if is_number(line.get(name))]
    return [images for images, _ in found], [value for _, value in found]
