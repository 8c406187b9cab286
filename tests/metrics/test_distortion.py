"""PSNR and SSIM against closed forms, and picture by picture against published and twice measured values."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ganvas.errors import InputError
from ganvas.evaluation.test_sets import find_set, upscale
from ganvas.metrics.distortion import luma, psnr, ssim
from tests.conftest import SHARED

SETS = SHARED / "data" / "sr_eval"
here = pytest.mark.skipif(not SETS.is_dir(), reason="the shared test sets are not here")

SET5 = [(31.7711, 0.8563), (30.1751, 0.8727), (22.0992, 0.7368), (31.5785, 0.7531), (26.4645, 0.8315)]
SET14 = [
    *((22.4367, 0.4521), (25.1453, 0.6860), (23.1459, 0.5403), (25.4793, 0.5223), (21.6906, 0.5833)),
    *((31.5476, 0.7516), (25.5188, 0.7213), (29.4107, 0.8658), (29.8287, 0.8135), (25.6915, 0.6756)),
    *((27.4557, 0.8804), (30.5796, 0.8365), (21.9163, 0.8186), (24.0592, 0.6844)),
]


def bicubic_scores(folder: Path) -> np.ndarray:
    """PSNR and SSIM of bicubic on Y, (N, 2)."""
    rows = []
    for pair in find_set(str(folder), 4):
        y, of = luma(upscale(pair.low, 4)), luma(pair.high)
        rows.append((psnr(y, of), ssim(y, of)))
    return np.array(rows)


@here
def test_bicubic_on_every_picture_of_set5() -> None:
    found = bicubic_scores(SETS / "Set5")
    np.testing.assert_allclose(found, SET5, atol=6e-5)
    np.testing.assert_allclose(found.mean(0), (28.4177, 0.8101), atol=6e-5)


@here
def test_bicubic_on_every_picture_of_set14_with_its_grey_bridge() -> None:
    found = bicubic_scores(SETS / "Set14")
    np.testing.assert_allclose(found, SET14, atol=6e-5)
    np.testing.assert_allclose(found.mean(0), (25.9933, 0.7023), atol=6e-5)


@here
@pytest.mark.slow
def test_bicubic_on_bsd100() -> None:
    np.testing.assert_allclose(bicubic_scores(SETS / "BSD100").mean(0), (25.9565, 0.6672), atol=6e-5)


def test_luma_is_that_of_studio_range() -> None:
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128]]], np.uint8)
    assert luma(colours)[0, :, 0].tolist() == [16, 235, 81, 145, 41, 126]
    assert luma(colours).dtype == np.uint8
    grey = colours[..., :1]
    assert luma(grey) is grey


def test_psnr_of_a_known_error() -> None:
    black = np.zeros((32, 40, 3), np.uint8)
    assert psnr(black, black + np.uint8(5)) == pytest.approx(20 * math.log10(255 / 5))
    assert psnr(black, black) == math.inf
    framed = np.full_like(black, 200)
    framed[4:-4, 4:-4] = 0
    assert psnr(black, framed) == math.inf
    assert psnr(black, framed, crop=3) < 30


def test_ssim_in_closed_form() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 1), np.uint8)
    assert ssim(noise, noise) == pytest.approx(1)
    # Flat pictures differ in luminance alone.
    a, b = (np.full((24, 24, 3), value, np.uint8) for value in (100, 150))
    c1 = (0.01 * 255) ** 2
    assert ssim(a, b) == pytest.approx((2 * 100 * 150 + c1) / (100**2 + 150**2 + c1))
    # By the definition, at the one place of the window that fits in.
    x, y = (np.random.default_rng(seed).integers(0, 256, (11, 11, 1)).astype(np.uint8) for seed in (1, 2))
    axis = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    w = np.outer(axis, axis) / np.outer(axis, axis).sum()
    p, q = x[..., 0].astype(float), y[..., 0].astype(float)
    mp, mq = (w * p).sum(), (w * q).sum()
    vp, vq, cov = (w * (p - mp) ** 2).sum(), (w * (q - mq) ** 2).sum(), (w * (p - mp) * (q - mq)).sum()
    c2 = (0.03 * 255) ** 2
    expected = (2 * mp * mq + c1) * (2 * cov + c2) / ((mp**2 + mq**2 + c1) * (vp + vq + c2))
    assert ssim(x, y, crop=0) == pytest.approx(expected)


def test_ssim_equals_scikit_image() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (50, 60, 3), np.uint8)
    b = (a // 2 + rng.integers(0, 128, a.shape)).astype(np.uint8)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    expected = metrics.structural_similarity(a[4:-4, 4:-4], b[4:-4, 4:-4], channel_axis=-1, **options)
    assert ssim(a, b) == pytest.approx(expected, abs=1e-12)


def test_what_cannot_be_measured_is_refused() -> None:
    small, large, grey = (np.zeros(shape, np.uint8) for shape in ((18, 18, 3), (30, 30, 3), (30, 30, 1)))
    with pytest.raises(InputError, match="less than 11 x 11 is left after a crop of 4 px"):
        ssim(small, small)
    with pytest.raises(InputError, match="less than 1 x 1 is left"):
        psnr(small, small, crop=9)
    for other in (small, grey):
        with pytest.raises(InputError, match="one size and as many channels"):
            psnr(large, other)
