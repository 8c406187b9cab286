"""Images and models for the tests of scores."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np

from ganvas.evaluation.test_sets import shrink, upscale
from ganvas.imaging.grid import Pixels
from ganvas.imaging.saving import save_png
from ganvas.inference.base import Descriptor, Model
from ganvas.inference.super_resolution import SuperResolution


class Fake(SuperResolution):
    """A model without a network."""

    def __init__(self, name: str, scale: int, images_seen: int) -> None:
        self.about = Descriptor(name, "restoration", "image", scale, images_seen=images_seen)

    @classmethod
    def load(cls, model: Model) -> Self:
        raise NotImplementedError


class Softer(Fake):
    """A model worse than bicubic: bicubic twice."""

    def __init__(self) -> None:
        super().__init__("softer", 4, 7)

    def upscale(self, image: Pixels, *, colour_lock: bool = True) -> Pixels:
        return upscale(shrink(image, 2), 2 * self.scale)


class Doubled(Fake):
    """As an opened network's, of x2."""

    def __init__(self, name: str) -> None:
        super().__init__(name, 2, 900)

    def upscale(self, image: Pixels, *, colour_lock: bool = True) -> Pixels:
        assert not colour_lock
        return upscale(image, self.scale)


def picture(path: str, height: int = 104, width: int = 88, grey: bool = False, seed: int = 0) -> None:
    """Smooth waves with a little noise."""
    y, x = np.mgrid[:height, :width]
    waves = np.sin(x / 5 + seed)[..., None] + np.cos(y[..., None] / 7 + np.arange(1 if grey else 3))
    noise = np.random.default_rng(seed).normal(0, 6, waves.shape)
    save_png((127 + 50 * waves + noise).clip(0, 255).astype(np.uint8), Path(path))
