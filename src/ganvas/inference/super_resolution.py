"""The base of all upscalers, and bicubic interpolation as the baseline."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import torch

from ganvas.errors import InputError
from ganvas.imaging.grid import Pixels
from ganvas.imaging.tensors import bicubic
from ganvas.inference.base import Descriptor, Model, Predictor

BICUBIC = "bicubic"
SCALE = 4  # default scale of bicubic


class SuperResolution(Predictor):
    """Upscales images by a whole factor."""

    inputs = "image"
    does = "upscales images"
    use = "ganvas upscale --model {model}"

    @property
    def scale(self) -> int:
        """Factor by which both sides grow."""
        return self.about.scale

    @abstractmethod
    def upscale(self, image: Any, *, colour_lock: bool = True) -> Any:
        """Return an image `scale` times as high and wide, of the same type.

        Args:
            colour_lock: keep the input's colours where the model would shift them.

        Raises:
            InputError: the image is of an unsupported kind.
        """


class BicubicUpscaler(SuperResolution):
    """MATLAB's bicubic, rounded to 8 bits."""

    def __init__(self, scale: int = SCALE) -> None:
        self.about = Descriptor(BICUBIC, "restoration", self.inputs, scale)

    @classmethod
    def load(cls, model: Model) -> Self:
        """Always refused: bicubic interpolation has no weights.

        Raises:
            InputError: always.
        """
        raise InputError(f"bicubic has no weights to load from {model.about.name}; open it by its name.")

    def upscale(self, image: Pixels, *, colour_lock: bool = True) -> Pixels:
        """uint8 (H, W, C) -> uint8 (scale H, scale W, C)"""
        made = bicubic(torch.from_numpy(np.array(image)).permute(2, 0, 1), self.scale)
        return np.ascontiguousarray(made.permute(1, 2, 0).numpy())
