"""Plain shrinking by one rule: for images that were shrunk cleanly, and for comparisons with papers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganvas.recipe.degradations.base import Degradation

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Bicubic(Degradation):
    """MATLAB's antialiased bicubic, bit for bit: the degradation of the published benchmarks."""

    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """Returns `input` only."""
        from ganvas.imaging.tensors import bicubic

        return {"input": bicubic(target, 1 / scale)}


@dataclass(frozen=True, kw_only=True)
class Bilinear(Degradation):
    """Antialiased bilinear, as in Pillow."""

    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """Returns `input` only."""
        from ganvas.imaging.tensors import bilinear, eight_bit

        return {"input": eight_bit(bilinear(target.float(), scale))}


@dataclass(frozen=True, kw_only=True)
class Area(Degradation):
    """The mean of each scale x scale block, as OpenCV's INTER_AREA."""

    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """Returns `input` only."""
        from ganvas.imaging.tensors import area, eight_bit

        return {"input": eight_bit(area(target.float(), scale))}
