"""The games against their closed forms, and their safety at any logit."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from ganvas.errors import InputError
from ganvas.recipe.objectives import Hinge, LeastSquares, NonSaturating, Objective, Relativistic, Wasserstein

REAL, FAKE = torch.tensor([2.0, -0.5, 0.25]), torch.tensor([-1.5, 3.0, 0.0])
ALL: list[Objective] = [
    NonSaturating(),
    NonSaturating(real_label=0.9, fake_label=0.1),
    NonSaturating(saturating=True),
    LeastSquares(),
    Hinge(),
    Wasserstein(),
]


def test_relativistic_by_hand() -> None:
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 3.0])
    expected = sum(math.log(1 + math.exp(-gap)) for gap in (1.5, -4.0)) / 2
    assert Relativistic().d(real, fake).item() == pytest.approx(expected)
    assert Relativistic().g(fake, real).item() == pytest.approx(expected + (1.5 - 4.0) / 2)  # softplus(x) - x
    assert Relativistic().d(real, real).item() == pytest.approx(math.log(2))
    # Only differences count: the same added to all changes nothing.
    torch.testing.assert_close(Relativistic().d(real + 7, fake + 7), Relativistic().d(real, fake))
    for loss in (Relativistic().d(1e30 * real, fake), Relativistic().g(fake, 1e30 * real)):
        assert loss.isfinite()


def test_non_saturating_at_the_optimum() -> None:
    half = torch.zeros(5)  # D* = 1/2 where the generator is perfect
    assert NonSaturating().d(half, half).item() == pytest.approx(math.log(4))
    assert NonSaturating().g(half).item() == pytest.approx(math.log(2))
    assert NonSaturating(saturating=True).g(half).item() == pytest.approx(-math.log(2))


def test_non_saturating_is_least_at_the_optimal_discriminator() -> None:
    p, q = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.1, 0.3, 0.6])  # densities on three points
    best = (p / q).log()  # the logit of p / (p + q)

    def loss(logits: torch.Tensor) -> float:
        rows = zip(logits, p, q, strict=True)
        game = NonSaturating()
        return sum(float(a * game.d(x, torch.tensor(-1e4)) + b * game.d(torch.tensor(1e4), x)) for x, a, b in rows)

    mixture = (p + q) / 2
    divergence = 0.5 * ((p * (p / mixture).log()).sum() + (q * (q / mixture).log()).sum())
    assert loss(best) == pytest.approx(math.log(4) - 2 * float(divergence), rel=1e-5)
    for change in (torch.tensor([0.1, 0, 0]), torch.tensor([0, -0.1, 0.1])):
        assert loss(best + change) > loss(best)


@pytest.mark.parametrize(("real_label", "fake_label"), [(1.0, 0.0), (0.9, 0.0), (0.9, 0.1)])
def test_smoothing_is_cross_entropy_with_soft_labels(real_label: float, fake_label: float) -> None:
    def bce(logits: torch.Tensor, label: float) -> torch.Tensor:
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))

    game = NonSaturating(real_label=real_label, fake_label=fake_label)
    torch.testing.assert_close(game.d(REAL, FAKE), bce(REAL, real_label) + bce(FAKE, fake_label))
    torch.testing.assert_close(game.g(FAKE), bce(FAKE, 1.0))  # the generator's labels are never smoothed


def test_saturating_is_the_minimax_form() -> None:
    torch.testing.assert_close(NonSaturating(saturating=True).g(FAKE), (1 - FAKE.sigmoid()).log().mean())


def test_the_saturating_gradient_fades_and_the_other_does_not() -> None:
    slopes = []
    for game in (NonSaturating(), NonSaturating(saturating=True)):
        logit = torch.tensor([-20.0], requires_grad=True)  # D is sure that it is a fake
        slopes += torch.autograd.grad(game.g(logit), logit)
    assert slopes[0].item() == pytest.approx(-1)
    assert slopes[1].item() == pytest.approx(0, abs=1e-8)


def test_least_squares_by_hand() -> None:
    assert LeastSquares().d(torch.tensor([0.0, 2.0]), torch.tensor([3.0])).item() == (1 + 9) / 2
    assert LeastSquares().g(torch.tensor([3.0, 1.0])).item() == (4 + 0) / 2 / 2
    assert LeastSquares(real_label=1, fake_label=-1).d(torch.ones(2), -torch.ones(2)).item() == 0


def test_hinge_by_hand() -> None:
    assert Hinge().d(torch.tensor([2.0, 0.0]), torch.tensor([-3.0, 1.0])).item() == 0.5 + 1.0
    assert Hinge().g(torch.tensor([2.0, -1.0])).item() == -0.5
    beyond = torch.tensor([1.5], requires_grad=True)
    assert torch.autograd.grad(Hinge().d(beyond, torch.tensor([-2.0])), beyond)[0].item() == 0


def test_wasserstein_by_hand() -> None:
    assert Wasserstein().d(torch.tensor([4.0, 2.0]), torch.tensor([1.0])).item() == -2
    assert Wasserstein().g(torch.tensor([1.0, 2.0])).item() == -1.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [0.0, 1.0, 100.0, 1e4, 1e15])
@pytest.mark.parametrize("game", ALL, ids=repr)
def test_finite_at_any_logit(game: Objective, size: float, dtype: torch.dtype) -> None:
    for sign in (1, -1):
        real = torch.full((4,), sign * size, dtype=dtype, requires_grad=True)
        fake = torch.full((4,), -sign * size, dtype=dtype, requires_grad=True)
        for loss in (game.d(real, fake), game.g(fake)):
            assert loss.dtype == torch.float32
            assert loss.isfinite()
            gradients = torch.autograd.grad(loss, (real, fake), allow_unused=True)
            assert all(gradient is None or gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("game", [g for g in ALL if not isinstance(g, LeastSquares)], ids=repr)
def test_finite_at_absurd_logits(game: Objective, dtype: torch.dtype) -> None:
    for sign in (1, -1):
        scores = torch.full((4,), sign * 1e30, dtype=dtype, requires_grad=True)
        for loss in (game.d(scores, scores), game.g(scores)):
            assert loss.isfinite()
            assert torch.autograd.grad(loss, scores)[0].isfinite().all()


def test_the_mean_is_taken_in_fp32() -> None:
    many = torch.full((100_000,), 0.1, dtype=torch.bfloat16)
    expected = float(many[0].float())
    assert Wasserstein().g(many).item() == pytest.approx(-expected, rel=1e-5)


@pytest.mark.parametrize("labels", [(0.1, 0.9), (1.1, 0.0), (0.9, -0.1), (0.5, 0.5)])
def test_impossible_labels_are_refused(labels: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="0 <= fake < real <= 1"):
        NonSaturating(real_label=labels[0], fake_label=labels[1])
