"""What is looked at when a GAN plays on the plane: fakes over D's field as sheets and as an animation; modes found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ganvas.imaging.grid import grid
from ganvas.imaging.plot2d import Canvas, Plane, cells
from ganvas.imaging.saving import save_gif, save_png
from ganvas.metrics.mode_coverage import Coverage, coverage
from ganvas.metrics.sliced_wasserstein import project, sliced_wasserstein
from ganvas.observers.measure import MEASURE, Measure
from ganvas.observers.samples import Sheets, outputs
from ganvas.runs.folder import RunFolder

if TYPE_CHECKING:
    from ganvas.training.run import Run

POINTS = 2_500  # fakes on a sheet
MEASURED = 10_000  # fakes in a measurement: fewer leave the distance to the chance of how many fall to which mode
STRIP, COLUMNS = 8, 4  # frames of the film strip
FRAME, LAST = 80, 2_000  # milliseconds that a frame of the animation stays
COLOURS = 64  # of the animation


class PlaneSheets(Sheets):
    """Fakes and reals over D's field; at the end all sheets as animation.gif."""

    count = POINTS

    def __init__(
        self,
        folder: RunFolder,
        reals: Plane,
        mixture: tuple[NDArray[np.float64], float],
        intervals: tuple[int, ...],
    ) -> None:
        """`mixture` holds the centres (M, 2) of the data's Gaussians and their standard deviation."""
        super().__init__(folder, intervals)
        self.mixture, self.canvas = mixture, Canvas(reals[:POINTS], field=True)

    def start(self, run: Run) -> None:
        """Draw the fixed z and the cells of the field."""
        self.cells = torch.from_numpy(cells()).to(run.device)
        super().start(run)

    def end(self, run: Run) -> None:
        """Draw the last sheet, the film strip and the animation."""
        super().end(run)
        sheets = self.folder.sheets()
        chosen = sorted({round(i) for i in np.linspace(0, 1, STRIP) ** 2 * (len(sheets) - 1)})
        frames = [_open(sheets[index]).reduce(2) for index in chosen]
        save_png(grid(np.stack([np.asarray(frame) for frame in frames]), COLUMNS), self.folder.filmstrip)
        # One palette for all, of a frame with every colour: a palette for each would flicker.
        palette = _open(sheets[-1]).quantize(COLOURS)
        film = [_open(sheet).quantize(palette=palette, dither=Image.Dither.NONE) for sheet in sheets]
        save_gif(film, self.folder.animation, [FRAME] * (len(film) - 1) + [LAST], f"{self.folder.name}, by ganvas")

    def write(self, run: Run) -> None:
        """Draw one sheet."""
        fakes = outputs(run, self.inputs).numpy()
        title = f"{run.images_seen:,} points seen: {describe(coverage(fakes, *self.mixture))}"
        save_png(self.canvas.draw(fakes, title, field(run, self.cells)), self.folder.sheet(run.images_seen))


class PlaneMeasure(Measure):
    """Sliced Wasserstein distance, modes covered and share of high quality of 10,000 fakes (fixed z)."""

    def __init__(
        self,
        folder: RunFolder,
        reals: Plane,
        mixture: tuple[NDArray[np.float64], float],
        every: int,
        on_best: Callable[[Run], None],
    ) -> None:
        """`mixture` as for the sheets; the distance is to `reals` (N, 2)."""
        super().__init__(folder, torch.from_numpy(reals[:MEASURED]), every, on_best)
        self.mixture = mixture

    def figures(self, run: Run) -> dict[str, float]:
        """The distance, `modes` and `quality`."""
        fakes = outputs(run, self.inputs)
        found = coverage(fakes.numpy(), *self.mixture)
        distance = sliced_wasserstein(self.reals, project(fakes))
        return {MEASURE: distance, "modes": found.covered, "quality": found.quality}


def describe(found: Coverage) -> str:
    """In a few words; the percentage is rounded down."""
    return f"{found.covered} of {found.of} modes covered, {int(100 * found.quality)} % within 3σ"


def field(run: Run, at: torch.Tensor) -> Plane:
    """D(x) = 1 / (1 + exp(-score)) of a run's discriminator at points (N, 2), leaving no trace in it."""
    training = run.d.training
    run.d.eval()
    with torch.no_grad():
        judged = run.d(at).float().sigmoid().cpu().numpy()
    run.d.train(training)
    return np.asarray(judged, np.float32)


def _open(sheet: object) -> Image.Image:
    with Image.open(str(sheet)) as picture:
        return picture.convert("RGB")
