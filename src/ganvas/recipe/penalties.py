"""What keeps the discriminator smooth: terms added to its loss.

Every penalty has `every`: it is taken in every so many of the discriminator's updates only, times as many (lazy
regularisation; Karras et al. 2020, arXiv:1912.04958, appendix B). 1 takes it always.
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
class Scored:
    """What one update of the discriminator has for its penalties."""

    real: Tensor
    """Reals (B, ...), before they are augmented."""
    fake: Tensor
    """As many fakes, without a gradient to the generator."""
    score: Callable[[Tensor], Tensor]
    """Samples (B, ...), of the classes of the reals in their places -> logits (B,), not augmented."""
    images_seen: int
    slopes: tuple[Tensor, Tensor] | None = None
    """Each real's and each fake's gradient (B, ...) of its score in the game with respect to itself, before it was
    augmented, with a graph to D's weights; None where no penalty asks for them."""


class Penalty(ABC):
    """One penalty. Subclasses are frozen dataclasses with `every` and a strength among their fields."""

    needs: ClassVar[Literal["slopes", "calls"]] = "calls"
    """The slopes of the scores in the game, which serve every penalty at once, or calls of D at other points."""
    slope: ClassVar[float | None] = None
    """The slope at which it holds the discriminator; None where it says nothing of slopes."""
    strength: ClassVar[str] = "weight"
    """The name of the field that says how strong it is."""
    every: int
    """Updates of the discriminator from one penalty to the next."""

    @abstractmethod
    def term(self, scored: Scored) -> Tensor:
        """What is added to D's loss in an update in which the penalty is due: a scalar in fp32."""

    def due(self, update: int) -> bool:
        """Whether it is taken in the discriminator's update of this number."""
        return update % self.every == 0

    def scaled(self, factor: float) -> Self:
        """The same, so many times as strong."""
        stronger = times(getattr(self, self.strength), factor)
        return replace(self, **{self.strength: stronger})  # type: ignore[type-var]


@dataclass(frozen=True, kw_only=True)
class GradientPenalty(Penalty):
    """Gradient norm 1 between reals and fakes (WGAN-GP; Gulrajani et al. 2017, arXiv:1704.00028, eq. 3)."""

    slope = 1.0
    weight: float = 10.0
    """Strength of the penalty, the paper's lambda."""
    every: int = 1
    """Updates of the discriminator from one penalty to the next."""

    def __post_init__(self) -> None:
        _expect(self.weight, self.every)

    def term(self, scored: Scored) -> Tensor:
        """weight * every * E[(|grad D(x^)| - 1)^2] at one uniformly drawn point x^ per pair.

        D is evaluated in fp32 whatever the precision around this call.
        """
        import torch

        real, fake = scored.real, scored.fake
        share = torch.rand(len(real), *(1 for _ in real.shape[1:]), device=real.device)
        between = torch.lerp(real.float(), fake.detach().float(), share).requires_grad_()
        with torch.autocast(real.device.type, enabled=False):
            scores = scored.score(between)
            (gradient,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
        norm = gradient.flatten(1).norm(dim=1)
        penalty: Tensor = self.weight * self.every * (norm - 1).square().mean()
        return penalty


@dataclass(frozen=True, kw_only=True)
class _ZeroCentred(Penalty):
    """gamma / 2 * every * E[|grad D|^2] with respect to the image, before it is augmented."""

    needs = "slopes"
    slope = 0.0
    strength = "gamma"
    at: ClassVar[Literal["real", "fake"]]
    gamma: float | Ramp = 1.0
    """Strength of the penalty, or a ramp of it; it grows with the number of pixels, about as size^2."""
    every: int = 1
    """Updates of the discriminator from one penalty to the next."""

    def __post_init__(self) -> None:
        _expect(self.gamma, self.every)

    def term(self, scored: Scored) -> Tensor:
        """From the slopes at the reals, or at the fakes."""
        assert scored.slopes is not None
        slopes = scored.slopes[self.at == "fake"]
        squared = slopes.float().square().flatten(1).sum(1).mean()
        return value_at(self.gamma, scored.images_seen) * self.every / 2 * squared


class R1(_ZeroCentred):
    """No slope at the reals (Mescheder et al. 2018, arXiv:1801.04406, eq. 9)."""

    at = "real"


class R2(_ZeroCentred):
    """No slope at the fakes (Mescheder et al. 2018, arXiv:1801.04406, eq. 10)."""

    at = "fake"


def _expect(strength: float | Ramp, every: int) -> None:
    if not all(map(math.isfinite, ends(strength))):
        raise InputError(f"a penalty of weight {strength} is no finite number; give 0 or more.")
    if any(end < 0 for end in ends(strength)):
        raise InputError(f"a penalty of weight {strength} rewards a rough discriminator; give 0 or more.")
    if every < 1:
        raise InputError(f"a penalty in every {every} updates cannot be; give 1 (always) or more.")
