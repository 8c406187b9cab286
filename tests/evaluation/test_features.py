"""Features are extracted once for the same images, and the cache does not grow without end."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ganvas import Watch, evaluate
from ganvas.data import cache_dir
from ganvas.evaluation import features
from ganvas.evaluation.features import remembered
from ganvas.metrics.extractors.digits import Digits
from tests.conftest import TrainedRun, tiny


def images(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (4, 28, 28, 1), np.uint8)


def kept() -> list[Path]:
    return sorted(cache_dir().glob("features-*.npz"), key=lambda file: file.stat().st_mtime)


def test_a_model_is_measured_again_without_its_features(
    trained_run: TrainedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained_run(tiny("dcgan"), Watch(measure_every=96, grid=(2, 2))).path
    first = evaluate(run, extractor="digits", fakes=60)
    monkeypatch.setattr(Digits, "extract", lambda *_, **__: pytest.fail("extracted again"))
    assert evaluate(run, extractor="digits", fakes=60).figures == first.figures


def test_what_was_needed_longest_ago_makes_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    extractor, asked = Digits.open(), []
    found = [remembered(extractor, images(seed), asked.append) for seed in range(3)]
    for age, file in enumerate(reversed(kept())):
        os.utime(file, (1e9 - age, 1e9 - age))
    remembered(extractor, images(0), asked.append)  # the first is needed again
    monkeypatch.setattr(features, "ROOM", 3 * kept()[0].stat().st_size)
    remembered(extractor, images(3), asked.append)
    assert len(kept()) == 3
    monkeypatch.setattr(features, "ROOM", 1)
    before = set(kept())
    again = remembered(extractor, images(0), asked.append)
    assert set(kept()) == before  # it was there, so that no room was made
    assert (again.features == found[0].features).all()
    remembered(extractor, images(4), asked.append)
    assert len(kept()) == 1
