"""The bundled models: small, described, used by default, and as good as their cards say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas
from ganvas import cli
from ganvas.imaging.grid import Pixels
from ganvas.imaging.tensors import bicubic
from ganvas.metrics.distortion import luma, psnr
from ganvas.runs.models import bundled
from tests.conftest import SHARED

SET5 = SHARED / "data" / "sr_eval" / "Set5"


def photo() -> Pixels:
    from sklearn.datasets import load_sample_image

    return np.array(load_sample_image("flower.jpg")[120:248, 200:360])


def resized(pixels: Pixels, scale: float) -> Pixels:
    return bicubic(torch.from_numpy(pixels).permute(2, 0, 1), scale).permute(1, 2, 0).numpy()


def test_the_bundled_models_are_small_and_have_cards() -> None:
    assert set(bundled()) == {"srresnet-x4", "srgan-x4", "photo-x4", "repair"}
    for path in bundled().values():
        assert path.stat().st_size <= (8 if path.stem == "repair" else 4) * 2**20
        card = path.with_suffix(".md").read_text(encoding="utf-8")
        for part in ("| data |", "| time |", "| licence |", "## Scores", "## Limits"):
            assert part in card
        about = ganvas.open(path.stem).about
        licence = "BSD-3-Clause" if path.stem == "photo-x4" else "MIT"
        does = (1, "image+mask") if path.stem == "repair" else (4, "image")
        assert (about.name, about.licence, (about.scale, about.inputs)) == (path.stem, licence, does)
        assert f"| licence | {licence}" in card
        assert about.images_seen > 0


def test_the_faithful_model_beats_bicubic_on_a_photo_it_never_saw() -> None:
    high = photo()
    low = resized(high, 0.25)
    made = ganvas.open("srresnet-x4").upscale(low)
    assert psnr(luma(made), luma(high)) > psnr(luma(resized(low, 4)), luma(high)) + 1.0


def test_strength_goes_from_the_one_to_the_other() -> None:
    low = resized(photo(), 0.25)
    ends = [ganvas.open(name).upscale(low) for name in ("srresnet-x4", "srgan-x4")]
    assert np.array_equal(ganvas.open("srgan-x4", strength=0.0).upscale(low), ends[0])
    half = ganvas.open("srgan-x4", strength=0.5).upscale(low).astype(int)
    apart = [abs(half - end.astype(int)).mean() for end in ends]
    assert max(apart) < abs(ends[0].astype(int) - ends[1].astype(int)).mean()


def test_a_photo_is_upscaled_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(photo()[:40, :48]).save("photo.png")
    assert cli.main(["upscale", "photo.png"]) == 0
    with Image.open("photo_x4.png") as made:
        assert made.size == (192, 160)
        assert "4 times by photo-x4" in str(made.info)  # as its edges are soft
    assert Path("photo_x4.png").is_file()


@pytest.mark.skipif(not SET5.is_dir(), reason=f"needs the benchmark images in {SET5}")
def test_set5_is_as_good_as_the_card_says() -> None:
    upscaler = ganvas.open("srresnet-x4")
    scores = []
    for path in sorted((SET5 / "HR").iterdir()):
        high, low = (np.array(Image.open(file).convert("RGB")) for file in (path, SET5 / "LRx4" / path.name))
        made = upscaler.upscale(low, colour_lock=False)
        scores.append(psnr(luma(made), luma(high[: made.shape[0], : made.shape[1]])))
    assert np.mean(scores) == pytest.approx(31.283, abs=0.005)


@pytest.mark.parametrize("level", [0, 255])
def test_a_blank_photograph_is_not_taken_for_damage(level: int) -> None:
    blank = np.full((40, 56, 3), level, np.uint8)
    repairer = ganvas.open("repair")
    repaired, _ = repairer.repair(blank)
    assert repairer.last.filled == 0
    assert abs(repaired.astype(int) - level).max() < 40
