"""What keeps the discriminator smooth: terms added to its loss.

Every penalty has `every`: it is taken in every so many of the discriminator's updates only, times as many (lazy
regularisation; Karras et al. 2020, arXiv:1912.04958, appendix B). 1 takes it always.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.errors import InputError
from ganvas.recipe.ramp import Ramp, at, ends


@dataclass(frozen=True, kw_only=True)
class GradientPenalty:
    """Gradient norm 1 between reals and fakes (WGAN-GP; Gulrajani et al. 2017, arXiv:1704.00028, eq. 3)."""

    weight: float = 10.0
    """Strength of the penalty, the paper's lambda."""
    every: int = 1
    """Updates of the discriminator from one penalty to the next."""

    def __post_init__(self) -> None:
        _expect(self.weight, self.every)

    def term(self, d: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
        """weight * every * E[(|grad D(x^)| - 1)^2] at one uniformly drawn point x^ per pair; a scalar in fp32.

        Args:
            d: pictures (B, ...) -> logits (B,); evaluated in fp32 whatever the precision around this call.
            real: (B, ...) real pictures.
            fake: (B, ...) fakes of the same shape, no gradient needed.
        """
        share = torch.rand(len(real), *(1 for _ in real.shape[1:]), device=real.device)
        between = torch.lerp(real.float(), fake.detach().float(), share).requires_grad_()
        with torch.autocast(real.device.type, enabled=False):
            scores = d(between)
            (gradient,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
        norm = gradient.flatten(1).norm(dim=1)
        penalty: Tensor = self.weight * self.every * (norm - 1).square().mean()
        return penalty


@dataclass(frozen=True, kw_only=True)
class _ZeroCentred:
    """gamma / 2 * every * E[|grad D|^2] with respect to the picture, before it is augmented."""

    gamma: float | Ramp = 1.0
    """Strength of the penalty, or a ramp of it; it grows with the number of pixels, about as size^2."""
    every: int = 1
    """Updates of the discriminator from one penalty to the next."""

    def __post_init__(self) -> None:
        _expect(self.gamma, self.every)

    def term(self, gradient: Tensor, images: int) -> Tensor:
        """A scalar in fp32.

        Args:
            gradient: (B, ...) of each picture's score with respect to that picture, with a graph to D's weights.
            images: real images seen so far.
        """
        squared = gradient.float().square().flatten(1).sum(1).mean()
        return at(self.gamma, images) * self.every / 2 * squared


class R1(_ZeroCentred):
    """No slope at the reals (Mescheder et al. 2018, arXiv:1801.04406, eq. 9)."""


class R2(_ZeroCentred):
    """No slope at the fakes (Mescheder et al. 2018, arXiv:1801.04406, eq. 10)."""


Penalty = GradientPenalty | R1 | R2


def due(penalty: Penalty, update: int) -> bool:
    """Whether a penalty is taken in the discriminator's update of this number."""
    return update % penalty.every == 0


def _expect(strength: float | Ramp, every: int) -> None:
    if not all(map(math.isfinite, ends(strength))):
        raise InputError(f"a penalty of weight {strength} is no finite number; give 0 or more.")
    if any(end < 0 for end in ends(strength)):
        raise InputError(f"a penalty of weight {strength} rewards a rough discriminator; give 0 or more.")
    if every < 1:
        raise InputError(f"a penalty in every {every} updates cannot be; give 1 (always) or more.")
