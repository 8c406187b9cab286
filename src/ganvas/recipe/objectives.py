"""The games: what each player wants of the discriminator's scores.

Scores are logits of any shape; every objective returns a mean in fp32, whatever the precision of the networks, so
that a confident discriminator neither overflows nor rounds to zero. Each is minimised by its player.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from ganvas.errors import InputError


@dataclass(frozen=True, kw_only=True)
class NonSaturating:
    """Binary cross-entropy (Goodfellow et al. 2014, arXiv:1406.2661, eq. 1 and section 3).

    With labels 1 and 0 the optimal discriminator is D*(x) = p(x) / (p(x) + q(x)), and its loss at p = q is log 4.
    """

    real_label: float = 1.0
    """The discriminator's target for reals; 0.9 is one-sided label smoothing (Salimans et al. 2016)."""
    fake_label: float = 0.0
    """The discriminator's target for fakes; above 0 the smoothing is two-sided."""
    saturating: bool = False
    """Let the generator minimise log(1 - D(G(z))), the minimax form of the theory; its gradient fades when D wins."""

    def __post_init__(self) -> None:
        if not 0 <= self.fake_label < self.real_label <= 1:
            raise InputError(
                f"labels {self.real_label} for real and {self.fake_label} for fake must satisfy 0 <= fake < real <= 1;"
                " usual values are 0.9 and 0.1."
            )

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """-E[log D(x)] - E[log(1 - D(G(z)))], with smoothed labels where asked."""
        return _cross_entropy(real, self.real_label) + _cross_entropy(fake, self.fake_label)

    def g(self, fake: Tensor) -> Tensor:
        """-E[log D(G(z))], or E[log(1 - D(G(z)))] when saturating."""
        return -_cross_entropy(fake, 0.0) if self.saturating else _cross_entropy(fake, 1.0)


@dataclass(frozen=True, kw_only=True)
class LeastSquares:
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

    def g(self, fake: Tensor) -> Tensor:
        """E[(D(G(z)) - c)^2] / 2"""
        return 0.5 * _square(fake, self.real_label)


@dataclass(frozen=True, kw_only=True)
class Hinge:
    """Hinge loss (Lim & Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, eq. 16 and 17)."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]"""
        return functional.relu(1 - real.float()).mean() + functional.relu(1 + fake.float()).mean()

    def g(self, fake: Tensor) -> Tensor:
        """-E[D(G(z))]"""
        return -fake.float().mean()


@dataclass(frozen=True, kw_only=True)
class Wasserstein:
    """The critic's gap (Arjovsky et al. 2017, arXiv:1701.07875); needs a GradientPenalty to stay 1-Lipschitz."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[D(G(z))] - E[D(x)], minus the estimated distance"""
        return fake.float().mean() - real.float().mean()

    def g(self, fake: Tensor) -> Tensor:
        """-E[D(G(z))]"""
        return -fake.float().mean()


@dataclass(frozen=True, kw_only=True)
class Relativistic:
    """The relativistic pairing game: is this real more real than that fake? (Jolicoeur-Martineau 2018,
    arXiv:1807.00734; in the form of Huang et al. 2024, arXiv:2501.05441, section 2)

    Every fake is judged against a real of its own, so that no mode can be left out unpunished; an undecided
    discriminator has log 2 = 0.693, and so has its generator. It needs R1 and R2 to converge (section 2 there).
    """

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[softplus(-(D(x) - D(G(z))))], over pairs: both of one length."""
        return functional.softplus(fake.float() - real.float()).mean()

    def g(self, fake: Tensor, real: Tensor) -> Tensor:
        """E[softplus(-(D(G(z)) - D(x)))], over pairs with fresh reals, whose scores need no gradient."""
        return functional.softplus(real.float() - fake.float()).mean()


Objective = NonSaturating | LeastSquares | Hinge | Wasserstein | Relativistic


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    # -t log s(x) - (1-t) log(1 - s(x)) = t softplus(-x) + (1-t) softplus(x): finite at every finite logit.
    logits = logits.float()
    loss = logits.new_zeros(())
    if label > 0:
        loss = loss + label * functional.softplus(-logits).mean()
    if label < 1:
        loss = loss + (1 - label) * functional.softplus(logits).mean()
    return loss


def _square(scores: Tensor, label: float) -> Tensor:
    return (scores.float() - label).square().mean()
