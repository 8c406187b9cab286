"""What keeps the discriminator smooth: terms added to its loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganvas.errors import InputError


@dataclass(frozen=True, kw_only=True)
class GradientPenalty:
    """Gradient norm 1 between reals and fakes (WGAN-GP; Gulrajani et al. 2017, arXiv:1704.00028, eq. 3)."""

    weight: float = 10.0
    """Strength of the penalty, the paper's lambda."""

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise InputError(f"a penalty of weight {self.weight} rewards a rough discriminator; give 0 or more.")

    def term(self, d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """weight * E[(|grad D(x^)| - 1)^2] at one uniformly drawn point x^ per pair; a scalar in fp32.

        Args:
            d: the discriminator; it is evaluated in fp32 whatever the precision around this call.
            real: (B, ...) real pictures.
            fake: (B, ...) fakes of the same shape, no gradient needed.
        """
        share = torch.rand(len(real), *(1 for _ in real.shape[1:]), device=real.device)
        between = torch.lerp(real.float(), fake.detach().float(), share).requires_grad_()
        with torch.autocast(real.device.type, enabled=False):
            scores = d(between)
            (gradient,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
        norm = gradient.flatten(1).norm(dim=1)
        penalty: Tensor = self.weight * (norm - 1).square().mean()
        return penalty


# One member today; the alias is the list of all penalties, and a recipe's JSON names the member.
Penalty = GradientPenalty
