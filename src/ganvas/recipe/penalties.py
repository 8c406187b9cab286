"""Penalties: terms of the discriminator's loss that keep it smooth.

A penalty is applied in every `every`-th update of the discriminator, multiplied by `every` (lazy regularization; Karras
et al. 2020, arXiv:1912.04958, appendix B). 1 applies it always.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from ganvas.errors import InputError
from ganvas.recipe.ramp import Ramp, ends, times
from ganvas.recipe.ramp import at as value_at

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor


@dataclass(frozen=True)
class PenaltyInputs:
    """What an update of the discriminator provides to its penalties."""

    real: Tensor
    """Reals (B, ...), before they are augmented."""
    fake: Tensor
    """As many fakes, detached from the generator."""
    score: Callable[[Tensor], Tensor]
    """Samples (B, ...), of the same classes as the reals -> logits (B,), without augmentation."""
    images_seen: int
    slopes: tuple[Tensor, Tensor] | None = None
    """Gradients (B, ...) of the scores with respect to the reals and to the fakes, before augmentation, with a graph to
    D's weights; None if no penalty needs them."""


class Penalty(ABC):
    """One penalty. Subclasses are frozen dataclasses with `every` and a strength among their fields."""

    needs: ClassVar[Literal["slopes", "calls"]] = "calls"
    """Slopes of the scores of the game, computed once for all penalties, or calls of D at other points."""
    slope: ClassVar[float | None] = None
    """The slope at which it holds the discriminator; None if it constrains no slope."""
    strength: ClassVar[str] = "weight"
    """The name of the field with its strength."""
    every: int
    """Discriminator updates between penalties."""

    @abstractmethod
    def term(self, inputs: PenaltyInputs) -> Tensor:
        """The term of D's loss in an update in which the penalty is due: a scalar in fp32."""

    def due(self, update: int) -> bool:
        """Whether it applies in the discriminator's update of this number."""
        return update % self.every == 0

    def scaled(self, factor: float) -> Self:
        """The same penalty with its strength multiplied by a factor."""
        stronger = times(getattr(self, self.strength), factor)
        return replace(self, **{self.strength: stronger})  # type: ignore[type-var]


@dataclass(frozen=True, kw_only=True)
class GradientPenalty(Penalty):
    """Gradient norm 1 between reals and fakes (WGAN-GP; Gulrajani et al. 2017, arXiv:1704.00028, eq. 3)."""

    slope = 1.0
    weight: float = 10.0
    """Strength of the penalty, the paper's lambda."""
    every: int = 1
    """Discriminator updates between penalties."""

    def __post_init__(self) -> None:
        _expect(self.weight, self.every)

    def term(self, inputs: PenaltyInputs) -> Tensor:
        """weight * every * E[(|grad D(x^)| - 1)^2] at one random point x^ between each real and fake.

        D is evaluated in fp32, even under autocast.
        """
        import torch

        real, fake = inputs.real, inputs.fake
        share = torch.rand(len(real), *(1 for _ in real.shape[1:]), device=real.device)
        between = torch.lerp(real.float(), fake.detach().float(), share).requires_grad_()
        with torch.autocast(real.device.type, enabled=False):
            scores = inputs.score(between)
            (gradient,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
        norm = gradient.flatten(1).norm(dim=1)
        penalty: Tensor = self.weight * self.every * (norm - 1).square().mean()
        return penalty


@dataclass(frozen=True, kw_only=True)
class _ZeroCentered(Penalty):
    """gamma / 2 * every * E[|grad D|^2] with respect to the image before augmentation."""

    needs = "slopes"
    slope = 0.0
    strength = "gamma"
    at: ClassVar[Literal["real", "fake"]]
    gamma: float | Ramp = 1.0
    """Strength of the penalty, or a ramp; scale it with the number of pixels, about as size^2."""
    every: int = 1
    """Discriminator updates between penalties."""

    def __post_init__(self) -> None:
        _expect(self.gamma, self.every)

    def term(self, inputs: PenaltyInputs) -> Tensor:
        """Computed from the slopes at the reals or at the fakes."""
        assert inputs.slopes is not None
        slopes = inputs.slopes[self.at == "fake"]
        squared = slopes.float().square().flatten(1).sum(1).mean()
        return value_at(self.gamma, inputs.images_seen) * self.every / 2 * squared


class R1(_ZeroCentered):
    """Zero slope at the reals (Mescheder et al. 2018, arXiv:1801.04406, eq. 9)."""

    at = "real"


class R2(_ZeroCentered):
    """Zero slope at the fakes (Mescheder et al. 2018, arXiv:1801.04406, eq. 10)."""

    at = "fake"


def _expect(strength: float | Ramp, every: int) -> None:
    if not all(map(math.isfinite, ends(strength))):
        raise InputError(f"a penalty's strength must be a finite number of at least 0; got {strength}.")
    if any(end < 0 for end in ends(strength)):
        raise InputError(f"a penalty of strength {strength} would reward a rough discriminator; use at least 0.")
    if every < 1:
        raise InputError(f"--penalties.N.every must be at least 1 (every update); got {every}.")
