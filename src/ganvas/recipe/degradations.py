"""Degradations: how an image is turned into the low-quality input that restoration learns to undo.

Train with the degradation that produced the images to be restored: a network trained on one kernel and used on another
loses more than a decibel.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganvas.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MARGIN = 2  # low-resolution pixels around a crop that bicubic downscaling reads


class Degradation(ABC):
    """One degradation. Subclasses are frozen dataclasses."""

    @abstractmethod
    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """Make the generator's input.

        Args:
            target: uint8 (B, C, H, W), whose sides are multiples of `scale`.
            scale: the downscaling factor of each side.
            random: the only source of randomness.

        Returns:
            `input`, uint8 (B, C, H / scale, W / scale), and any further named tensors for the batch, such as a mask,
            each with one row per sample.
        """


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


@dataclass(frozen=True, kw_only=True)
class Blind(Degradation):
    """Blur, one of three resizing kernels, noise and JPEG, each of random strength: for real photographs.

    A single pass of the model of Wang et al. 2021, Real-ESRGAN, arXiv:2107.10833, section 3.1.
    """

    blur: float = 2.0
    """Largest standard deviation of the Gaussian blur, in high-resolution pixels; drawn per image."""
    noise: float = 15.0
    """Largest standard deviation of the noise, on the scale 0..255; grey in half of the images."""
    jpeg: int = 40
    """Lowest JPEG quality; the highest is 95. 0 disables compression."""

    def __post_init__(self) -> None:
        if not (0 <= self.blur < math.inf and 0 <= self.noise < math.inf and 0 <= self.jpeg <= 95):
            raise InputError(
                f"--data.degradation has blur {self.blur}, noise {self.noise} and jpeg {self.jpeg}; blur and noise"
                " must be at least 0, and jpeg 0 (off) to 95."
            )

    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """Returns `input` only."""
        import torch

        from ganvas.imaging.tensors import area, bilinear, blurred, eight_bit, imresize, jpeg

        count, device = len(target), target.device

        def draw(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=random).to(device)

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=random).to(device)

        images = blurred(target.float(), self.blur * draw(count))
        small = torch.stack([imresize(images, 1 / scale), bilinear(images, scale), area(images, scale)])
        which = torch.randint(3, (count,), generator=random).to(device)
        low = small[which, torch.arange(count, device=device)]
        grey = (draw(count) < 0.5).view(-1, 1, 1, 1)
        coloured = normal(*low.shape)
        noise = torch.where(grey, coloured[:, :1], coloured)
        low = (low + noise * (self.noise * draw(count)).view(-1, 1, 1, 1)).clamp(0, 255)
        return {"input": eight_bit(jpeg(low, self.jpeg + (95 - self.jpeg) * draw(count)) if self.jpeg else low)}
