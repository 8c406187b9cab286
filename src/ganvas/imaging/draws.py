"""Random numbers of a batch: few small ones from the generator of the batch, large fields where they are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Draws:
    """Draws for a batch that depend on `random` alone.

    What is small is drawn on the CPU, and may decide what is computed. Fields of the size of images are drawn on the
    device by a generator that `random` seeds: moving them there would take longer than all else.
    """

    random: torch.Generator
    device: torch.device

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Numbers from low to high, on the CPU."""
        return low + (high - low) * torch.rand(shape, generator=self.random)

    def chance(self, share: float, *shape: int) -> Tensor:
        """True with probability `share`, on the CPU."""
        return torch.rand(shape, generator=self.random) < share

    def whole(self, below: int, *shape: int) -> Tensor:
        """int64 from 0 to below - 1, on the CPU."""
        return torch.randint(below, shape, generator=self.random)

    def fields(self) -> torch.Generator:
        """A generator on the device for normal and uniform fields, seeded by the next number of `random`."""
        return torch.Generator(self.device).manual_seed(int(self.whole(2**62)))

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers on the device."""
        return torch.randn(shape, generator=self.fields(), device=self.device)


def where_any(
    change: Callable[[Tensor, Tensor, Draws], Tensor], images: Tensor, amount: Tensor, draws: Draws
) -> Tensor:
    """Change only those images whose amount (B,), on the CPU, is above 0: `change(images, amount, draws)`."""
    some = (amount > 0).nonzero()[:, 0]
    if len(some) == 0:
        return images
    if len(some) == len(images):
        return change(images, amount, draws)
    on = some.to(images.device)
    return images.index_copy(0, on, change(images[on], amount[some], draws))
