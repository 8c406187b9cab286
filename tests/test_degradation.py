"""From high to low resolution, rule by rule."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.data import open_data
from ganvas.data.feed import crop_feed
from ganvas.errors import InputError
from ganvas.imaging.tensors import jpeg
from ganvas.recipe.degradations import Aged, Area, Bicubic, Bilinear, Blind, BlindOnce, Degradation
from ganvas.recipe.sources import Crops
from tests.conftest import write_photographs

RECORDED = [
    [[63, 60, 89, 95], [52, 51, 77, 78], [43, 41, 68, 70]],
    [[77, 78, 107, 118], [49, 48, 75, 84], [55, 52, 77, 85]],
]  # of the version in which this class was Blind
RULES: list[Degradation] = [Bicubic(), Bilinear(), Area(), BlindOnce()]


def photograph() -> torch.Tensor:
    from sklearn.datasets import load_sample_image

    cut = load_sample_image("china.jpg")[100:228, 200:328]
    return torch.from_numpy(np.ascontiguousarray(cut)).permute(2, 0, 1)[None]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("scale", [2, 4, 8])
def test_every_rule_gives_8_bit_pictures_of_the_right_size(rule: Degradation, scale: int) -> None:
    high = torch.cat([photograph(), photograph().flip(3)])
    low = rule.apply(high, scale, torch.Generator().manual_seed(1))["input"]
    assert low.dtype == torch.uint8
    assert low.shape == (2, 3, 128 // scale, 128 // scale)
    assert abs(low.float().mean() - high.float().mean()) < 4


def test_area_is_the_mean_of_each_square() -> None:
    high = photograph()
    low = Area().apply(high, 4, torch.Generator())["input"]
    mean = high[0, 1, 8:12, 4:8].double().mean()
    assert abs(low[0, 1, 2, 1] - mean) <= 0.5


def test_blind_degrading_depends_on_its_random_state_alone() -> None:
    high = photograph()
    first, again, other = (BlindOnce().apply(high, 4, torch.Generator().manual_seed(s))["input"] for s in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_blind_without_anything_blind_is_a_plain_resize() -> None:
    high = photograph()
    low = BlindOnce(blur=0, noise=0, jpeg=0).apply(high, 4, torch.Generator().manual_seed(0))["input"]
    plain = [rule.apply(high, 4, torch.Generator())["input"] for rule in (Bicubic(), Bilinear(), Area())]
    assert min(int((low.int() - other.int()).abs().max()) for other in plain) <= 1


def test_jpeg_is_that_of_pillow_within_rounding() -> None:
    high = photograph()
    for quality in (40, 80):
        buffer = io.BytesIO()
        Image.fromarray(high[0].permute(1, 2, 0).numpy()).save(buffer, "JPEG", quality=quality, subsampling=0)
        theirs = torch.from_numpy(np.array(Image.open(buffer))).permute(2, 0, 1)[None].float()
        ours = jpeg(high.float(), torch.tensor([float(quality)]))
        # Pillow rounds after every step; the compression itself moves pixels by several times as much.
        assert (ours - theirs).abs().mean() < 0.3 * (high.float() - theirs).abs().mean()


def test_blind_once_has_the_pixels_that_models_were_trained_on() -> None:
    low = BlindOnce().apply(photograph().repeat(2, 1, 1, 1), 4, torch.Generator().manual_seed(5))["input"]
    recorded = torch.tensor(RECORDED)
    assert (low[:, :, 10, 10:14].int() - recorded).abs().max() <= 1


def test_impossible_strengths_are_refused() -> None:
    with pytest.raises(InputError, match="jpeg 96"):
        BlindOnce(jpeg=96)


@pytest.mark.parametrize("rule", [BlindOnce(), Blind(), Aged()], ids=lambda rule: type(rule).__name__)
def test_a_batch_is_the_same_where_networks_compute_in_bf16(rule: Degradation, tmp_path: Path) -> None:
    write_photographs(tmp_path / "photos", 2)
    crops = Crops(source=str(tmp_path / "photos"), degradation=rule)
    photos = open_data(crops, (3, 32, 32))
    feed = crop_feed(photos, crops, scale=4, batch_size=2, seed=0, device=torch.device("cpu"))
    plain = feed.batch(0)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = feed.batch(0)
        assert torch.equal(mixed["input"], plain["input"])
        assert torch.equal(mixed["real"], plain["real"])
