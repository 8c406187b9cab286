"""The second-order model of unknown degradations."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from ganvas.errors import InputError
from ganvas.imaging import kernels
from ganvas.imaging.draws import Draws
from ganvas.recipe.degradations import Bicubic, Blind, BlindOnce, Degradation, Pass
from ganvas.recipe.serialization import from_plain, to_plain
from tests.test_degradation import photograph

OFF: dict[str, Any] = {"blurred": 0.0, "up": 0.0, "down": 0.0, "noisy": 0.0, "compressed": 0.0}


def low(rule: Degradation, seed: int = 0, scale: int = 4, images: torch.Tensor | None = None) -> torch.Tensor:
    images = photograph().repeat(8, 1, 1, 1) if images is None else images
    return rule.apply(images, scale, torch.Generator().manual_seed(seed))["input"]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_images_have_the_right_size_and_about_the_same_light(channels: int, scale: int) -> None:
    images = photograph()[:, :channels, :, :96].repeat(8, 1, 1, 1)
    found = low(Blind(), scale=scale, images=images)
    assert found.dtype == torch.uint8
    assert found.shape == (8, channels, 128 // scale, 96 // scale)
    assert abs(found.float().mean() - images.float().mean()) < 6


def test_it_depends_on_its_random_state_alone_and_differs_within_a_batch() -> None:
    assert torch.equal(low(Blind(), 3), low(Blind(), 3))
    assert not torch.equal(low(Blind(), 3), low(Blind(), 4))
    assert len({bytes(one.numpy().tobytes()) for one in low(Blind(), 3)}) == 8


def test_without_its_stages_it_is_a_plain_resize() -> None:
    found = low(Blind(first=Pass(**OFF), second=Pass(**OFF), ringing=0.0))
    assert abs(found.float() - low(Bicubic()).float()).mean() < 6


@pytest.mark.parametrize(
    "stage",
    [
        {"blurred": 1.0, "blur": (2.0, 3.0)},
        {"down": 1.0, "resize": (0.2, 0.3)},
        {"up": 1.0, "resize": (1.4, 1.5)},
        {"noisy": 1.0, "poisson": 0.0, "noise": (20.0, 20.0)},
        {"noisy": 1.0, "poisson": 1.0, "light": (2.0, 2.0)},
        {"compressed": 1.0, "jpeg": (20.0, 20.0)},
    ],
)
def test_every_stage_of_a_pass_changes_the_images(stage: dict[str, Any]) -> None:
    still = Pass(**OFF)
    plain = Blind(first=still, second=still, ringing=0.0)
    for rule in (
        Blind(first=Pass(**OFF | stage), second=still, ringing=0.0),
        Blind(first=still, second=Pass(**OFF | stage), ringing=0.0),
    ):
        # The rules of the last resizing are drawn anew, so the mean of several images is compared.
        apart = (low(rule, scale=1).float() - low(plain, scale=1).float()).abs().mean()
        assert apart > 0.3


def test_noise_has_the_strength_that_was_asked_for() -> None:
    noisy = Pass(**OFF | {"noisy": 1.0, "poisson": 0.0, "noise": (12.0, 12.0), "grey": 0.0})
    grey = torch.full((4, 3, 64, 64), 100, dtype=torch.uint8)
    found = low(Blind(first=Pass(**OFF), second=noisy, ringing=0.0), scale=1, images=grey).float()
    assert found.std() == pytest.approx(12, rel=0.05)
    light = Pass(**OFF | {"noisy": 1.0, "poisson": 1.0, "light": (1.0, 1.0), "grey": 1.0})
    found = low(Blind(first=Pass(**OFF), second=light, ringing=0.0), scale=1, images=grey).float()
    assert found.std() == pytest.approx(10, rel=0.05)  # the root of 100
    assert torch.equal(found[:, 0], found[:, 2])


def test_kernels_sum_to_one_and_have_their_widths() -> None:
    draws = Draws(torch.Generator().manual_seed(0), torch.device("cpu"))
    some = kernels.drawn(draws, 50, (0.2, 3.0), 0.5, 0.3, 0.3)
    torch.testing.assert_close(some.sum((1, 2)), torch.ones(50))
    # A kernel may end soon, and then is narrower.
    one = torch.ones(1)
    bell = kernels.bells(torch.tensor([[2.0, 1.0]]), 0 * one, one, one < 0, 10 * one)[0]
    steps = torch.arange(-10, 11).float()
    assert float((bell.sum(0) * steps**2).sum()) == pytest.approx(4, rel=0.01)
    assert float((bell.sum(1) * steps**2).sum()) == pytest.approx(1, rel=0.01)
    sinc = kernels.ringing(torch.tensor([torch.pi / 3]))
    spectrum = torch.fft.fft2(sinc, s=(63, 63)).abs()[0]
    assert spectrum[0, 5] > 0.8  # below the cut-off
    assert spectrum[0, 20] < 0.2  # above it


def test_filtering_is_a_convolution_of_the_image_with_its_border_repeated() -> None:
    images = torch.rand(3, 2, 23, 37)
    some = torch.rand(3, 21, 21)
    some = some + some.flip(1, 2)  # symmetric, as all are
    padded = torch.nn.functional.pad(images, [10] * 4, mode="replicate").flatten(0, 1)[None]
    theirs = torch.nn.functional.conv2d(padded, some.repeat_interleave(2, 0)[:, None], groups=6).view_as(images)
    torch.testing.assert_close(kernels.filtered(images, some), theirs, rtol=1e-4, atol=1e-3)


def test_it_reads_back_and_the_former_blind_is_the_one_pass() -> None:
    rule = Blind(first=Pass(jpeg=(10.0, 90.0)), ringing=0.5)
    assert from_plain(Degradation, json.loads(json.dumps(to_plain(rule)))) == rule
    former = {"type": "Blind", "blur": 2.0, "noise": 15.0, "jpeg": 40}
    assert from_plain(Degradation, former) == BlindOnce()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"blurred": 1.5}, "blurred 1.5; give a share from 0"),
        ({"up": 0.6, "down": 0.6}, "up and down together 1.2; give a share"),
        ({"generalised": 0.6, "plateau": 0.6}, "generalised and plateau together"),
        ({"blur": (3.0, 1.0)}, "blur 3 to 1; give two numbers from 0 to 10, the smaller one first"),
        ({"resize": (0.0, 1.0)}, "resize 0 to 1; give two numbers from 0.05"),
        ({"jpeg": (30.0, 101.0)}, "jpeg 30 to 101; give two numbers from 1 to 100"),
        ({"noise": (float("nan"), 1.0)}, "noise nan to 1"),
    ],
)
def test_impossible_strengths_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Pass(**fields)


def test_an_impossible_share_of_ringing_is_refused() -> None:
    with pytest.raises(InputError, match="ringing -1"):
        Blind(ringing=-1.0)
