"""From rows to the named tensors of a batch: images, crops, and whatever is served as it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.crops import Photos, pixels_of
from ganvas.data.order import Order, Position
from ganvas.imaging.grid import Pixels
from ganvas.recipe.degradations import MARGIN, Degradation
from ganvas.recipe.sources import Cropped

# 0..255 to -1..1 in one pass over the memory; one step below 2/255 in fp32, so that white does not exceed 1.
SCALE = float(np.nextafter(np.float32(2 / 255), np.float32(0)))
FLIPS, CUTS = 1, 2  # the purposes of random numbers


class Transform(ABC):
    """What is done to the rows of a batch; whatever is random about it comes from `order.random`."""

    def needed(self, order: Order, at: Position) -> NDArray[np.int64]:
        """The numbers of the rows that the batch at a position is made of, in any shape."""
        return order.indices(at)[order.share]

    @abstractmethod
    def __call__(self, rows: Tensor, order: Order, at: Position) -> dict[str, Tensor]:
        """The tensors of this process's share of the batch, made of the rows that are needed for it; may change them.

        ``real`` is among them.
        """


class AsTheyAre(Transform):
    """Nothing: the rows are the batch, as of points."""

    def __call__(self, rows: Tensor, order: Order, at: Position) -> dict[str, Tensor]:
        """real: the rows."""
        return {"real": rows}


@dataclass(frozen=True)
class FlipAndScale(Transform):
    """Images, mirrored left to right with probability one half if `flip` is set."""

    flip: bool = False

    def __call__(self, rows: Tensor, order: Order, at: Position) -> dict[str, Tensor]:
        """uint8 (B, H, W, C) -> real: (B, C, H, W) in [-1, 1]."""
        if self.flip:
            chances = order.random(at, FLIPS).random(order.batch_size)[order.share]
            # Only the rows concerned, in place and before they become floats: less than half of torch.where's time.
            mirrored = torch.from_numpy((chances < 0.5).nonzero()[0]).to(rows.device)
            rows.index_copy_(0, mirrored, rows.index_select(0, mirrored).flip(2))
        return {"real": scaled(rows.permute(0, 3, 1, 2))}


@dataclass(frozen=True)
class CutAndDegrade(Transform):
    """Random crops of photographs, turned, and their degraded versions; the rows are pixels.

    Every process cuts and degrades the whole batch and keeps its share: a degradation draws for all rows at once.
    """

    photos: Photos
    crops: Cropped
    scale: int
    """How much smaller the degraded versions are."""

    def needed(self, order: Order, at: Position) -> NDArray[np.int64]:
        """The pixels (B, S, S) of the crops with their margins."""
        places, corners, turns, _ = self._draw(order, at)
        pixels = pixels_of(places, corners, self.photos.size, MARGIN * self.scale)
        return np.ascontiguousarray(pixels if turns is None else _turned(pixels, turns))

    def __call__(self, rows: Tensor, order: Order, at: Position) -> dict[str, Tensor]:
        """uint8 (B, S, S, C) -> real: (B, C, size, size), input: (B, C, size / scale, size / scale), in [-1, 1].

        What else the degradation names, such as a mask, is there as well: bytes in [-1, 1], other numbers as they are.
        """
        *_, seed = self._draw(order, at)
        random = torch.Generator().manual_seed(seed)
        named = degraded(rows.permute(0, 3, 1, 2), self.crops.rule, self.scale, random)
        share = {name: one[order.share] for name, one in named.items()}
        return {name: scaled(one) if one.dtype == torch.uint8 else one for name, one in share.items()}

    def _draw(self, order: Order, at: Position) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None, int]:
        random = order.random(at, CUTS)
        places = self.photos.placed(order.indices(at))
        step = self.photos.step
        corners = random.integers(0, (places[:, 1:] - self.photos.size) // step + 1) * step
        allowed = np.array(self.crops.turns)
        turns = allowed[random.integers(0, len(allowed), len(places))] if len(allowed) else None
        return places, corners, turns, int(random.integers(2**62))


def scaled(pixels: Tensor) -> Tensor:
    """uint8 (B, C, H, W) -> float32 in [-1, 1], in channels-last memory order."""
    return torch.add(_minus_one(pixels.device), pixels, alpha=SCALE).contiguous(memory_format=torch.channels_last)


@cache
def _minus_one(device: torch.device) -> Tensor:
    return torch.tensor(-1.0, device=device)


def degraded(wide: Tensor, rule: Degradation, scale: int, random: torch.Generator) -> dict[str, Tensor]:
    """Crops with a margin of MARGIN low-resolution pixels, uint8 (B, C, H, W) -> `real`, and all that the rule names.

    What has the sides of an image loses the margin, at whatever scale it is. The low-resolution version of a crop alone
    would differ at its rim from the crop of a low-resolution version.
    """
    whole, cut = wide.shape[-1], MARGIN * scale

    def inner(one: Tensor) -> Tensor:
        margin = cut * one.shape[-1] // whole
        return one[..., margin : one.shape[-2] - margin, margin : one.shape[-1] - margin] if one.ndim == 4 else one

    return {name: inner(one) for name, one in {"real": wide, **rule.apply(wide, scale, random)}.items()}


def centre_crops(photos: Photos, index: NDArray[Any], rule: Degradation, scale: int) -> tuple[Pixels, Tensor]:
    """Crops from the centres, uint8 (n, size, size, C), and their low-resolution versions (n, C, ..), in [-1, 1]."""
    wide = torch.from_numpy(photos.wide(index, MARGIN * scale)).permute(0, 3, 1, 2)
    named = degraded(wide, rule, scale, torch.Generator().manual_seed(0))
    return named["real"].permute(0, 2, 3, 1).numpy(), named["input"] * SCALE - 1


def _turned(pixels: NDArray[np.int64], turns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each square (n, s, s) in one of its eight turns and mirrorings."""
    turned = np.where((turns & 1)[:, None, None], pixels.transpose(0, 2, 1), pixels)
    turned = np.where((turns >> 1 & 1)[:, None, None], turned[:, ::-1], turned)
    return np.where((turns >> 2)[:, None, None], turned[:, :, ::-1], turned)
