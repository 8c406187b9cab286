"""What a look measures is what its name says, and it leaves no trace."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganvas.diagnosis.interlace import interlace
from ganvas.diagnosis.signals import CHANCE, Probe, chance_limit
from ganvas.recipe.objectives import Hinge, LeastSquares, NonSaturating, Relativistic, Wasserstein
from ganvas.systems.dcgan import DCGAN

COUNT = 64


class Fixed(nn.Module):
    """A generator that gives these pictures."""

    def __init__(self, pictures: Tensor) -> None:
        super().__init__()
        self.pictures = pictures

    def forward(self, z: Tensor) -> Tensor:
        return self.pictures


class Brightness(nn.Module):
    """A discriminator whose score is a multiple of the mean brightness, plus a constant."""

    def __init__(self, slope: float, shift: float = 0.0) -> None:
        super().__init__()
        self.last = nn.Linear(1, 1)
        self.last.weight.data.fill_(slope)
        self.last.bias.data.fill_(shift)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(x.mean(dim=(1, 2, 3))[:, None]).flatten()


def pictures(brightness: float, seed: int, spread: float = 0.1) -> Tensor:
    made = torch.randn(COUNT, 1, 8, 8, generator=torch.Generator().manual_seed(seed)) * spread
    return made - made.mean(dim=(1, 2, 3), keepdim=True) + brightness


def look(fake: Tensor, d: nn.Module, objective: object = None) -> dict[str, float]:
    probe = Probe(torch.zeros(COUNT, 1), pictures(0.5, 0), pictures(0.5, 1), objective or NonSaturating())  # type: ignore[arg-type]
    return probe.measure(Fixed(fake), d)


def test_scores_accuracies_and_their_order() -> None:
    seen = look(pictures(-0.5, 2), Brightness(4.0))
    assert seen["logit_real"] == pytest.approx(2.0, abs=1e-4)
    assert seen["logit_held_out"] == pytest.approx(2.0, abs=1e-4)
    assert seen["logit_fake"] == pytest.approx(-2.0, abs=1e-4)
    assert seen["accuracy_real"] == seen["accuracy_held_out"] == seen["accuracy_fake"] == seen["auc"] == 1
    # The loss of a D that is sure to 1 / (1 + e^-2), against log 4.
    assert seen["advantage"] == pytest.approx(1 - math.log1p(math.exp(-2)) * 2 / math.log(4), abs=1e-4)


@pytest.mark.parametrize(("objective", "blind"), [(NonSaturating(), 0), (LeastSquares(), 0.5), (Hinge(), 0)])
def test_a_blind_discriminator_has_no_advantage(objective: object, blind: float) -> None:
    seen = look(pictures(0.5, 2), Brightness(0.0, blind), objective)
    assert seen["advantage"] == pytest.approx(0, abs=1e-3)
    assert seen["auc"] == 0.5
    assert seen["gradient"] == 0


def test_the_drift_of_relativistic_scores_is_no_signal() -> None:
    still, far = (look(pictures(-0.5, 2), Brightness(4.0, shift), Relativistic()) for shift in (0.0, 100.0))
    assert far["logit_real"] == pytest.approx(2.0, abs=1e-3)
    assert far["logit_fake"] == pytest.approx(-2.0, abs=1e-3)
    assert far["accuracy_real"] == far["accuracy_held_out"] == far["accuracy_fake"] == 1
    assert far["advantage"] == pytest.approx(still["advantage"], abs=1e-3)


def test_the_critic_has_no_advantage_to_speak_of() -> None:
    assert "advantage" not in look(pictures(0.5, 2), Brightness(1.0), Wasserstein())


def test_the_gradient_is_that_which_reaches_one_picture() -> None:
    # -log s(x) at x = w m: its derivative by each of 64 pixels is -(1 - s) w / 64, of norm (1 - s) w / 8.
    seen = look(pictures(0.0, 2), Brightness(4.0))
    assert seen["gradient"] == pytest.approx(0.5 * 4 / 8, rel=1e-4)


def test_diversity_and_duplicates() -> None:
    whole = look(pictures(0.5, 2), Brightness(1.0))
    assert whole["diversity"] == pytest.approx(1, abs=0.05)
    assert whole["duplicates"] == 0
    assert look(pictures(0.5, 2, spread=0.05), Brightness(1.0))["diversity"] == pytest.approx(0.5, abs=0.03)
    # All alike but each its own is low diversity, not duplicates; eight pictures many times are duplicates.
    assert look(pictures(0.5, 2, spread=0.001), Brightness(1.0))["duplicates"] == 0
    eight = pictures(0.5, 2)[:8].repeat(8, 1, 1, 1) + 0.001 * pictures(0.0, 3)
    few = look(eight, Brightness(1.0))
    assert few["duplicates"] == 1
    assert few["diversity"] > 0.8


def test_distance_is_in_units_of_what_sampling_does() -> None:
    assert look(pictures(0.5, 2), Brightness(1.0))["distance"] == pytest.approx(1, rel=0.5)
    assert look(pictures(-0.5, 2), Brightness(1.0))["distance"] > 20


def test_movement_is_how_far_fakes_went_since_the_last_look() -> None:
    probe = Probe(torch.zeros(COUNT, 1), pictures(0.5, 0), pictures(0.5, 1), NonSaturating())
    here, d = pictures(0.0, 2), Brightness(1.0)
    assert "movement" not in probe.measure(Fixed(here), d)
    assert probe.measure(Fixed(here), d)["movement"] == 0
    # A shift of 0.1 in each of 64 pixels is a way of 0.8; two reals differ by 0.1 sqrt(2) in each.
    assert probe.measure(Fixed(here + 0.1), d)["movement"] == pytest.approx(1 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("d_norm", ["batch", "spectral", "none"])
def test_a_look_leaves_no_trace(d_norm: str) -> None:
    torch.manual_seed(0)
    system = DCGAN(size=16, channels=1, g_width=4, d_width=4, latent=8, d_norm=d_norm)  # type: ignore[arg-type]
    g, d = system.generator(), system.discriminator()
    g.requires_grad_(False)
    before = {**g.state_dict(prefix="g."), **d.state_dict(prefix="d.")}
    before = {name: tensor.clone() for name, tensor in before.items()}
    reals = torch.rand(16, 1, 16, 16) * 2 - 1
    Probe(system.inputs(16, 0), reals, reals[:0], NonSaturating()).measure(g, d)
    after = {**g.state_dict(prefix="g."), **d.state_dict(prefix="d.")}
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(p.requires_grad for p in d.parameters())
    assert not any(p.requires_grad for p in g.parameters())
    assert all(p.grad is None for p in d.parameters())


def test_losses_interlace() -> None:
    rng = np.random.default_rng(0)
    assert interlace(rng.normal(size=2000), rng.normal(size=2000)) == pytest.approx(1, abs=0.05)
    assert interlace(rng.normal(size=100), 9 + rng.normal(size=100)) == 0
    # One slow crossing of two ramps overlaps wholly, but is hardly woven.
    ramp = np.linspace(0, 1, 100)
    assert 0 < interlace(ramp, ramp[::-1]) < 0.2


def test_the_noise_of_overfit_is_its_scatter_over_choices_of_pictures() -> None:
    held = 12
    found = []
    for seed in range(60):
        scattered = [
            pictures(0, 2 * seed + i)
            + torch.randn(COUNT, 1, 1, 1, generator=torch.Generator().manual_seed(900 + 2 * seed + i))
            for i in range(2)
        ]
        probe = Probe(torch.zeros(COUNT, 1), scattered[0], scattered[1][:held], NonSaturating())
        seen = probe.measure(Fixed(pictures(-0.5, 7)), Brightness(4.0))
        found.append(seen["overfit"])
    assert seen["overfit_noise"] == pytest.approx(float(np.std(found)), rel=0.25)


@pytest.mark.parametrize(("n", "m"), [(9, 4), (12, 5), (4, 9)])
def test_what_chance_hardly_exceeds_is_counted_over_all_orders(n: int, m: int) -> None:
    found = []
    for low in combinations(range(n + m), m):
        high = [rank for rank in range(n + m) if rank not in low]
        found.append(np.mean([[one > other for other in low] for one in high]))
    limit = chance_limit(n, m) + 1e-9
    assert np.mean(np.array(found) > limit) <= CHANCE
    assert np.mean(np.array(found) > limit - 1 / (n * m)) > CHANCE


def test_of_many_chance_is_three_standard_deviations() -> None:
    assert chance_limit(128, 128) == pytest.approx(0.6084, abs=1e-4)
    assert chance_limit(20, 2) == chance_limit(128, 1) == 1
    # Where both apply they agree.
    assert chance_limit(128, 10) == pytest.approx(0.5 + 3 * (139 / (12 * 1280)) ** 0.5, abs=0.02)
