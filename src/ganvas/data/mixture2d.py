"""Points drawn from a 2-D mixture of Gaussians."""

from __future__ import annotations

import hashlib

from ganvas.data.base import Dataset, known_count, open_data
from ganvas.recipe.sources import Mixture2D


@open_data.register
def _(source: Mixture2D, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Dataset:
    points = source.sample(source.count)
    digest = hashlib.blake2b(points.tobytes(), digest_size=20).hexdigest()
    return Dataset(points, fingerprint=digest, name=source.shape, kind="points")


@known_count.register
def _(source: Mixture2D) -> int:
    return source.count
