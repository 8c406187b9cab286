"""The Frechet and the kernel distance against closed forms, torch-fidelity, and themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganvas.errors import InputError
from ganvas.metrics.fid import distance, frechet_distance
from ganvas.metrics.kid import kid
from tests.metrics.features import gaussian, reference


def test_frechet_of_two_gaussians_in_closed_form() -> None:
    # Covariances that commute: |m1 - m2|^2 + sum (s1 - s2)^2 over the common axes.
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    s1, s2, m1, m2 = (rng.uniform(0.1, 2, 6) for _ in range(4))
    expected = np.square(m1 - m2).sum() + np.square(s1 - s2).sum()
    found = distance(m1, axes @ np.diag(s1**2) @ axes.T, m2, axes @ np.diag(s2**2) @ axes.T)
    assert found == pytest.approx(expected, rel=1e-12)


def test_frechet_of_covariances_that_do_not_commute() -> None:
    # In two dimensions tr (S1 S2)^(1/2) = sqrt(tr S1 S2 + 2 sqrt(det S1 S2)).
    s1, s2 = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.3], [-0.3, 3.0]])
    cross = np.sqrt(np.trace(s1 @ s2) + 2 * np.sqrt(np.linalg.det(s1 @ s2)))
    zero = np.zeros(2)
    assert distance(zero, s1, zero, s2) == pytest.approx(np.trace(s1 + s2) - 2 * cross, rel=1e-12)


def test_frechet_of_samples_nears_the_closed_form() -> None:
    a, b = (np.random.default_rng(seed).standard_normal((40_000, 4)) for seed in (0, 1))
    found = frechet_distance(a, 2 * b + 0.5)
    assert found.value == pytest.approx(4 * 0.25 + 4 * 1, rel=0.02)
    assert found.low < 5 < found.high


def test_frechet_equals_the_reference() -> None:
    fid = reference("metric_fid")
    a, b = gaussian(500, 64), gaussian(400, 64, seed=1, shift=0.2, scale=1.3)
    statistics = [fid.fid_features_to_statistics(torch.from_numpy(x.astype(np.float64))) for x in (a, b)]
    expected = fid.fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]
    assert frechet_distance(a, b).value == pytest.approx(expected, rel=1e-6)


def test_a_constant_feature_is_no_obstacle() -> None:
    a, b = gaussian(100, 8), gaussian(100, 8, seed=1)
    a[:, 3] = b[:, 3] = 0
    assert np.isfinite(frechet_distance(a, b).value)


def test_frechet_of_a_set_and_itself_is_zero() -> None:
    a = gaussian(300, 32)
    found = frechet_distance(a, a)
    assert 0 <= found.value < 1e-9


@pytest.mark.parametrize(("fakes", "reals", "named"), [(32, 100, "32 fakes"), (100, 20, "20 reals")])
def test_fewer_pictures_than_features(fakes: int, reals: int, named: str) -> None:
    with pytest.raises(InputError, match=rf"undefined for {named}; give more than 32 images, or measure the KID"):
        frechet_distance(gaussian(fakes, 32), gaussian(reals, 32))


def test_kernel_distance_equals_the_reference() -> None:
    theirs = reference("metric_kid")
    a, b = gaussian(300, 16), gaussian(300, 16, seed=1, shift=0.3)
    options = {"kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1}
    options |= {"kid_subsets": 1, "kid_subset_size": 300, "kid_kernel": "poly", "verbose": False, "rng_seed": 0}
    expected = theirs.kid_features_to_metric(*(torch.from_numpy(x.astype(np.float64)) for x in (a, b)), **options)
    assert kid(a, b).value == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-9)


def test_kernel_distance_is_what_the_customary_subsets_estimate() -> None:
    theirs = reference("metric_kid")
    a, b = gaussian(400, 16), gaussian(500, 16, seed=1, shift=0.3)
    options = {"kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1}
    options |= {"kid_subsets": 400, "kid_subset_size": 100, "kid_kernel": "poly", "verbose": False, "rng_seed": 0}
    expected = theirs.kid_features_to_metric(torch.from_numpy(a), torch.from_numpy(b), **options)
    error = expected["kernel_inception_distance_std"] / 400**0.5
    assert abs(kid(a, b).value - expected["kernel_inception_distance_mean"]) < 3 * error


def test_kernel_distance_is_unbiased() -> None:
    found = [kid(gaussian(30, 4, seed=s), gaussian(25, 4, seed=100 + s)).value for s in range(100)]
    assert abs(np.mean(found)) < 3 * np.std(found) / len(found) ** 0.5
    assert min(found) < 0


def test_kernel_distance_of_halves_is_near_zero() -> None:
    rows = gaussian(1000, 16)
    found = kid(rows[::2], rows[1::2])
    assert found.low < 0 < found.high


@pytest.mark.parametrize("measure", [frechet_distance, kid])
def test_the_interval_knows_no_order(measure: object) -> None:
    # Every tenth picture is an outlier: groups taken in turn would put them all into one.
    rows = gaussian(400, 4)
    rows[::10] += 20
    found = measure(rows, gaussian(400, 4, seed=1))  # type: ignore[operator]
    assert (found.high - found.low) / 2 < 0.6 * found.value


def test_too_few_for_a_kernel_distance() -> None:
    with pytest.raises(InputError, match="5 fakes and 100 reals are too few"):
        kid(gaussian(5, 4), gaussian(100, 4))


@pytest.mark.parametrize("measure", [frechet_distance, kid])
def test_the_interval_holds_the_spread_of_fresh_samples(measure: object) -> None:
    # The jackknife knows one sample; the truth is how far the figure moves with new ones.
    drawn = [measure(gaussian(200, 8, seed=2 * s, shift=0.3), gaussian(200, 8, seed=2 * s + 1)) for s in range(60)]  # type: ignore[operator]
    spread = np.std([found.value for found in drawn])
    half_widths = [(found.high - found.low) / 2 for found in drawn]
    assert 0.7 * 1.96 * spread < np.median(half_widths) < 1.6 * 1.96 * spread
    # Frechet distances are biased, the interval is about their own mean.
    centre = np.mean([found.value for found in drawn])
    assert np.mean([found.low <= centre <= found.high for found in drawn]) >= 0.85
