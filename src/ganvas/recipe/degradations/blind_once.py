"""The first model of unknown degradations: one pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganvas.errors import InputError
from ganvas.recipe.degradations.base import Degradation

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class BlindOnce(Degradation):
    """Blur, one of three resizing kernels, noise and JPEG, each of random strength: each once.

    The rougher forerunner of `Blind`, kept for the models that were trained with it.
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
