"""2-D mixtures: points follow their density, and are served like images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganvas import InputError, Mixture2D
from ganvas.data import count, open_data
from ganvas.data.feed import row_feed
from ganvas.data.transforms import AsTheyAre

SHAPES = ["ring", "grid", "spiral"]


@pytest.mark.parametrize(("shape", "modes"), [("ring", 8), ("grid", 25), ("spiral", 100)])
def test_modes_lie_within_the_window(shape: str, modes: int) -> None:
    found = Mixture2D(shape=shape).modes()  # type: ignore[arg-type]
    assert found.shape == (modes, 2)
    assert len(np.unique(found.round(6), axis=0)) == modes
    assert np.abs(found).max() < 0.9


@pytest.mark.parametrize("shape", SHAPES)
def test_points_follow_the_density(shape: str) -> None:
    points = Mixture2D(shape=shape, std=0.1)  # type: ignore[arg-type]
    sample = points.sample(50_000)
    # The mean of any function over the points is its integral against the density; here of cos(3x + 2y).
    line = np.linspace(-1.6, 1.6, 321)
    at = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    expected = (points.density(at) * np.cos(at @ [3, 2])).sum() * (line[1] - line[0]) ** 2
    assert np.cos(sample @ [3, 2]).mean() == pytest.approx(expected, abs=0.012)


def test_the_spiral_is_one_smooth_line() -> None:
    spiral = Mixture2D(shape="spiral")
    modes = spiral.modes()
    gaps = np.linalg.norm(np.diff(modes, axis=0), axis=1)
    assert gaps.max() < 2.1 * spiral.std
    along = np.concatenate([modes[20:80], (modes[20:80] + modes[21:81]) / 2])
    density = spiral.density(along)
    assert density.max() / density.min() < 1.1


def test_the_same_points_every_time() -> None:
    points = Mixture2D(count=1000)
    one, two = open_data(points, (2,)), open_data(points, (2,))
    assert np.array_equal(one.images, two.images)
    assert one.images.dtype == np.float32
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != open_data(Mixture2D(count=1000, std=0.03), (2,)).fingerprint
    assert one.fingerprint != open_data(Mixture2D(count=1000, shape="grid"), (2,)).fingerprint


def test_the_feed_serves_them_as_they_are_each_once_an_epoch() -> None:
    data, held_out = open_data(Mixture2D(count=40), (2,)).split(0.1)
    assert (len(data), len(held_out), count(Mixture2D(count=40, held_out=0.1), (2,))) == (36, 4, 36)
    feed = row_feed(data, AsTheyAre(), batch_size=12, seed=3, device=torch.device("cpu"))
    epoch = torch.cat([feed.batch(images).real for images in (0, 12, 24)])
    assert epoch.dtype == torch.float32
    assert sorted(map(tuple, epoch.tolist())) == sorted(map(tuple, data.take(slice(None)).tolist()))
    assert torch.equal(
        feed.batch(12).real,
        row_feed(data, AsTheyAre(), batch_size=12, seed=3, device=torch.device("cpu")).batch(12).real,
    )
    assert not torch.equal(feed.batch(0).real, feed.batch(0, stream=1).real)
    assert feed.batch(0).labels is None


@pytest.mark.parametrize("fields", [{"count": 0}, {"std": 0.0}, {"std": 2.0}, {"held_out": 0.6}], ids=repr)
def test_bad_fields_are_refused(fields: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"--data\."):
        Mixture2D(**fields)  # type: ignore[arg-type]
