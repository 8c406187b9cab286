"""Watches super-resolution: sheets of low, enlarged and original crops, and the distance to the originals."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor
from torch.nn import functional

from ganvas.metrics.distortion import luma, psnr
from ganvas.observers import Observer, Report, due
from ganvas.observers.samples import Sheets, outputs
from ganvas.pictures import Pixels, grid, save_png, to_pixels
from ganvas.runs.folder import RunFolder

if TYPE_CHECKING:
    from ganvas.training.run import Run


class RestorationSheets(Sheets):
    """Rows of three tiles: the low-resolution crop (its pixels enlarged), what the generator makes of it, the original.

    The crops are held-out ones.
    """

    def __init__(self, folder: RunFolder, low: Tensor, high: Pixels, columns: int, intervals: tuple[int, ...]) -> None:
        """`low` are (N, C, h, w) in [-1, 1], `high` uint8 (N, H, W, C); `columns` triples stand side by side."""
        super().__init__(folder, intervals)
        self.low, self.high, self.columns = low, high, columns

    def start(self, run: Run) -> None:
        """Write the sheet of the untrained generator."""
        self.images = run.images
        if run.images == 0:
            self.write(run)

    def write(self, run: Run) -> None:
        """Write one sheet."""
        low, high = self.low, self.high
        made = to_pixels(outputs(run, low.to(run.device)))
        before = to_pixels(functional.interpolate(low, high.shape[1:3], mode="nearest"))
        tiles = np.stack([before, made, high], axis=1).reshape(-1, *high.shape[1:])
        save_png(grid(tiles, 3 * self.columns), self.folder.sheet(run.images))


class RestorationMeasure(Observer):
    """PSNR on Y of held-out crops, borders of `scale` pixels cut off, by which the best state is kept."""

    def __init__(
        self,
        folder: RunFolder,
        low: Tensor,
        high: Pixels,
        every: int,
        on_best: Callable[[Run], None],
    ) -> None:
        """`low` are (N, C, h, w) in [-1, 1], `high` uint8 (N, H, W, C)."""
        self.folder, self.low, self.high, self.every, self.on_best = folder, low, high, every, on_best
        self.crop = high.shape[1] // low.shape[-2]

    def start(self, run: Run) -> None:
        """Recall the best so far."""
        self.images = run.images
        self.best = max((line["psnr-y"] for line in self.folder.read_log() if "psnr-y" in line), default=0.0)

    def step(self, run: Run, report: Report) -> None:
        """Measure where due."""
        before, self.images = self.images, report.images
        if not due(self.every, before, self.images):
            return
        made = to_pixels(outputs(run, self.low.to(run.device)))
        each = [psnr(luma(a), luma(b), crop=self.crop) for a, b in zip(made, self.high, strict=True)]
        value = float(np.mean(each))
        self.folder.add_log({"images": self.images, "psnr-y": value, "protocol": f"{len(each)} crops, held-out"})
        if value > self.best:
            self.best = value
            self.on_best(run)
