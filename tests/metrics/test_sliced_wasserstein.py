"""The sliced Wasserstein distance where its value is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from ganvas.metrics.sliced_wasserstein import DIRECTIONS, project, sliced_wasserstein


def pictures(count: int = 64, channels: int = 1, size: int = 16, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    return sliced_wasserstein(project(a), project(b))


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (1, 28), (3, 64)])
def test_zero_for_equal_sets_in_any_order(channels: int, size: int) -> None:
    a = pictures(16, channels, size)
    assert distance(a, a) == 0
    assert distance(a, a.flip(0)) == pytest.approx(0, abs=1e-6)


def test_symmetric_and_positive() -> None:
    a, b = pictures(seed=1), pictures(seed=2) * 0.5
    assert distance(a, b) == distance(b, a) > 0


def test_a_shift_by_hand() -> None:
    # A shift of all pixels by s moves every projection by s times the sum of its direction.
    a = pictures(8, 1, 8)
    directions = functional.normalize(torch.randn(DIRECTIONS, 49, generator=torch.Generator().manual_seed(0)))
    expected = 0.25 * directions.sum(1).abs().mean().item()
    assert distance(a, a + 0.25) == pytest.approx(expected, rel=1e-4)
    assert distance(a, a + 0.5) == pytest.approx(2 * expected, rel=1e-4)


def test_grows_with_noise() -> None:
    smooth = functional.interpolate(pictures(64, 1, 4), size=16, mode="bilinear", align_corners=False)
    noise = torch.randn(smooth.shape, generator=torch.Generator().manual_seed(1))
    distances = [distance(smooth, smooth + scale * noise) for scale in (0.0, 0.1, 0.2, 0.4, 0.8)]
    assert distances == sorted(distances)
    assert distances[1] > 0


def test_the_triangle_holds() -> None:
    a, b, c = pictures(seed=1), pictures(seed=2) * 0.3, pictures(seed=3) + 0.5
    assert distance(a, c) <= distance(a, b) + distance(b, c)


def test_of_points_a_shift_is_seen_as_its_mean_projection() -> None:
    points = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    # The mean of |cos| over all directions is 2 / pi; the 64 here come near.
    shifted = sliced_wasserstein(project(points), project(points + torch.tensor([0.3, 0.4])))
    assert shifted == pytest.approx(0.5 * 2 / math.pi, rel=0.15)
    assert sliced_wasserstein(project(points), project(points)) == 0
