"""The colour lock of models that remove noise: colours come back, noise does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import ganvas
from ganvas.inference.engine.colour import AREA, ColourLock
from ganvas.inference.engine.raster import ArrayRaster
from ganvas.systems.esrgan import ESRGAN
from tests.inference.networks import saved, small


def locked(pixels: np.ndarray, high: torch.Tensor, area: int, rows: int) -> tuple[torch.Tensor, ColourLock]:
    lock = ColourLock(ArrayRaster(pixels), 4, area)
    return torch.cat(list(lock.parts(iter(high.split(rows, 2)))), 2), lock


def test_over_areas_colours_come_back_and_noise_does_not() -> None:
    draws = np.random.default_rng(0)
    noise = draws.normal(0, 20, (48, 40, 3))
    pixels = (np.array([150.0, 120, 90]) + noise).clip(0, 255).astype(np.uint8)
    clean = torch.full((1, 3, 192, 160), 0.1)  # a smooth result of another colour
    areas, lock = locked(pixels, clean, AREA, 64)
    exact, _ = locked(pixels, clean, 1, 64)
    wanted = torch.from_numpy(pixels.mean((0, 1)) / 127.5 - 1).float()
    assert (areas.mean((2, 3))[0] - wanted).abs().max() < 0.01
    assert lock.after < 0.2 * lock.before
    assert areas.std((2, 3)).max() < 0.25 * exact.std((2, 3)).min()


def test_parts_are_the_whole_bit_for_bit() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (45, 30, 3), np.uint8)
    high = torch.rand(1, 3, 180, 120, generator=torch.Generator().manual_seed(0)) * 2 - 1
    (whole, one), (parts, other) = (locked(pixels, high, AREA, rows) for rows in (180, 7))
    assert torch.equal(whole, parts)
    assert (one.before, one.after) == pytest.approx((other.before, other.after), rel=1e-6)


def test_who_restores(tmp_path: Path) -> None:
    photo = ESRGAN(body="compact", g_width=4, blocks=1)
    assert ganvas.open(saved(tmp_path / "a.safetensors", photo)).about.restores  # type: ignore[arg-type]
    assert not ganvas.open(saved(tmp_path / "b.safetensors", small())).about.restores
