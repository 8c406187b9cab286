"""The study of mode coverage: every objective on Stacked MNIST with one small network, and its table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganvas.evaluation.stacked_mnist import of_reals
from ganvas.files import write_text
from ganvas.imaging.lettering import save_chart
from ganvas.metrics.stacked_modes import FAKES, UNSEEN
from ganvas.recipe import Adam, Recipe
from ganvas.recipe.objectives import Hinge, LeastSquares, NonSaturating, Wasserstein
from ganvas.recipe.penalties import GradientPenalty
from ganvas.reports import Comparison
from ganvas.runs.previews import Part, Preview, open_preview
from ganvas.runs.record import Record
from ganvas.studies.presets import at_length
from ganvas.studies.study import Study, changed
from ganvas.systems import named_recipe

RECIPE = "dcgan-stacked-mnist"
TABLE, CHART = "modes.md", "modes.png"  # in the study's folder
PUBLISHED = {
    "rpgan-r1-r2": "1000, 0.0781",
    "gan-r1-r2": "693, 0.9270",
    "rpgan-r1": "diverged",
    "gan-r1": "diverged",
}  # modes and KL of 26,000
PROTOCOL = """{fakes:,} fakes of the last state; ganvas's classifier reads the digit in each channel. modes: classes of
1,000 with at least one fake; modes covered: with at least a tenth of their share; KL: to the uniform histogram, in
nats. Real images: {fakes:,} of {unseen}, which neither game nor classifier has seen.

Published: Huang et al. 2024 (R3GAN, NeurIPS 2024, arXiv:2501.05441), with another network and another classifier."""
COLUMNS = 5  # sample grids in a row of the chart


def modes(*, images: int = 0, seeds: Sequence[int] = (0, 1), changes: Mapping[str, Any] | None = None) -> Study:
    """Which of the 1,000 modes each game finds, with one network and one budget.

    The first four differ only in objective and penalties. The others have their usual learning rates and
    normalization.

    Args:
        images: real images of every run; 0 is as in the recipe dcgan-stacked-mnist.
        seeds: for every game.
        changes: fields of every recipe by their dotted paths, such as ``{"system.g_width": 16}``.

    Raises:
        InputError: a field or a value cannot be used.
    """
    first = changed(named_recipe(RECIPE), changes or {}, "the study modes")
    if images:
        first = at_length(first, images)
    return Study(
        recipe=first, name="modes", variants=_games(first), seeds=tuple(seeds), evaluate={"measures": ["modes"]}
    )


def _games(first: Recipe) -> dict[str, dict[str, Any]]:
    """The fields of the first recipe that each game changes."""

    def rates(lr: float, beta1: float, beta2: float) -> dict[str, Any]:
        adam = Adam(lr=lr, beta1=beta1, beta2=beta2)
        return {"adam_g": adam, "adam_d": adam}

    usual = {"system.d_norm": "batch", "penalties": (), **rates(2e-4, 0.5, 0.999)}
    return {
        "rpgan-r1-r2": {},
        "gan-r1-r2": {"objective": NonSaturating()},
        "rpgan-r1": {"penalties": first.penalties[:1]},
        "gan-r1": {"objective": NonSaturating(), "penalties": first.penalties[:1]},
        "gan": {"objective": NonSaturating(), **usual},
        "lsgan": {"objective": LeastSquares(), **usual},
        "hinge-sn": {"objective": Hinge(), **usual, "system.d_norm": "spectral", **rates(2e-4, 0.0, 0.9)},
        "wgan-gp": {
            "objective": Wasserstein(),
            "penalties": (GradientPenalty(),),
            "schedule.d_per_g": 5,
            **rates(1e-4, 0.0, 0.9),
        },
    }


def tabulate(study: Study, comparison: Comparison, folder: Path) -> tuple[Path, Path]:
    """Write the table and the chart of a study of modes into its folder; returns both files.

    Raises:
        InputError: MNIST is not available, or a file cannot be written.
    """
    size = int(comparison.records[0].recipe["system.size"])
    fakes = study.evaluate.get("fakes") or FAKES
    reals = of_reals(size, fakes)
    lines = [
        "| game | seed | modes | modes covered | KL | images | minutes | published modes, KL |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
        f"| real images | | {_cells(reals)} | | | |",
    ]
    for game, run in _runs(comparison):
        cells = _cells(_figures(run)) if _figures(run) else f"{run.about} | |"
        minutes = f"{60 * run.hours(run.images_seen):.1f}"
        lines.append(
            f"| {game} | {run.seed} | {cells} | {run.images_seen:,} | {minutes} | {PUBLISHED.get(game, '')} |",
        )
    write_text(folder / TABLE, "\n".join([*lines, "", PROTOCOL.format(fakes=fakes, unseen=UNSEEN)]) + "\n")
    _draw(comparison, folder / CHART)
    return folder / TABLE, folder / CHART


def _runs(comparison: Comparison) -> Iterator[tuple[str, Record]]:
    for _, run in comparison.ordered:
        yield run.name.removesuffix(f"-seed{run.seed}"), run


def _figures(run: Record) -> dict[str, float]:
    found = {figure.measure: figure.value for figure in run.figures if figure.state == "last"}
    return {} if run.state == "diverged" or "modes" not in found else found


def _cells(found: Mapping[str, float]) -> str:
    return f"{found['modes']:.0f} | {found['modes covered']:.0f} | {found['modes KL']:.4f}"


def _draw(comparison: Comparison, path: Path) -> None:
    """The last sample grid of the first run of every game, and real images."""
    import numpy as np
    from matplotlib.figure import Figure

    panels: list[tuple[str, Any]] = []
    reals: list[tuple[str, Any]] = []
    for variant in comparison.variants:
        run = variant.runs[0]
        found = _figures(run)
        message = f"{found['modes']:.0f} modes, KL {found['modes KL']:.3f}" if found else run.about
        title = f"{run.name.removesuffix(f'-seed{run.seed}')}\n{message}"
        if run.previews:
            preview = run.previews[-1]
            opened = open_preview(run.folder.samples, preview)
            if opened:
                panels.append((title, np.asarray(opened.crop(_all_of(preview, "output")))))
            if opened and preview.reals:
                reals = [("real images\n", np.asarray(opened.crop(_all_of(preview, "real"))))]
    panels += reals
    rows = max(1, -(-len(panels) // COLUMNS))
    figure = Figure(figsize=(3 * COLUMNS, 3.6 * rows), layout="constrained", dpi=80)
    cells = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    for axes in cells:
        axes.set_axis_off()
    for axes, (title, pixels) in zip(cells, panels, strict=False):
        axes.imshow(pixels, interpolation="nearest", cmap="gray")
        axes.set_title(title, fontsize="medium")
    text = {"Description": "Stacked MNIST by every game of the study modes, synthetic images and real ones"}
    save_chart(figure, path, text)


def _all_of(preview: Preview, part: Part) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of all tiles of a part, with the gap around them."""
    left, top, *_ = preview.box(0, part)
    *_, right, bottom = preview.box(preview.rows * preview.columns - 1, part)
    return left - preview.gap, top - preview.gap, right + preview.gap, bottom + preview.gap
