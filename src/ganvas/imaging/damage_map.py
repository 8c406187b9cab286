"""Damage maps: uint8 (H, W, 3), how probable holes, scratches with dust, and stains are, 255 standing for 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FOUND = 128  # from here on a pixel is called damaged


def is_lost(damage: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W, 3) -> (H, W): where nothing is left of a photograph, under holes and scratches."""
    return np.asarray((damage[..., 0] >= FOUND) | (damage[..., 1] >= FOUND))


def is_stained(damage: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W, 3) -> (H, W): where there are stains."""
    return np.asarray(damage[..., 2] >= FOUND)
