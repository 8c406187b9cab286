"""Nearest neighbours by brute force, and memorization where it is certain."""

from __future__ import annotations

import numpy as np
import pytest

from ganvas.metrics.memorization import Nearest, memorization, nearest

RNG = np.random.default_rng(0)


def pictures(count: int, size: int = 8) -> np.ndarray:
    return RNG.integers(0, 256, (count, size, size, 1), dtype=np.uint8)


def test_nearest_by_brute_force() -> None:
    some, training = pictures(20), pictures(100)
    gaps = np.square((some[:, None].astype(float) - training[None]) / 255).mean((2, 3, 4)) ** 0.5
    found = nearest(some, [training[:30], training[30:31], training[31:]])
    assert np.array_equal(found.index, gaps.argmin(1))
    assert found.distance == pytest.approx(gaps.min(1), rel=1e-5)


def test_a_copy_is_at_no_distance() -> None:
    training = pictures(50, 64)
    found = nearest(training[[7, 3]], [training])
    assert list(found.index) == [7, 3]
    assert list(found.distance) == [0, 0]


def test_memorization_is_told_from_novelty() -> None:
    training, new, fresh = pictures(300), pictures(200), pictures(200)
    held_out = nearest(new, [training])
    novel = memorization(nearest(fresh, [training]), held_out)
    assert novel["nearness"].low < 0.5 < novel["nearness"].high
    assert novel["copies"].value < 0.05
    half = np.concatenate([fresh[:180], training[:20] // 2 + training[:20] // 2])
    some = memorization(nearest(half, [training]), held_out)
    assert some["copies"].value == pytest.approx(0.1, abs=0.04)
    copies = memorization(nearest(training[:50], [training]), held_out)
    assert copies["nearness"].value == copies["copies"].value == 1


def test_ties_count_half() -> None:
    same = Nearest(np.zeros(10, np.int64), np.ones(10))
    assert memorization(same, same)["nearness"].value == 0.5
