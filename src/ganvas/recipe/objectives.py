"""Objectives: the adversarial losses of both players.

Scores are logits of any shape. Every loss is a mean in fp32, whatever the precision of the networks, so that a
confident discriminator neither overflows nor rounds to zero. Each player minimizes its own loss.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ganvas.errors import InputError
from ganvas.recipe.penalties import R1, R2, GradientPenalty, Penalty

if TYPE_CHECKING:
    from torch import Tensor


class Objective(ABC):
    """One objective, with what training, diagnosis and sanity checks need to know. Subclasses are frozen
    dataclasses."""

    paired: ClassVar[bool] = False
    """Whether only the difference between a real's and a fake's score matters: the generator's loss then takes scores
    of fresh reals, and scores are defined only up to a constant."""
    critic: ClassVar[bool] = False
    """Whether the scores estimate a distance instead of classifying samples: they have no scale, grow without bound
    unless a penalty limits them, and do not show whether D overfits."""

    @abstractmethod
    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's loss, given the scores of reals and of as many fakes."""

    @abstractmethod
    def g(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """The generator's loss, given the scores of fakes, and of as many fresh reals if `paired`."""

    def undecided(self, real: Tensor, fake: Tensor) -> float | Tensor:
        """The score of an optimal D where real and fake are equally likely, estimated from these scores if need be."""
        return (real.mean() + fake.mean()) / 2 if self.paired else 0.0

    def blind_loss(self) -> float:
        """The lowest loss of a D that gives every sample the same score; 0 if that is meaningless."""
        if self.critic:
            return 0.0
        import torch

        return min(float(self.d(score, score)) for score in torch.linspace(-2, 2, 81))

    def smoothing(self, penalties: tuple[Penalty, ...]) -> tuple[Penalty, ...]:
        """The penalties that stabilize this objective, given the current ones; unchanged if those already do."""
        return penalties or (GradientPenalty(weight=10.0),)

    def warnings(self, penalties: tuple[Penalty, ...]) -> Iterator[str]:
        """Sentences about penalties that conflict with this objective, or that it lacks."""
        yield from ()

    def with_smooth_labels(self) -> Objective | None:
        """The same objective with one-sided label smoothing; None if that changes nothing."""
        return None

    def with_full_gradient(self) -> Objective | None:
        """The same objective with a generator gradient that does not vanish when D wins; None if that changes
        nothing."""
        return None


@dataclass(frozen=True, kw_only=True)
class NonSaturating(Objective):
    """Binary cross-entropy (Goodfellow et al. 2014, arXiv:1406.2661, eq. 1 and section 3).

    With labels 1 and 0 the optimal discriminator is D*(x) = p(x) / (p(x) + q(x)), and its loss at p = q is log 4.
    """

    real_label: float = 1.0
    """The discriminator's target for reals; 0.9 is one-sided label smoothing (Salimans et al. 2016)."""
    fake_label: float = 0.0
    """The discriminator's target for fakes; above 0 the smoothing is two-sided."""
    saturating: bool = False
    """Generator minimizes log(1 - D(G(z))), the minimax form; its gradient vanishes when D wins."""

    def __post_init__(self) -> None:
        if not 0 <= self.fake_label < self.real_label <= 1:
            raise InputError(
                "--objective.fake-label and --objective.real-label must satisfy 0 <= fake < real <= 1, such as 0.1"
                f" and 0.9; got {self.fake_label} and {self.real_label}."
            )

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """-E[log D(x)] - E[log(1 - D(G(z)))], with label smoothing if set."""
        return _cross_entropy(real, self.real_label) + _cross_entropy(fake, self.fake_label)

    def g(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """-E[log D(G(z))], or E[log(1 - D(G(z)))] when saturating."""
        return -_cross_entropy(fake, 0.0) if self.saturating else _cross_entropy(fake, 1.0)

    def undecided(self, real: Tensor, fake: Tensor) -> float:
        """The logit of the labels' midpoint."""
        middle = (self.real_label + self.fake_label) / 2
        return math.log(middle / (1 - middle))

    def with_smooth_labels(self) -> NonSaturating | None:
        """With 0.9 for reals (Salimans et al. 2016)."""
        return None if self.real_label < 1 else replace(self, real_label=0.9)

    def with_full_gradient(self) -> NonSaturating | None:
        """Without the minimax form (Goodfellow et al. 2014, section 3)."""
        return replace(self, saturating=False) if self.saturating else None


@dataclass(frozen=True, kw_only=True)
class LeastSquares(Objective):
    """Squared distance of the score to a label (Mao et al. 2017, arXiv:1611.04076, eq. 2 with a=0, b=c=1).

    A score beyond 1e19 has no square in fp32: the loss is then infinite and the run stops as diverged.
    """

    real_label: float = 1.0
    """The discriminator's target for reals, and the generator's for fakes."""
    fake_label: float = 0.0
    """The discriminator's target for fakes."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """(E[(D(x) - b)^2] + E[(D(G(z)) - a)^2]) / 2"""
        return 0.5 * (_square(real, self.real_label) + _square(fake, self.fake_label))

    def g(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """E[(D(G(z)) - c)^2] / 2"""
        return 0.5 * _square(fake, self.real_label)

    def undecided(self, real: Tensor, fake: Tensor) -> float:
        """The labels' midpoint."""
        return (self.real_label + self.fake_label) / 2


@dataclass(frozen=True, kw_only=True)
class Hinge(Objective):
    """Hinge loss (Lim & Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, eq. 16 and 17)."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]"""
        return (1 - real.float()).relu().mean() + (1 + fake.float()).relu().mean()

    def g(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """-E[D(G(z))]"""
        return -fake.float().mean()


@dataclass(frozen=True, kw_only=True)
class Wasserstein(Objective):
    """The critic's gap (Arjovsky et al. 2017, arXiv:1701.07875); needs a GradientPenalty to stay 1-Lipschitz."""

    critic = True

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[D(G(z))] - E[D(x)], the negative of the estimated distance"""
        return fake.float().mean() - real.float().mean()

    def g(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """-E[D(G(z))]"""
        return -fake.float().mean()

    def warnings(self, penalties: tuple[Penalty, ...]) -> Iterator[str]:
        """On penalties that pull the slope to 0, and on an unbounded critic."""
        flat = _with_slope(penalties, 0.0)
        if flat:
            yield (
                f"{flat} pulls the critic's slope to 0, but a Wasserstein critic measures a distance only if its"
                " slope is 1; use GradientPenalty, or the Relativistic objective."
            )
        elif not penalties:
            yield "nothing bounds the Wasserstein critic, so its scores will grow without limit; add a GradientPenalty."


@dataclass(frozen=True, kw_only=True)
class Relativistic(Objective):
    """The relativistic pairing loss: is this real more real than that fake? (Jolicoeur-Martineau 2018,
    arXiv:1807.00734; in the form of Huang et al. 2024, arXiv:2501.05441, section 2)

    Every fake is paired with a real, so dropping a mode is always penalized. An undecided discriminator has a loss of
    log 2 = 0.693, and so does its generator. Convergence requires R1 and R2 (section 2 there).
    """

    paired = True

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[softplus(-(D(x) - D(G(z))))], over pairs of equal number."""
        return _softplus(fake.float() - real.float()).mean()

    def g(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """E[softplus(-(D(G(z)) - D(x)))], over pairs with fresh reals, whose scores need no gradient."""
        assert real is not None
        return _softplus(real.float() - fake.float()).mean()

    def smoothing(self, penalties: tuple[Penalty, ...]) -> tuple[Penalty, ...]:
        """R1 and R2, at the strength of the one already present: a slope held at 1 would prevent convergence."""
        if {R1, R2} <= set(map(type, penalties)):
            return penalties
        one = next((penalty for penalty in penalties if isinstance(penalty, R1 | R2)), R1())
        return R1(gamma=one.gamma, every=one.every), R2(gamma=one.gamma, every=one.every)

    def warnings(self, penalties: tuple[Penalty, ...]) -> Iterator[str]:
        """On penalties that hold the slope at 1, and on a missing R1 or R2."""
        steep = _with_slope(penalties, 1.0)
        if steep:
            yield (
                f"{steep} holds the discriminator's slope at 1, but the Relativistic objective converges only if it"
                " is 0; use R1 and R2."
            )
        elif {type(penalty) for penalty in penalties} != {R1, R2}:
            yield (
                "the Relativistic objective is known to converge only with both R1 and R2 (Huang et al. 2024), but this"
                f" recipe has {_names(penalties) or 'no penalty'}; it may diverge."
            )


def _with_slope(penalties: tuple[Penalty, ...], slope: float) -> str:
    return _names(tuple(penalty for penalty in penalties if penalty.slope == slope))


def _names(penalties: tuple[Penalty, ...]) -> str:
    return " and ".join(sorted({type(penalty).__name__ for penalty in penalties}))


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    # -t log s(x) - (1-t) log(1 - s(x)) = t softplus(-x) + (1-t) softplus(x): finite at every finite logit.
    logits = logits.float()
    loss = logits.new_zeros(())
    if label > 0:
        loss = loss + label * _softplus(-logits).mean()
    if label < 1:
        loss = loss + (1 - label) * _softplus(logits).mean()
    return loss


def _square(scores: Tensor, label: float) -> Tensor:
    return (scores.float() - label).square().mean()


def _softplus(scores: Tensor) -> Tensor:
    from torch.nn import functional

    return functional.softplus(scores)
