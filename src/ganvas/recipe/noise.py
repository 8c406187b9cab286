"""Seeded noise: the same seed gives the same images on every machine, however many are generated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def noise(count: int, latent: int, seed: int) -> NDArray[np.float32]:
    """z ~ N(0, I) of shape (count, latent); the first rows do not depend on `count`."""
    # NumPy fills row by row from one stream; torch's vectorized fill depends on the total length.
    return np.random.default_rng(seed).standard_normal((count, latent)).astype(np.float32)


def slerp(start: NDArray[np.float32], end: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Spherical interpolation: the point at `share` of the way between two vectors (White 2016, arXiv:1609.04468).

    A straight line would pass through norms that N(0, I) almost never has.
    """
    angle = np.arccos(np.clip(np.dot(start / np.linalg.norm(start), end / np.linalg.norm(end)), -1, 1))
    if np.sin(angle) < 1e-6:
        return (1 - share) * start + share * end
    point = (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)
    return np.asarray(point, np.float32)
