"""Modes covered and fakes of high quality."""

from __future__ import annotations

import numpy as np
import pytest

from ganvas.metrics.intervals import Estimate
from ganvas.metrics.mode_coverage import Coverage, coverage
from ganvas.metrics.stacked_modes import spread
from ganvas.recipe.sources import Mixture2D

RING = Mixture2D(shape="ring")


@pytest.mark.parametrize("shape", ["ring", "grid", "spiral"])
def test_the_data_cover_themselves(shape: str) -> None:
    points = Mixture2D(shape=shape)  # type: ignore[arg-type]
    found = coverage(points.sample(2_500, seed=1), points.modes(), points.std)
    assert found.covered == found.of == len(points.modes())
    # In two dimensions 1 - exp(-9 / 2) lie within three standard deviations of their own mode; others may be nearer.
    assert found.quality >= 0.98
    if shape == "ring":
        assert found.quality == pytest.approx(1 - np.exp(-4.5), abs=0.006)


def test_a_mode_needs_a_quarter_of_its_fair_share() -> None:
    modes = RING.modes()
    enough = np.repeat(modes, [744, *[8] * 7], axis=0)  # fair: 100 of 800
    assert coverage(enough, modes, RING.std) == Coverage(1, 8, 1.0)
    assert coverage(np.repeat(modes, [625, *[25] * 7], axis=0), modes, RING.std) == Coverage(8, 8, 1.0)


def test_only_near_fakes_count() -> None:
    modes = RING.modes()
    assert coverage(modes + np.array([2.9 * RING.std, 0]), modes, RING.std) == Coverage(8, 8, 1.0)
    assert coverage(modes + np.array([3.1 * RING.std, 0]), modes, RING.std) == Coverage(0, 8, 0.0)


def test_every_class_alike_is_no_divergence() -> None:
    found = spread(np.arange(26_000) % 1_000, 1_000)
    assert (found.modes, found.covered) == (Estimate(1000, 1000, 1000), Estimate(1000, 1000, 1000))
    assert found.kl.value == pytest.approx(0, abs=1e-12)


def test_one_class_is_all_divergence() -> None:
    found = spread(np.zeros(26_000, np.int64), 1_000)
    assert found.modes.value == found.covered.value == 1
    assert found.kl.value == found.kl.high == pytest.approx(np.log(1000))


def test_strays_are_modes_but_cover_none() -> None:
    labels = np.concatenate([np.repeat(np.arange(100), 258), np.arange(100, 300)])
    found = spread(labels, 1_000)
    assert (found.modes.value, found.covered.value) == (300, 100)


def test_a_perfect_sampler_has_the_divergence_of_its_size() -> None:
    found = spread(np.random.default_rng(0).integers(0, 1_000, 26_000), 1_000)
    assert found.modes.value == 1000
    assert found.kl.value == pytest.approx(999 / 52_000, rel=0.1)
    assert found.kl.low < found.kl.value < found.kl.high
