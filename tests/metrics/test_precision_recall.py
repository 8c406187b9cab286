"""Precision, recall, density and coverage against brute force, torch-fidelity and known values."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganvas.errors import InputError
from ganvas.metrics.density_coverage import density_coverage
from ganvas.metrics.precision_recall import precision_recall
from tests.metrics.features import gaussian, reference


def test_precision_and_recall_equal_the_reference() -> None:
    prc = reference("metric_prc")
    fake, real = gaussian(200, 8, seed=1, scale=0.7), gaussian(300, 8)
    expected = prc.calculate_precision_recall_full(torch.from_numpy(fake).double(), torch.from_numpy(real).double())
    found = precision_recall(fake, real)
    assert (found["precision"].value, found["recall"].value) == pytest.approx(expected, rel=1e-6)
    assert 0 < found["recall"].low <= found["recall"].value <= found["recall"].high < 1


def test_density_and_coverage_by_brute_force() -> None:
    fake, real, k = gaussian(40, 3, seed=1, shift=0.5), gaussian(50, 3), 5
    gaps = np.linalg.norm(real[:, None].astype(float) - real[None], axis=2)
    radii = np.sort(gaps, axis=1)[:, k]
    inside = np.linalg.norm(real[:, None].astype(float) - fake[None], axis=2) <= radii[:, None]
    found = density_coverage(fake, real, k)
    assert found["density"].value == pytest.approx(inside.sum() / (k * len(fake)))
    assert found["coverage"].value == pytest.approx(inside.any(1).mean())


def test_coverage_of_equal_distributions_is_known() -> None:
    # 1 - 2^-k in the limit (Naeem et al. 2020, section 3.3); density 1.
    found = density_coverage(gaussian(1500, 4, seed=1), gaussian(1500, 4, seed=2))
    assert found["coverage"].value == pytest.approx(1 - 2**-5, abs=0.015)
    assert found["density"].value == pytest.approx(1, abs=0.08)


def test_a_set_against_itself() -> None:
    rows = gaussian(200, 8)
    assert {e.value for e in precision_recall(rows, rows).values()} == {1.0}
    assert density_coverage(rows, rows)["coverage"].value == 1


def test_dropped_modes_cost_recall_and_noise_costs_precision() -> None:
    real = np.concatenate([gaussian(200, 4, seed=1), gaussian(200, 4, seed=2, shift=20)])
    one_mode = gaussian(400, 4, seed=3)
    found = precision_recall(one_mode, real)
    assert found["precision"].value > 0.8
    assert found["recall"].value < 0.55
    noisy = real + 50 * np.random.default_rng(0).standard_normal(real.shape)
    assert precision_recall(noisy, real)["precision"].value < 0.1


def test_too_few_for_neighbours() -> None:
    with pytest.raises(InputError, match="4 fakes and 100 reals"):
        density_coverage(gaussian(4, 4), gaussian(100, 4))
