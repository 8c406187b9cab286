"""Images that are read one region at a time."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganvas.errors import InputError

Floats = NDArray[np.float32]


class Raster(Protocol):
    """An image that is read one region at a time, so that a file need not fit into memory."""

    @property
    def height(self) -> int:
        """Height in pixels, at least 1."""

    @property
    def width(self) -> int:
        """Width in pixels, at least 1."""

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        """float32 (height, width, channels) in [0, 1]; the region always lies within the image."""


class ArrayRaster:
    """An image in memory: (H, W) or (H, W, channels), uint8, uint16 or float32 in [0, 1]."""

    def __init__(self, pixels: NDArray[Any]) -> None:
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or 0 in pixels.shape:
            raise InputError(
                f"an array of shape {pixels.shape} is not an image; give (H, W), (H, W, 1) or (H, W, 3), and alpha as a"
                " separate image."
            )
        if pixels.dtype not in (np.uint8, np.uint16, np.float32):
            raise InputError(f"pixels of type {pixels.dtype} are not supported; give uint8, uint16 or float32.")
        if pixels.dtype == np.float32 and not (pixels.min() >= 0 and pixels.max() <= 1):  # refuses NaN too
            raise InputError("float pixels are outside 0 to 1; divide them by the value of white, or give uint8.")
        self.pixels = pixels
        self.height, self.width, self.channels = pixels.shape

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        """float32 (height, width, channels) in [0, 1]"""
        part = self.pixels[top : top + height, left : left + width]
        return part.astype(np.float32) / peak(self.pixels.dtype) if part.dtype != np.float32 else part


class GreyRaster:
    """One channel of an image whose three channels are equal."""

    channels = 1

    def __init__(self, image: Raster) -> None:
        self.image, self.height, self.width = image, image.height, image.width

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        """float32 (height, width, 1) in [0, 1]"""
        return self.image.region(top, left, height, width)[..., :1]


class PaddedRaster:
    """An image padded to a size that a network needs, by repeating its last row and column."""

    def __init__(self, image: Raster, height: int, width: int) -> None:
        """`height` and `width` are the least that the padded image has."""
        self.image = image
        self.height, self.width = max(image.height, height), max(image.width, width)
        self.channels = image.channels

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        """float32 (height, width, channels) in [0, 1]"""
        first, start = min(top, self.image.height - 1), min(left, self.image.width - 1)
        rows, columns = (
            max(1, min(begin + length, whole) - kept)
            for begin, length, whole, kept in (
                (top, height, self.image.height, first),
                (left, width, self.image.width, start),
            )
        )
        part = self.image.region(first, start, rows, columns)
        return np.pad(part, ((0, height - rows), (0, width - columns), (0, 0)), mode="edge")


def is_grey(image: Raster, rows: int = 64) -> bool:
    """Whether an RGB image has three equal channels."""
    parts = (image.region(top, 0, min(rows, image.height - top), image.width) for top in range(0, image.height, rows))
    return image.channels == 3 and all(bool((part == part[..., :1]).all()) for part in parts)


def peak(kind: np.dtype[Any]) -> np.float32:
    """The value of white for pixels of a type."""
    return np.float32(1 if kind == np.float32 else np.iinfo(kind).max)


def read(image: Raster, top: int, left: int, height: int, width: int) -> Tensor:
    """A region as a network's input: float32 (1, 3, height, width) in [-1, 1], grey as three equal channels."""
    part = np.ascontiguousarray(image.region(top, left, height, width), np.float32)
    planes = torch.from_numpy(part).permute(2, 0, 1)[None] * 2 - 1
    return planes.expand(1, 3, -1, -1) if image.channels == 1 else planes


def like(rows: Floats, kind: NDArray[Any] | Image.Image) -> NDArray[Any]:
    """Convert unrounded values in [0, 1] to the pixel type of `kind`."""
    dtype = np.dtype(np.uint8) if isinstance(kind, Image.Image) else kind.dtype
    if dtype == np.float32:
        return rows
    return np.asarray(np.rint(rows * peak(dtype)), dtype)
