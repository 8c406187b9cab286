"""The gradient penalty against closed forms and finite differences."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ganvas.errors import InputError
from ganvas.recipe.penalties import R1, R2, GradientPenalty, PenaltyInputs
from ganvas.recipe.ramp import Ramp
from ganvas.systems.dcgan import DCGAN
from ganvas.systems.mlp import MLP

CRITICS = {
    "mlp": MLP(size=8, g_hidden=(8,), d_hidden=(12, 6)).discriminator,
    "dcgan": DCGAN(size=16, channels=1, d_width=2, d_norm="none").discriminator,
    "spectral": DCGAN(size=16, channels=1, d_width=2, d_norm="spectral").discriminator,
}
SIZES = {"mlp": 8, "dcgan": 16, "spectral": 16}


def scored(critic: Any, real: torch.Tensor, fake: torch.Tensor) -> PenaltyInputs:
    return PenaltyInputs(real, fake, critic, images_seen=0)


@pytest.mark.parametrize("length", [0.0, 0.5, 1.0, 3.0])
def test_a_linear_critic_by_hand(length: float) -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(12, 1), nn.Flatten(0))
    with torch.no_grad():
        critic[1].weight.mul_(length / critic[1].weight.norm())
    # The slope of a linear critic is its weight, everywhere.
    term = GradientPenalty(weight=10.0).term(scored(critic, torch.randn(4, 3, 2, 2), torch.randn(4, 3, 2, 2)))
    assert term.item() == pytest.approx(10 * (length - 1) ** 2, abs=1e-5)


def test_the_points_lie_between_the_pairs() -> None:
    seen = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return x.flatten(1).sum(1)

    real, fake = torch.zeros(64, 1, 2, 2), torch.ones(64, 1, 2, 2)
    GradientPenalty().term(scored(critic, real, fake))
    shares = seen[0].flatten(1)
    assert (shares == shares[:, :1]).all()  # one share for a whole picture
    assert shares.min() >= 0
    assert shares.max() <= 1
    assert len(shares[:, 0].unique()) > 60


def test_the_norm_against_finite_differences() -> None:
    torch.manual_seed(0)
    critic = CRITICS["mlp"]().double()
    point = torch.randn(1, 1, 8, 8, dtype=torch.float64)
    steps = 1e-6 * torch.eye(64, dtype=torch.float64).view(64, 1, 8, 8)
    slope = (critic(point + steps) - critic(point - steps)) / 2e-6
    critic.float()
    term = GradientPenalty(weight=1.0).term(
        scored(critic, point.float(), point.float())
    )  # no room between: x^ is the point
    assert term.item() == pytest.approx((slope.norm().item() - 1) ** 2, rel=1e-4)


@pytest.mark.parametrize("kind", CRITICS)
def test_its_gradient_against_finite_differences(kind: str) -> None:
    torch.manual_seed(0)
    critic = CRITICS[kind]().eval()
    with torch.no_grad():  # as initialised, dcgan's slopes are too flat to measure
        for parameter in critic.parameters():
            parameter.mul_(0.3 / parameter.std().clamp_min(1e-3) if parameter.ndim > 1 else 1.0)
    real, fake = torch.randn(2, 4, 1, SIZES[kind], SIZES[kind])

    def term() -> torch.Tensor:
        torch.manual_seed(1)
        return GradientPenalty(weight=1.0).term(scored(critic, real, fake))

    weights = [p for p in critic.parameters() if p.ndim > 1]
    gradients = torch.autograd.grad(term(), weights)
    length = torch.stack([g.norm() for g in gradients]).norm()
    assert length > 0
    step = 1e-3
    ends = []
    for sign in (1, -1):
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight += sign * step * gradient / length
        ends.append(term().item())
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= sign * step * gradient / length
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(length.item(), rel=0.02)


def test_fp32_under_bf16() -> None:
    torch.manual_seed(0)
    critic = CRITICS["dcgan"]()
    real, fake = torch.randn(2, 4, 1, 16, 16)
    torch.manual_seed(1)
    plain = GradientPenalty().term(scored(critic, real, fake))
    torch.manual_seed(1)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = GradientPenalty().term(scored(critic, real, fake))
    assert mixed.dtype == torch.float32
    assert torch.equal(plain, mixed)


def test_nothing_reaches_the_generator() -> None:
    fake = torch.randn(4, 1, 8, 8, requires_grad=True)
    GradientPenalty().term(scored(CRITICS["mlp"](), torch.randn(4, 1, 8, 8), fake)).backward()
    assert fake.grad is None


def test_a_weight_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="use at least 0"):
        GradientPenalty(weight=-1)
    for strength in (float("inf"), float("nan"), Ramp(1.0, float("inf"), 9)):
        with pytest.raises(InputError, match="finite number"):
            R1(gamma=strength)


@pytest.mark.parametrize("kind", [R1, R2])
def test_zero_centered_by_hand_and_lazily(kind: type[R1] | type[R2]) -> None:
    slope, other = torch.tensor([[[3.0, 4.0]], [[0.0, 1.0]]]), torch.full((2, 1, 2), 9.0)
    slopes = (slope, other) if kind is R1 else (other, slope)

    def term(penalty: R1 | R2, images: int = 0) -> float:
        return penalty.term(PenaltyInputs(slope, slope, torch.sum, images, slopes)).item()

    assert term(kind(gamma=2.0)) == (25 + 1) / 2
    assert term(kind(gamma=2.0, every=16)) == 16 * (25 + 1) / 2
    assert term(kind(gamma=Ramp(2.0, 0.0, 100)), 50) == (25 + 1) / 4
    assert term(kind(gamma=2.0).scaled(3)) == 3 * (25 + 1) / 2
    with pytest.raises(InputError, match="use at least 0"):
        kind(gamma=-1.0)
    with pytest.raises(InputError, match=r"every .* got 0"):
        kind(every=0)
