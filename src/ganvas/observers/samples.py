"""Sample sheets: fakes from the same z every time, beside the same reals; and the film strip made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.observers import Observer, Report, due
from ganvas.pictures import Pixels, beside, grid, save_png, tile_corner, to_pixels, zoom
from ganvas.runs.folder import RunFolder

if TYPE_CHECKING:
    from ganvas.training.run import Run

STRIP_ROWS, STRIP_COLUMNS = 6, 12


class Sheets(Observer):
    """One sheet at the start, then wherever one of the intervals ends, and one at the end."""

    count: int
    """Fakes on a sheet."""

    def __init__(self, folder: RunFolder, intervals: tuple[int, ...]) -> None:
        self.folder, self.intervals = folder, intervals

    def start(self, run: Run) -> None:
        """Draw the fixed z, and the sheet of the untrained generator."""
        self.inputs = run.recipe.system.inputs(self.count, run.recipe.seed).to(run.device)
        self.images = run.images
        if run.images == 0:
            self.write(run)

    def step(self, run: Run, report: Report) -> None:
        """Write a sheet where one is due."""
        before, self.images = self.images, report.images
        if any(due(every, before, self.images) for every in self.intervals):
            self.write(run)

    def end(self, run: Run) -> None:
        """Write the last sheet."""
        self.write(run)

    def write(self, run: Run) -> None:
        """Write one sheet of the fakes of `inputs`."""
        raise NotImplementedError


class Samples(Sheets):
    """Tiles of fakes, beside reals; at the end the film strip."""

    def __init__(self, folder: RunFolder, reals: Pixels, rows: int, columns: int, intervals: tuple[int, ...]) -> None:
        """`reals` are uint8 (N, H, W, C), shown to the right of the fakes."""
        super().__init__(folder, intervals)
        self.rows, self.columns, self.count = rows, columns, rows * columns
        self.reals = grid(reals, columns)

    def end(self, run: Run) -> None:
        """Write the last sheet and the film strip."""
        super().end(run)
        strip = filmstrip(self.folder, run.recipe.system.shape[-1], self.rows, self.columns)
        save_png(strip, self.folder.filmstrip)

    def write(self, run: Run) -> None:
        """Write one sheet."""
        fakes = grid(sample(run, self.inputs), self.columns)
        same = len(fakes) == len(self.reals)  # fewer pictures than tiles make a lower sheet
        save_png(beside([fakes, self.reals]) if same else fakes, self.folder.sheet(run.images))


def sample(run: Run, inputs: Tensor) -> Pixels:
    """Pictures uint8 (N, H, W, C) of a run's generator in evaluation mode, leaving no trace in it."""
    return to_pixels(outputs(run, inputs))


def outputs(run: Run, inputs: Tensor) -> Tensor:
    """What a run's generator makes (N, *shape) in evaluation mode, float32 on the CPU, leaving no trace in it."""
    training = run.sampler.training
    run.sampler.eval()
    with torch.no_grad():
        made = torch.cat([run.sampler(part).float().cpu() for part in torch.split(inputs, 256)])
    run.sampler.train(training)
    return made


def filmstrip(folder: RunFolder, size: int, rows: int, columns: int) -> Pixels:
    """The first tiles of some sheets: one row for each z, time from left to right, closer at the start, where most
    happens."""
    sheets = folder.sheets()
    chosen = sorted({round(i) for i in np.linspace(0, 1, STRIP_COLUMNS) ** 2 * (len(sheets) - 1)})
    side = size * zoom(size)
    tiles = []
    for index in range(min(STRIP_ROWS, rows * columns)):
        top, left = tile_corner(index, columns, side, side)
        for sheet in chosen:
            with Image.open(sheets[sheet]) as picture:
                cut = np.asarray(picture.crop((left, top, left + side, top + side)))
            tiles.append(cut.reshape(side, side, -1)[:: zoom(size), :: zoom(size)])
    return grid(np.stack(tiles), len(chosen))
