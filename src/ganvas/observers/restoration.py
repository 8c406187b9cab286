"""Watches super-resolution: sheets of low, enlarged and original crops, and the distance to the originals."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from torch import Tensor
from torch.nn import functional

from ganvas.imaging.grid import Pixels, grid
from ganvas.imaging.saving import save_png
from ganvas.imaging.tensors import imresize, to_pixels
from ganvas.metrics.distortion import EXACT, luma, psnr
from ganvas.metrics.knee import Step, best_step, find_knee
from ganvas.metrics.perceptual import PerceptualDistance, distances
from ganvas.observers.samples import Sheets, outputs
from ganvas.recipe import WHOLE
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

TRUTH, LOOKS = "psnr-y", "st-lpips"  # in the log
PATIENCE = 0.2  # share of a run beyond its knee after which it is told, where the run does not end there


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
        self.images_seen = run.images_seen
        if run.images_seen == 0:
            self.write(run)

    def write(self, run: Run) -> None:
        """Write one sheet."""
        low, high = self.low, self.high
        made = to_pixels(outputs(run, low.to(run.device)))
        before = to_pixels(functional.interpolate(low, high.shape[1:3], mode="nearest"))
        tiles = np.stack([before, made, high], axis=1).reshape(-1, *high.shape[1:])
        save_png(grid(tiles, 3 * self.columns), self.folder.sheet(run.images_seen))


class RestorationMeasure(Observer):
    """PSNR on Y of held-out crops, borders of `scale` pixels cut off, and how far they look from the originals.

    By these the best state is kept: of a run that plays a game its knee (`ganvas.metrics.knee`), of any other the one
    of the largest PSNR.
    """

    def __init__(
        self,
        folder: RunFolder,
        console: Console,
        crops: tuple[Tensor, Pixels, str],
        every: int,
        on_best: Callable[[Run], None],
        distance: PerceptualDistance | None = None,
        stop_at_knee: float = 0.0,
    ) -> None:
        """Prepare to measure.

        Args:
            crops: low ones (N, C, h, w) in [-1, 1], high ones uint8 (N, H, W, C), and the part of the data they are of.
            every: images between measurements.
            on_best: called whenever the state is the best so far.
            distance: how far pictures look from each other; without one there is no knee.
            stop_at_knee: share of the run after which a knee ends it; 0 is never.
        """
        self.folder, self.console, self.every, self.on_best = folder, console, every, on_best
        self.low, self.high, self.part = crops
        self.distance, self.stop_at_knee = distance, stop_at_knee
        self.crop = self.high.shape[1] // self.low.shape[-2]

    def start(self, run: Run) -> None:
        """Recall the best so far, and measure what the generator has to beat."""
        self.images_seen, log = run.images_seen, self.folder.read_log()
        self.best = max((line[TRUTH] for line in log if TRUTH in line), default=0.0)
        self.begins = math.inf if run.recipe.schedule.pretrain == WHOLE else run.recipe.schedule.pretrain
        self.path = [_step(line) for line in log if self._counts(line)]
        told = [event["at"] for event in self.folder.read_events() if event["event"] == "knee"]
        self.told = told[-1] if told else None
        if self.distance:
            self.distance.to(run.device)
        shown = imresize(self.low.float().cpu(), self.crop).clamp(-1, 1)
        self.bicubic = self._figures(to_pixels(shown), run)

    def step(self, run: Run, report: Report) -> None:
        """Measure where due."""
        before, self.images_seen = self.images_seen, report.images_seen
        if not due(self.every, before, self.images_seen):
            return
        figures = self._figures(to_pixels(outputs(run, self.low.to(run.device))), run)
        about = {"bicubic": self.bicubic, "protocol": f"{len(self.high)} crops, {self.part}"}
        line: dict[str, Any] = {"images": self.images_seen, **figures, **about}
        self.folder.add_log(line)
        if self._is_best(line):
            self.on_best(run)
        self._look_for_knee(run)

    def _figures(self, made: Pixels, run: Run) -> dict[str, float]:
        # Of a flat crop even bicubic makes the original itself, which has no end.
        each = [min(EXACT, psnr(luma(a), luma(b), crop=self.crop)) for a, b in zip(made, self.high, strict=True)]
        figures = {TRUTH: float(np.mean(each))}
        if self.distance:
            figures[LOOKS] = float(distances(self.distance, made, self.high, crop=self.crop).mean())
        return figures

    def _counts(self, line: dict[str, Any]) -> bool:
        """Whether it is a look at the game, by which the knee is found."""
        return LOOKS in line and TRUTH in line and bool(line["images"] > self.begins)

    def _is_best(self, line: dict[str, Any]) -> bool:
        if self._counts(line):
            self.path.append(_step(line))
            return best_step(self.path) == len(self.path) - 1
        better: bool = line[TRUTH] > self.best
        self.best = max(self.best, line[TRUTH])
        return better

    def _look_for_knee(self, run: Run) -> None:
        knee = find_knee(self.path, (self.stop_at_knee or PATIENCE) * run.recipe.images)
        if not knee:
            return
        if self.stop_at_knee:
            self.ends = "past its knee"
        if knee.step.images != self.told:
            self.told = knee.step.images
            self.folder.add_event("knee", images=self.images_seen, at=self.told, sentence=str(knee))
            self.console.print(f"image {self.images_seen:,}: {knee}", highlight=False, soft_wrap=True)


def _step(line: dict[str, Any]) -> Step:
    return Step(line["images"], 255 * 10 ** (-line[TRUTH] / 20), line[LOOKS])
