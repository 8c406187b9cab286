"""Photographs that have lived."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from ganvas.errors import InputError
from ganvas.imaging.draws import Draws
from ganvas.imaging.marks import Curves, drawn
from ganvas.recipe.degradations import Aged, Degradation
from ganvas.recipe.degradations.aged import MARKED, VISIBLE
from ganvas.recipe.serialization import from_plain, to_plain
from tests.test_degradation import photograph

OFF: dict[str, Any] = {name: 100.0 if name == "jpeg" else 0.0 for name in Aged.DEFECTS}
ALWAYS: dict[str, Any] = {"absent": 0.0, "untouched": 0.0, "grey": 0.0}
SURFACE = ("creases", "stains", "scratches", "fibres", "dust", "corners", "tears")
MASKS = ("hole", "scratch", "stain")


def aged(rule: Aged, seed: int = 0, scale: int = 1, images: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
    images = photograph().repeat(8, 1, 1, 1) if images is None else images
    return rule.apply(images, scale, torch.Generator().manual_seed(seed))


def only(*names: str) -> Aged:
    return Aged(**ALWAYS, **OFF | {name: getattr(Aged, name) for name in names})


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [1, 2])
def test_what_is_returned(channels: int, scale: int) -> None:
    found = aged(Aged(), scale=scale, images=photograph()[:, :channels, :, :96].repeat(8, 1, 1, 1))
    assert list(found) == ["input", *MASKS, "strengths"]
    assert found["input"].dtype == torch.uint8
    assert found["input"].shape == (8, channels, 128 // scale, 96 // scale)
    for name in MASKS:
        assert found[name].shape == (8, 1, 128 // scale, 96 // scale)
        assert set(found[name].unique().tolist()) <= {0.0, 1.0}
    assert found["strengths"].shape == (8, len(Aged.DEFECTS))
    assert 0 <= found["strengths"].min() <= found["strengths"].max() <= 1
    assert not (found["hole"] * (found["scratch"] + found["stain"])).any()


def test_it_depends_on_its_random_state_alone() -> None:
    first, again, other = aged(Aged(), 3), aged(Aged(), 3), aged(Aged(), 4)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["input"], other["input"])


def test_a_third_lacks_each_defect_and_a_tenth_all() -> None:
    images = torch.full((300, 3, 16, 16), 128, dtype=torch.uint8)
    found = aged(Aged(), images=images)
    present = found["strengths"] > 0
    shares = 1 - present.float().mean(0)
    # Three standard deviations of a share of 300.
    assert ((shares - 1 / 3).abs() < 3 * (2 / 9 / 300) ** 0.5).all()
    clean = ~present.any(1)
    assert 0.05 < clean.float().mean() < 0.16
    assert torch.equal(found["input"][clean], images[clean])
    for name in MASKS:
        assert not found[name][clean].any()
    for name, mask in (("corners", "hole"), ("scratches", "scratch"), ("stains", "stain")):
        column = Aged.DEFECTS.index(name)
        others = [i for i, one in enumerate(Aged.DEFECTS) if one in SURFACE]
        bare = ~present[:, others].any(1)
        assert not found[mask][bare].any()
        assert found[mask][present[:, column]].any()


@pytest.mark.parametrize("name", Aged.DEFECTS)
def test_every_defect_alone_changes_the_images_and_its_strength(name: str) -> None:
    images = photograph().repeat(8, 1, 1, 1)
    found = aged(only(name), images=images)
    column = Aged.DEFECTS.index(name)
    assert (found["strengths"][:, column] > 0).all()
    assert not found["strengths"][:, [i for i in range(len(Aged.DEFECTS)) if i != column]].any()
    assert (found["input"] != images).any()
    if name not in SURFACE:
        assert not any(found[mask].any() for mask in MASKS)


def test_a_strength_of_1_is_the_strongest_default_whatever_the_fields_are() -> None:
    usual, half = only("grain"), Aged(**ALWAYS, **OFF | {"grain": Aged.grain / 2})
    torch.testing.assert_close(aged(half)["strengths"], aged(usual)["strengths"] / 2)


@pytest.mark.parametrize("seed", range(3))
def test_masks_are_the_pixels_that_the_surface_changed(seed: int) -> None:
    images = photograph().repeat(8, 1, 1, 1)
    found = aged(only(*SURFACE), seed, images=images)
    apart = (found["input"].float() - images.float()).abs().amax(1, keepdim=True)
    masks = [found[name] > 0 for name in MASKS]
    anywhere = masks[0] | masks[1] | masks[2]
    # Up to two changes that are each too small to be counted, and the rounding.
    assert apart[~anywhere].max() <= (MARKED + VISIBLE) * 255 + 1
    # A mark may undo a stain.
    assert (apart[masks[1] | masks[2]] > VISIBLE * 255 - 1).float().mean() > 0.98
    assert (apart[masks[0]] > VISIBLE * 255).float().mean() > 0.7  # a hole may have the colour that was there
    assert 0.001 < anywhere.float().mean() < 0.6


def test_masks_of_a_smaller_scan_hold_whatever_is_damaged_in_a_pixel() -> None:
    whole, small = aged(only("scratches")), aged(only("scratches"), scale=4)
    assert torch.equal(torch.nn.functional.max_pool2d(whole["scratch"], 4), small["scratch"])


def test_holes_and_grey_images() -> None:
    images = photograph().repeat(8, 1, 1, 1)
    grey = aged(Aged(**ALWAYS | {"grey": 1.0}, **OFF), images=images)["input"]
    assert (grey[:, 0].int() - grey[:, 2].int()).abs().max() <= 1
    assert not aged(only("dust"), images=images)["hole"].any()
    torn = aged(only("corners"), images=images)["hole"]
    assert (torn.amax((1, 2, 3)) > 0).all()
    assert torn.mean() < 0.3


def test_the_smallest_images_are_aged() -> None:
    found = aged(Aged(**ALWAYS), images=torch.zeros(2, 3, 2, 2, dtype=torch.uint8))
    assert found["input"].shape == (2, 3, 2, 2)


def test_it_reads_back() -> None:
    rule = Aged(scratches=3.0, jpeg=70.0)
    assert from_plain(Degradation, json.loads(json.dumps(to_plain(rule)))) == rule


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"absent": 1.1}, "absent 1.1; give a share from 0"),
        ({"untouched": 0.5}, r"untouched 0.5 and absent 0.333.*lower untouched"),
        ({"fade": -0.1}, "fade -0.1; give a share"),
        ({"creases": 4.0}, "creases 4; give a number from 0 to 3"),
        ({"scratches": -1.0}, "scratches -1; give a number from 0 to 1000"),
        ({"jpeg": 0.0}, "jpeg 0; give a number from 1 to 100"),
        ({"grain": float("inf")}, "grain inf"),
        ({"light": float("nan")}, "light nan"),
    ],
)
def test_impossible_strengths_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Aged(**fields)


def test_a_thin_line_is_even_and_as_wide_as_it_says() -> None:
    count = torch.arange(60.0)
    points = torch.stack([10 + 0.3 * count, 5 + 0.9 * count], 1)[None]
    full, none = torch.ones(1, 60), torch.zeros(1, 1)
    draws = Draws(torch.Generator().manual_seed(0), torch.device("cpu"))
    for width in (0.5, 3.0):
        curves = Curves(torch.tensor([0]), points, width * full, full, none, torch.tensor([True]))
        bright, dark = drawn([curves], 2, 40, 64, draws)
        assert not dark.any()
        assert not bright[1].any()
        across = bright[0, 0, :, 10:50].sum(0) * (0.9**2 / (0.9**2 + 0.3**2)) ** 0.5
        assert across.std() < 0.1 * across.mean()
        # The edge is soft: half a pixel on each side, of which a thin line has no more than its part.
        assert width * 0.6 < across.mean() < width * 1.6
