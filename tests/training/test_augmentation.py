"""What the discriminator sees: the changes within their bounds, both gradients through them, instance noise."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch

from ganvas.errors import InputError
from ganvas.recipe import Augment, Change
from ganvas.recipe.ramp import Ramp
from ganvas.training.augmentation import augment

PICTURES = torch.rand(64, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_off_is_the_very_same_tensor() -> None:
    assert augment(PICTURES, Augment(), 0) is PICTURES


def test_a_probability_is_a_share_of_the_pictures() -> None:
    seen = augment(PICTURES, Augment(differentiable=0.3), 0)
    changed = (seen != PICTURES).flatten(1).any(dim=1).float().mean()
    # Each of three changes hits a picture with 0.3.
    assert changed == pytest.approx(1 - 0.7**3, abs=0.15)
    whole = augment(PICTURES, Augment(differentiable=1.0), 0)
    assert (whole != PICTURES).flatten(1).any(dim=1).all()


def test_gradients_reach_what_is_left_of_the_picture() -> None:
    pictures = PICTURES.clone().requires_grad_()
    augment(pictures, Augment(differentiable=1.0), 0).sum().backward()
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
    settings = Augment(noise=Ramp(0.2, 0.0, 1000))
    for images, strength in ((0, 0.2), (500, 0.1)):
        assert (augment(PICTURES, settings, images) - PICTURES).std() == pytest.approx(strength, rel=0.05)
    assert augment(PICTURES, settings, 1000) is PICTURES


def changed_by(pictures: torch.Tensor, *policy: Change, chance: float = 1.0) -> torch.Tensor:
    return augment(pictures, Augment(differentiable=chance, policy=policy), 0)


def test_the_order_in_which_changes_are_named_changes_nothing() -> None:
    whole = augment(PICTURES, Augment(differentiable=0.5), 0)
    torch.manual_seed(0)
    assert torch.equal(whole, changed_by(PICTURES, "cut", "colour", "shift", chance=0.5))


@pytest.mark.parametrize("change", get_args(Change))
def test_a_chance_on_the_device_is_the_same_chance(change: Change) -> None:
    settings = Augment(differentiable=0.3, policy=(change,))
    number = augment(PICTURES, settings, 0)
    torch.manual_seed(0)
    assert torch.equal(number, augment(PICTURES, settings, 0, torch.tensor(0.3)))


@pytest.mark.parametrize("change", get_args(Change))
def test_both_gradients_are_those_of_finite_differences(change: Change) -> None:
    pictures = torch.rand(2, 3, 4, 4, dtype=torch.double, requires_grad=True)

    def squared(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)  # the same change at every point
        return changed_by(x, change).square()

    assert torch.autograd.gradcheck(squared, pictures)
    assert torch.autograd.gradgradcheck(squared, pictures)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("change", get_args(Change))
def test_any_size_and_precision_keeps_its_shape(change: Change, channels: int) -> None:
    pictures = torch.rand(8, channels, 7, 7).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        seen = changed_by(pictures, change)
    assert seen.shape == pictures.shape
    assert seen.isfinite().all()


def test_pictures_of_one_batch_are_changed_each_by_its_own_draw() -> None:
    for change in get_args(Change):
        seen = changed_by(PICTURES[:1].expand(32, -1, -1, -1), change)
        assert len(seen.flatten(1).unique(dim=0)) > 3, change


def test_blit_makes_the_eight_views_of_a_square_and_no_new_value() -> None:
    small = torch.arange(9.0).view(1, 1, 3, 3)  # an eighth of 3 px is no whole pixel: nothing is shifted
    views = {
        tuple(turned.flatten().tolist())
        for f in (small, small.flip(3))
        for k in range(4)
        for turned in [f.rot90(k, (2, 3))]
    }
    seen = changed_by(small.expand(400, -1, -1, -1), "blit").round(decimals=4)
    assert {tuple(picture.flatten().tolist()) for picture in seen} == views
    few = PICTURES[:8]
    seen = changed_by(few, "blit")
    apart = seen.flatten(1)[:, :, None] - few.flatten(1)[:, None]
    nearest = apart.abs().amin(dim=2)
    assert nearest.max() < 1e-4


def test_geometry_leaves_as_many_as_it_should_and_is_the_warp_that_scipy_makes() -> None:
    from scipy.ndimage import affine_transform

    from ganvas.training import geometric

    many = torch.rand(3000, 1, 4, 4)
    still = (changed_by(many, "geometry", chance=0.5) - many).abs().flatten(1).amax(dim=1) < 1e-5
    assert still.float().mean() == pytest.approx(0.5**4, abs=0.02)  # scale, stretch, turns, shift
    angle, size = torch.tensor([0.3]), 16
    shift, scaling = geometric._translation(torch.tensor([[1 / 8, 0.0]])), geometric._scaling(angle + 1, angle + 0.5)
    matrix = shift @ geometric._rotation(angle) @ scaling
    grid = torch.nn.functional.affine_grid(matrix[:, :2], [1, 1, size, size], align_corners=False)
    ours = geometric._Sampled.apply(PICTURES[:1, :1], grid)
    rows = matrix[0, :2, :2].flip(0, 1).numpy()  # scipy counts rows before columns, in pixels
    middle = (size - 1) / 2
    offset = middle + np.array([0, size / 8]) - rows @ np.array([middle, middle])
    theirs = affine_transform(PICTURES[0, 0].numpy(), rows, offset, order=1, mode="reflect")
    np.testing.assert_allclose(ours[0, 0].numpy(), theirs, atol=1e-4)


def test_tone_turns_scales_and_shifts_colours_about_the_grey_axis() -> None:
    def parts(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        grey = x.mean(dim=1)
        red, green, blue = (x - grey[:, None]).unbind(1)
        return grey.flatten(1), torch.complex((2 * red - green - blue) / 6**0.5, (green - blue) / 2**0.5).flatten(1)

    (grey, colour), (seen_grey, seen_colour) = parts(PICTURES), parts(changed_by(PICTURES, "tone"))
    turned = seen_colour / colour  # one angle and one factor for each picture
    torch.testing.assert_close(turned, turned[:, :1].expand_as(turned), rtol=1e-2, atol=1e-2)
    assert turned[:, 0].angle().std() > 1
    slope = (seen_grey[:, 1:] - seen_grey[:, :1]) / (grey[:, 1:] - grey[:, :1])
    middle = slope.median(dim=1).values
    assert ((slope - middle[:, None]).abs() < 0.05 * middle.abs()[:, None]).float().mean() > 0.97
    assert 0.3 < (middle < 0).float().mean() < 0.7  # turned over
    brightness = (seen_grey[:, 0] / middle - grey[:, 0]).std()
    assert brightness == pytest.approx(0.2, rel=0.3)


def test_tone_comes_with_its_own_share_of_the_probability() -> None:
    settings = Augment(differentiable=1.0, policy=("tone",), tone_factor=0.0)
    torch.testing.assert_close(augment(PICTURES, settings, 0), PICTURES)


@pytest.mark.parametrize(
    "bad",
    [
        {"differentiable": 1.5},
        {"differentiable": Ramp(0.0, 1.2, 10)},
        {"policy": ()},
        {"policy": ("cut", "cut")},
        {"tone_factor": 1.5},
        {"target": -0.1},
        {"target": 1.0},
        {"target": 0.6, "differentiable": 0.9},
        {"target": 0.6, "differentiable": Ramp(0.0, 0.5, 10)},
        {"adapt_over": 0},
        {"noise": -0.1},
        {"noise": Ramp(0.1, -0.1, 10)},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(bad: dict[str, float | Ramp]) -> None:
    with pytest.raises(InputError, match=r"--augment\.\w+.*; .*(give|got|omit).*\.$"):
        Augment(**bad)  # type: ignore[arg-type]
