"""Classifier score and class histogram where their values are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganvas.metrics.class_histogram import classes
from ganvas.metrics.classifier_score import classifier_score
from ganvas.metrics.intervals import bootstrap
from tests.metrics.features import gaussian, reference


def softmax(logits: np.ndarray) -> np.ndarray:
    return torch.from_numpy(logits).double().softmax(1).numpy()


def test_score_of_certain_and_of_blind_classifiers() -> None:
    certain = np.eye(10)[np.arange(200) % 10]
    assert classifier_score(certain).value == pytest.approx(10)
    assert classifier_score(np.full((200, 10), 0.1)).value == pytest.approx(1)
    assert classifier_score(np.eye(10)[np.zeros(50, int)]).value == pytest.approx(1)


@pytest.mark.parametrize("splits", [1, 10])
def test_score_equals_the_reference(splits: int) -> None:
    isc = reference("metric_isc")
    logits = 5 * gaussian(503, 30)
    expected = isc.isc_features_to_metric(torch.from_numpy(logits), splits, shuffle=False)["inception_score_mean"]
    found = classifier_score(softmax(logits), splits)
    assert found.value == pytest.approx(expected, rel=1e-6)
    assert found.low < found.value < found.high


def test_histogram_by_hand() -> None:
    def shown(*counts: int) -> np.ndarray:
        return np.eye(4)[np.repeat(np.arange(4), counts)]

    same = classes(shown(25, 25, 25, 25), shown(100, 100, 100, 100))
    assert same.modes.value == 4
    assert same.kl.value == pytest.approx(0, abs=1e-4)
    dropped = classes(shown(50, 49, 1, 0), shown(25, 25, 25, 25))
    assert dropped.modes.value == 2  # the stray one is less than a tenth of a quarter
    assert list(dropped.fake) == [0.5, 0.49, 0.01, 0]
    p = (np.array([50, 49, 1, 0]) + 0.5) / 102
    assert dropped.kl.value == pytest.approx((p * np.log(p / 0.25)).sum())
    assert dropped.kl.low <= dropped.kl.value <= dropped.kl.high


def test_the_bootstrap_of_a_mean_is_the_textbooks() -> None:
    values = np.random.default_rng(0).standard_normal(400)
    found = bootstrap(lambda counts: counts @ values / 400, 400, seed=1)
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.01)
    assert found.high == pytest.approx(values.mean() + half, abs=0.01)
    assert found == bootstrap(lambda counts: counts @ values / 400, 400, seed=1)
