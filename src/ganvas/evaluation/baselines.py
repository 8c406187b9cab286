"""What a model has to beat: bicubic interpolation, or the input as it is. They have no weights."""

from __future__ import annotations

from typing import Self

import numpy as np

from ganvas.errors import InputError
from ganvas.evaluation.test_sets import upscale
from ganvas.imaging.grid import Pixels
from ganvas.inference.base import Descriptor, Model
from ganvas.inference.super_resolution import SuperResolution

BICUBIC, INPUT = "bicubic", "input"
SCALE = 4  # default scale of bicubic


class _Baseline(SuperResolution):
    @classmethod
    def load(cls, model: Model) -> Self:
        """Always refused.

        Raises:
            InputError: always.
        """
        raise InputError(f"{BICUBIC} and {INPUT} have no weights to load from {model.about.name}; give them by name.")


class BicubicUpscaler(_Baseline):
    """MATLAB's bicubic, rounded to 8 bits."""

    def __init__(self, scale: int = SCALE) -> None:
        self.about = Descriptor(BICUBIC, "restoration", self.inputs, scale)

    def upscale(self, image: Pixels, *, colour_lock: bool = True) -> Pixels:
        """uint8 (H, W, C) -> uint8 (scale H, scale W, C)"""
        return upscale(image, self.scale)


class Unchanged(_Baseline):
    """What repair has to beat."""

    def __init__(self) -> None:
        self.about = Descriptor(INPUT, "repair", self.inputs)

    def upscale(self, image: Pixels, *, colour_lock: bool = True) -> Pixels:
        """uint8 (H, W, C) -> the same"""
        return np.array(image)
