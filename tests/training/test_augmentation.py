"""What the discriminator sees: DiffAugment's changes within their bounds, gradients through them, instance noise."""

from __future__ import annotations

import pytest
import torch

from ganvas.errors import InputError
from ganvas.ramp import Ramp
from ganvas.recipe import Augment
from ganvas.training.augmentation import as_seen

PICTURES = torch.rand(64, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_off_is_the_very_same_tensor() -> None:
    assert as_seen(PICTURES, Augment(), 0) is PICTURES


def test_a_probability_is_a_share_of_the_pictures() -> None:
    seen = as_seen(PICTURES, Augment(differentiable=0.3), 0)
    changed = (seen != PICTURES).flatten(1).any(dim=1).float().mean()
    # Each of three changes hits a picture with 0.3.
    assert changed == pytest.approx(1 - 0.7**3, abs=0.15)
    whole = as_seen(PICTURES, Augment(differentiable=1.0), 0)
    assert (whole != PICTURES).flatten(1).any(dim=1).all()


def test_gradients_reach_what_is_left_of_the_picture() -> None:
    pictures = PICTURES.clone().requires_grad_()
    as_seen(pictures, Augment(differentiable=1.0), 0).sum().backward()
    assert pictures.grad is not None
    assert pictures.grad.isfinite().all()
    assert (pictures.grad != 0).flatten(1).any(dim=1).all()


def test_cut_and_shift_keep_values_and_remove_at_most_what_they_say() -> None:
    from ganvas.training.augmentation import _cut, _shift

    ones = torch.ones(200, 1, 16, 16)
    cut = _cut(ones).mean(dim=(1, 2, 3))
    assert 0.75 == cut.min() < cut.max() < 1
    shifted = _shift(ones).mean(dim=(1, 2, 3))
    assert shifted.min() >= (14 / 16) ** 2
    assert shifted.max() == 1
    assert set(_shift(ones).unique().tolist()) == {0.0, 1.0}


def test_noise_fades_with_the_ramp() -> None:
    augment = Augment(noise=Ramp(0.2, 0.0, 1000))
    for images, strength in ((0, 0.2), (500, 0.1)):
        assert (as_seen(PICTURES, augment, images) - PICTURES).std() == pytest.approx(strength, rel=0.05)
    assert as_seen(PICTURES, augment, 1000) is PICTURES


@pytest.mark.parametrize("bad", [{"differentiable": 1.5}, {"noise": -0.1}, {"noise": Ramp(0.1, -0.1, 10)}])
def test_what_cannot_be_is_refused(bad: dict[str, float | Ramp]) -> None:
    with pytest.raises(InputError):
        Augment(**bad)  # type: ignore[arg-type]
