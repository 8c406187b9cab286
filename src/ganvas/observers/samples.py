"""Sample sheets: fakes from the same z every time, beside the same reals; and the film strip made of them.

Of a run with classes a row is a class, and a column one z in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.imaging.grid import MARGIN, Pixels, beside, grid, tile_corner, with_names, zoom
from ganvas.imaging.saving import save_png
from ganvas.imaging.tensors import to_pixels
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

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
        self.inputs = self.drawn(run).to(run.device)
        self.images_seen = run.images_seen
        if run.images_seen == 0:
            self.write(run)

    def step(self, run: Run, report: Report) -> None:
        """Write a sheet where one is due."""
        before, self.images_seen = self.images_seen, report.images_seen
        if any(due(every, before, self.images_seen) for every in self.intervals):
            self.write(run)

    def end(self, run: Run) -> None:
        """Write the last sheet."""
        self.write(run)

    def drawn(self, run: Run) -> Tensor:
        """The inputs of the fakes on every sheet."""
        return run.recipe.system.inputs(self.count, run.recipe.seed)

    def write(self, run: Run) -> None:
        """Write one sheet of the fakes of `inputs`."""
        raise NotImplementedError


class Samples(Sheets):
    """Tiles of fakes, beside reals; at the end the film strip."""

    def __init__(
        self,
        folder: RunFolder,
        reals: Pixels,
        rows: int,
        columns: int,
        intervals: tuple[int, ...],
        classes: Sequence[str] = (),
    ) -> None:
        """Prepare the reals.

        Args:
            reals: uint8 (N, H, W, C), shown to the right of the fakes.
            classes: names of the first classes, one for each row; none where the run has no classes.
        """
        super().__init__(folder, intervals)
        self.rows, self.columns, self.count, self.classes = rows, columns, rows * columns, classes
        self.reals = grid(reals, columns)

    def drawn(self, run: Run) -> Tensor:
        """One class after the other from the same z, where there are classes."""
        system, seed = run.recipe.system, run.recipe.seed
        if not self.classes:
            return super().drawn(run)
        return torch.cat([system.inputs(self.columns, seed, [row] * self.columns) for row in range(self.rows)])

    def end(self, run: Run) -> None:
        """Write the last sheet and the film strip."""
        super().end(run)
        shown = range(0, self.count, self.columns) if self.classes else range(min(STRIP_ROWS, self.count))
        strip = filmstrip(self.folder, run.recipe.system.shape[-1], self.columns, shown)
        save_png(with_names(strip, self.classes)[0], self.folder.filmstrip)

    def write(self, run: Run) -> None:
        """Write one sheet."""
        fakes = grid(sample(run, self.inputs), self.columns)
        same = len(fakes) == len(self.reals)  # fewer pictures than tiles make a lower sheet
        sheet, text = with_names(beside([fakes, self.reals]) if same else fakes, self.classes)
        save_png(sheet, self.folder.sheet(run.images_seen), text)


def sample(run: Run, inputs: Tensor) -> Pixels:
    """Images uint8 (N, H, W, C) of a run's generator in evaluation mode, leaving no trace in it."""
    return to_pixels(outputs(run, inputs))


def outputs(run: Run, inputs: Tensor) -> Tensor:
    """What a run's generator makes (N, *shape) in evaluation mode, float32 on the CPU, leaving no trace in it."""
    training = run.sampler.training
    run.sampler.eval()
    with torch.no_grad():
        made = torch.cat([run.sampler(part).float().cpu() for part in torch.split(inputs, 256)])
    run.sampler.train(training)
    return made


def filmstrip(folder: RunFolder, size: int, columns: int, shown: Sequence[int]) -> Pixels:
    """The tiles of these numbers of some sheets: one row for each, time from left to right, closer at the start, where
    most happens."""
    sheets = folder.sheets()
    chosen = sorted({round(i) for i in np.linspace(0, 1, STRIP_COLUMNS) ** 2 * (len(sheets) - 1)})
    side = size * zoom(size)
    tiles = []
    for index in shown:
        top, left = tile_corner(index, columns, side, side)
        for sheet in chosen:
            with Image.open(sheets[sheet]) as picture:
                start = left + int(picture.info.get(MARGIN, 0))
                cut = np.asarray(picture.crop((start, top, start + side, top + side)))
            tiles.append(cut.reshape(side, side, -1)[:: zoom(size), :: zoom(size)])
    return grid(np.stack(tiles), len(chosen))
