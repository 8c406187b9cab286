"""Distances between features, and to each one's nearest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError
from ganvas.metrics.intervals import Array


def between(fake: NDArray[np.floating], real: NDArray[np.floating], k: int) -> Array:
    """The distance (N, M) of each fake to each real, of features (N, F) and (M, F).

    Raises:
        InputError: there are not more than k of each.
    """
    if min(len(fake), len(real)) <= k:
        raise InputError(
            f"{len(fake)} fakes and {len(real)} reals have no {k} neighbours each; give more than {k} of both."
        )
    return _distances(fake, real)


def radii(rows: NDArray[np.floating], k: int) -> Array:
    """The distance of each row to its k-th nearest neighbour, itself not counted."""
    # The smallest of the k + 1 is the row's distance to itself.
    return np.partition(_distances(rows, rows), k, axis=1)[:, k]


def _distances(a: NDArray[np.floating], b: NDArray[np.floating]) -> Array:
    import torch  # many times faster at it than scipy

    one, other = (torch.from_numpy(np.asarray(rows, np.float64)) for rows in (a, b))
    found: Array = torch.cdist(one, other).numpy()
    return found
