"""Rows of kinds as the discriminator and the diagnosis see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.order import Order, Position
from ganvas.data.transforms import Transform
from ganvas.recipe.text import PAD

PAIRS = 1_024  # buckets of pairs of neighbours
FACTOR = 31


@dataclass(frozen=True)
class OneHot(Transform):
    """Kinds, each as a vector of zeros with a one."""

    words: int

    def __call__(self, rows: Tensor, order: Order, at: Position) -> dict[str, Tensor]:
        """int32 (B, places) -> real: float32 (B, places, words)."""
        return {"real": _spread(rows, self.words)}


def one_hot(rows: NDArray[Any], words: int) -> Tensor:
    """int32 (N, places) -> float32 (N, places, words)."""
    return _spread(torch.from_numpy(rows), words)


def embedded(samples: Tensor) -> Tensor:
    """One-hot sentences (N, places, words) -> how often each word stands in them, and each of 1,024 hashed pairs.

    Words alone would not see order: the same ones shuffled would be as near.
    """
    kinds = samples.argmax(2)
    counts = samples.float().sum(1)
    pairs = (kinds[:, :-1] * FACTOR + kinds[:, 1:]) % PAIRS
    ordered = torch.zeros(len(samples), PAIRS, device=samples.device)
    ordered.scatter_add_(1, pairs, (kinds[:, 1:] != PAD).float())
    counts[:, PAD] = 0
    return torch.cat([counts, ordered], 1)


def _spread(rows: Tensor, words: int) -> Tensor:
    made = torch.zeros(*rows.shape, words, device=rows.device)
    return made.scatter_(-1, rows.long()[..., None], 1.0)
