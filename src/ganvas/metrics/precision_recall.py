"""Whether fakes lie where reals lie, and whether they lie everywhere there: precision, recall, density, coverage."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.errors import InputError
from ganvas.metrics.intervals import Estimate, mean

PRECISION_RECALL_K, DENSITY_COVERAGE_K = 3, 5


def precision_recall(
    fake: NDArray[np.floating], real: NDArray[np.floating], k: int = PRECISION_RECALL_K, seed: int = 0
) -> dict[str, Estimate]:
    """Improved precision and recall (Kynkaanniemi et al. 2019, arXiv:1904.06991, equations 1 and 2).

    A set's manifold is the union of balls about its pictures, each reaching the picture's k-th nearest neighbour in the
    set. Precision is the share of fakes in the manifold of the reals, recall that of reals in that of the fakes.

    Args:
        fake, real: features (N, F) and (M, F), more than k of each. The shares depend on N and M.
        seed: of the intervals, which resample the pictures counted and keep the manifold.

    Raises:
        InputError: there are not more than k pictures.
    """
    ours, theirs = _tensors(fake, real, k)
    between = torch.cdist(ours, theirs)
    return {
        "precision": _share((between <= _radii(theirs, k)).any(1), seed),
        "recall": _share((between <= _radii(ours, k)[:, None]).any(0), seed),
    }


def density_coverage(
    fake: NDArray[np.floating], real: NDArray[np.floating], k: int = DENSITY_COVERAGE_K, seed: int = 0
) -> dict[str, Estimate]:
    """Density and coverage (Naeem et al. 2020, arXiv:2002.09797, equations 3 and 4).

    Density is the mean number of real balls that a fake lies in, over k: 1 where the sets are alike, more where fakes
    crowd among the reals. Coverage is the share of real balls with a fake in them; an outlier among the fakes cannot
    raise it, as it can the recall. For two samples of one distribution it is 1 - 2^-k in the mean, 0.97 for k = 5.

    Args:
        fake, real: features (N, F) and (M, F), more than k of each.
        seed: of the intervals, which resample the pictures counted and keep the balls.

    Raises:
        InputError: there are not more than k pictures.
    """
    ours, theirs = _tensors(fake, real, k)
    inside = torch.cdist(ours, theirs) <= _radii(theirs, k)
    return {"density": mean((inside.double().sum(1) / k).numpy(), seed), "coverage": _share(inside.any(0), seed)}


def _tensors(fake: NDArray[np.floating], real: NDArray[np.floating], k: int) -> tuple[Tensor, Tensor]:
    if min(len(fake), len(real)) <= k:
        raise InputError(
            f"{len(fake)} fakes and {len(real)} reals have no {k} neighbours each; give more than {k} of both."
        )
    return torch.from_numpy(np.asarray(fake, np.float64)), torch.from_numpy(np.asarray(real, np.float64))


def _radii(rows: Tensor, k: int) -> Tensor:
    """The distance of each row to its k-th nearest neighbour, itself not counted."""
    # The smallest of the k + 1 is the row's distance to itself.
    return torch.cdist(rows, rows).kthvalue(k + 1, dim=1).values


def _share(hits: Tensor, seed: int) -> Estimate:
    return mean(hits.double().numpy(), seed)
