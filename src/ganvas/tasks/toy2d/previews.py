"""Fakes and reals over D's field; at the end all of them as an animation, and some as a film strip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ganvas.imaging.grid import Pixels, grid
from ganvas.imaging.plot2d import Canvas, Points, cells
from ganvas.imaging.saving import save_gif, save_png
from ganvas.metrics.mode_coverage import Coverage, coverage
from ganvas.observers.previews import Previewer
from ganvas.runs.folder import RunFolder
from ganvas.runs.previews import Preview, at_moments, open_preview, read_previews
from ganvas.training.run import Run

POINTS = 2_500  # fakes in a preview
STRIP, COLUMNS = 8, 4  # frames of the film strip
FRAME, LAST = 80, 2_000  # milliseconds that a frame of the animation stays
COLOURS = 64  # of the animation


class PlotPreviewer(Previewer):
    """Plots of 2,500 fakes (fixed z)."""

    def __init__(self, mixture: tuple[NDArray[np.float64], float], seed: int, reals: Points) -> None:
        """`mixture` is what is learned, centres (K, 2) and standard deviation; `reals` are points (N, 2)."""
        self.mixture, self.canvas = mixture, Canvas(reals, field=True)
        self.layout = Preview(file="", images_seen=0, kind="plot", gap=0, seed=seed)

    def start(self, run: Run) -> None:
        """Draw z, and the cells of the field."""
        self.inputs = run.recipe.system.inputs(POINTS, self.layout.seed)
        self.cells = torch.from_numpy(cells()).to(run.device)

    def draw(self, run: Run) -> Pixels:
        """One plot."""
        fakes = run.generate(self.inputs).numpy()
        title = f"{run.images_seen:,} points seen: {describe(coverage(fakes, *self.mixture))}"
        return self.canvas.draw(fakes, title, field(run, self.cells))

    def finish(self, folder: RunFolder) -> None:
        """The film strip and the animation."""
        found = [preview for preview in read_previews(folder.samples) if open_preview(folder.samples, preview)]
        plots = [folder.samples / preview.file for preview in found]
        if not plots:
            return
        chosen = at_moments(found, np.linspace(0, 1, STRIP) ** 2 * found[-1].images_seen)
        frames = [_open(folder.samples / preview.file).reduce(2) for preview in chosen]
        save_png(grid(np.stack([np.asarray(frame) for frame in frames]), COLUMNS), folder.filmstrip)
        # One palette for all, of a frame with every colour: a palette for each would flicker.
        palette = _open(plots[-1]).quantize(COLOURS)
        frames = [_open(plot).quantize(palette=palette, dither=Image.Dither.NONE) for plot in plots]
        save_gif(frames, folder.animation, [FRAME] * (len(frames) - 1) + [LAST], f"{folder.name}, by ganvas")


def describe(found: Coverage) -> str:
    """In a few words; the percentage is rounded down."""
    return f"{found.covered} of {found.of} modes covered, {int(100 * found.quality)} % within 3σ"


def field(run: Run, at: torch.Tensor) -> Points:
    """D(x) = 1 / (1 + exp(-score)) of a run's discriminator at points (N, 2), leaving no trace in it."""
    training = run.d.training
    run.d.eval()
    with torch.no_grad():
        scored = run.d(at).float().sigmoid().cpu().numpy()
    run.d.train(training)
    return np.asarray(scored, np.float32)


def _open(plot: Path) -> Image.Image:
    with Image.open(plot) as image:
        return image.convert("RGB")
