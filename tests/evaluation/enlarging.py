"""Images and models for the tests of scores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganvas.evaluation.test_sets import enlarge, shrink
from ganvas.imaging.grid import Pixels
from ganvas.imaging.saving import save_png


@dataclass(frozen=True)
class Softer:
    """A model worse than bicubic: bicubic twice."""

    scale: int = 4
    name: str = "softer"
    images: int = 7

    def enlarge(self, low: Pixels) -> Pixels:
        return enlarge(shrink(low, 2), 2 * self.scale)


@dataclass
class Upscaler:
    """As the engine's, of x2."""

    name: str
    scale: int = 2
    images_seen: int = 900

    def upscale(self, image: Pixels, colour_lock: bool = True) -> Pixels:
        assert not colour_lock
        return enlarge(image, self.scale)


def picture(path: str, height: int = 104, width: int = 88, grey: bool = False, seed: int = 0) -> None:
    """Smooth waves with a little noise."""
    y, x = np.mgrid[:height, :width]
    waves = np.sin(x / 5 + seed)[..., None] + np.cos(y[..., None] / 7 + np.arange(1 if grey else 3))
    noise = np.random.default_rng(seed).normal(0, 6, waves.shape)
    save_png((127 + 50 * waves + noise).clip(0, 255).astype(np.uint8), Path(path))
