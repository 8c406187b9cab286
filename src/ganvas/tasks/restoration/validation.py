"""How far outputs are from their originals, and the knee beyond which looking better no longer pays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from torch import Tensor

from ganvas.imaging.grid import Pixels
from ganvas.imaging.tensors import imresize, to_pixels
from ganvas.metrics.figure import Figure
from ganvas.metrics.knee import Step, best_step, find_knee
from ganvas.metrics.lpips import STLPIPS
from ganvas.metrics.perceptual import distances
from ganvas.metrics.psnr import PSNRY
from ganvas.observers.validation import Validator
from ganvas.recipe.schedule import WHOLE
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer
from ganvas.training.run import Report, Run

TRUTH, LIKENESS = PSNRY.gives[0].name, STLPIPS.gives[0].name
PATIENCE = 0.2  # share of a run beyond its knee after which it is reported, where the run does not end there


class OriginalsValidator(Validator):
    """PSNR on Y of crops, borders of `scale` pixels cut off, and how far they look from the originals.

    The best state of a run that plays a game is its knee (`ganvas.metrics.knee`), of any other the one of the largest
    PSNR.

    Attributes:
        path: the measurements of the game, by which the knee is found.
    """

    by = TRUTH

    def __init__(self, low: Tensor, high: Pixels, split: str, pretrain: int, perceptual: STLPIPS | None = None) -> None:
        """Prepare to measure.

        Args:
            low: inputs (N, C, h, w) in [-1, 1].
            high: their originals, uint8 (N, H, W, C).
            split: the part of the data that they are of.
            pretrain: real images after which the game begins; -1 for none.
            perceptual: opened; without it there is no knee.
        """
        self.low, self.high, self.split, self.perceptual = low, high, split, perceptual
        self.begins = math.inf if pretrain == WHOLE else pretrain
        self.crop = high.shape[1] // low.shape[-2]
        self.path: list[Step] = []

    def start(self, run: Run) -> None:
        """Measure what the generator has to beat."""
        if self.perceptual:
            self.perceptual.network.to(run.device)
        start = imresize(self.low.float().cpu(), self.crop).clamp(-1, 1)
        self.reference = self._figures(to_pixels(start), upscaler="bicubic" if self.crop > 1 else "input")

    def measure(self, run: Run) -> list[Figure]:
        """PSNR-Y; and ST-LPIPS."""
        return self._figures(to_pixels(run.generate(self.low)))

    def note(self, images_seen: int, figures: Sequence[Figure]) -> bool:
        """Of a game the state that its path so far names as the best one to keep; before it the truest."""
        truest = super().note(images_seen, figures)
        values = {figure.measure: figure.value for figure in figures}
        if not {TRUTH, LIKENESS} <= values.keys() or images_seen <= self.begins:
            return truest
        self.path.append(Step(images_seen, 255 * 10 ** (-values[TRUTH] / 20), values[LIKENESS]))
        return best_step(self.path) == len(self.path) - 1

    def _figures(self, made: Pixels, **about: str) -> list[Figure]:
        protocol: dict[str, Any] = {"crops": len(self.high), "split": self.split, **about}
        truth = PSNRY()
        each = [truth.score(a, b, self.crop) for a, b in zip(made, self.high, strict=True)]
        found = [truth.figure(TRUTH, float(np.mean(each)), protocol)]
        if self.perceptual:
            far = float(distances(self.perceptual.network, made, self.high, crop=self.crop).mean())
            found.append(self.perceptual.figure(LIKENESS, far, protocol))
        return found


class KneeObserver(Observer):
    """Reports once that a run is past its knee, or ends it there. Checks after each measurement."""

    def __init__(self, folder: RunFolder, console: Console, validator: OriginalsValidator, stop_at: float) -> None:
        """`stop_at` is the share of the run after which a knee ends it; 0 is never."""
        self.folder, self.console, self.validator, self.stop_at = folder, console, validator, stop_at

    def start(self, run: Run) -> None:
        """Recall the knee that was reported."""
        reported = [event["at"] for event in self.folder.read_events() if event["event"] == "knee"]
        self.reported = reported[-1] if reported else None
        self.checked = len(self.validator.path)

    def step(self, run: Run, report: Report) -> None:
        """Look for the knee after a new measurement."""
        path = self.validator.path
        if len(path) == self.checked:
            return
        self.checked = len(path)
        knee = find_knee(path, (self.stop_at or PATIENCE) * run.recipe.images)
        if not knee:
            return
        if self.stop_at:
            self.ends = "past its knee"
        if knee.step.images != self.reported:
            self.reported = knee.step.images
            self.folder.add_event("knee", images=report.images_seen, at=self.reported, sentence=str(knee))
            self.console.print(f"image {report.images_seen:,}: {knee}", highlight=False, soft_wrap=True)
