"""What can be enlarged: planes that are read region by region."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganvas.errors import InputError

Floats = NDArray[np.float32]


class Picture(Protocol):
    """One set of planes. A file's reader need not hold it in memory."""

    @property
    def height(self) -> int:
        """In pixels, at least 1."""

    @property
    def width(self) -> int:
        """In pixels, at least 1."""

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        """float32 (height, width, channels) in [0, 1]; never asked for anything outside the picture."""


class Planes:
    """A picture in memory: (H, W) or (H, W, channels), uint8, uint16 or float32 in [0, 1]."""

    def __init__(self, pixels: NDArray[Any]) -> None:
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or 0 in pixels.shape:
            raise InputError(
                f"an array of shape {pixels.shape} is no picture; give (H, W), (H, W, 1) or (H, W, 3), and alpha as a"
                " picture of its own."
            )
        if pixels.dtype not in (np.uint8, np.uint16, np.float32):
            raise InputError(f"pixels of type {pixels.dtype} cannot be enlarged; give uint8, uint16 or float32.")
        if pixels.dtype == np.float32 and not (pixels.min() >= 0 and pixels.max() <= 1):  # which NaN is not either
            raise InputError("float pixels lie outside 0 to 1; divide them by what white is, or give uint8.")
        self.pixels = pixels
        self.height, self.width, self.channels = pixels.shape

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        """float32 (height, width, channels) in [0, 1]"""
        part = self.pixels[top : top + height, left : left + width]
        return part.astype(np.float32) / peak(self.pixels.dtype) if part.dtype != np.float32 else part


class Grey:
    """One plane of a picture that has three equal ones."""

    channels = 1

    def __init__(self, picture: Picture) -> None:
        self.picture, self.height, self.width = picture, picture.height, picture.width

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        """float32 (height, width, 1) in [0, 1]"""
        return self.picture.region(top, left, height, width)[..., :1]


def is_grey(picture: Picture, rows: int = 64) -> bool:
    """Whether three planes are equal everywhere, as of a grey picture in a file of colours."""
    parts = (
        picture.region(top, 0, min(rows, picture.height - top), picture.width) for top in range(0, picture.height, rows)
    )
    return picture.channels == 3 and all(bool((part == part[..., :1]).all()) for part in parts)


def peak(kind: np.dtype[Any]) -> np.float32:
    """The value of white."""
    return np.float32(1 if kind == np.float32 else np.iinfo(kind).max)


def read(picture: Picture, top: int, left: int, height: int, width: int) -> Tensor:
    """A region as networks see it: float32 (1, 3, height, width) in [-1, 1]; grey as three equal planes."""
    part = np.ascontiguousarray(picture.region(top, left, height, width), np.float32)
    planes = torch.from_numpy(part).permute(2, 0, 1)[None] * 2 - 1
    return planes.expand(1, 3, -1, -1) if picture.channels == 1 else planes


def like(rows: Floats, kind: NDArray[Any] | Image.Image) -> NDArray[Any]:
    """Unrounded values in [0, 1] as pixels of the type that `kind` has."""
    dtype = np.dtype(np.uint8) if isinstance(kind, Image.Image) else kind.dtype
    if dtype == np.float32:
        return rows
    return np.asarray(np.rint(rows * peak(dtype)), dtype)
