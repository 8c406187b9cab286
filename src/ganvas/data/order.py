"""The rows of the batch at image N: a pure function of seed, stream and N."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError


class Position(NamedTuple):
    """Where a batch starts."""

    images_seen: int
    """Number of real images before the batch."""
    stream: int = 0
    """Number of one of the independent orders of the same rows."""


def expect_batch(count: int, batch_size: int, name: str, kind: str) -> None:
    """Refuse data of which there is less than one batch to train on.

    Raises:
        InputError: there is.
    """
    if batch_size > count:
        raise InputError(
            f"{name} has {count} training {kind}, fewer than one batch of {batch_size}; give more, or --batch-size"
            f" {max(2, count)} or less."
        )


class Order:
    """Every epoch is a new permutation of all rows; a batch may span several epochs.

    Attributes:
        count: number of rows.
        batch_size: rows in a batch, over all processes.
        local_size: rows in this process's share of a batch.
        share: slice of the batch that is this process's.
    """

    def __init__(self, count: int, *, batch_size: int, seed: int, rank: int = 0, world_size: int = 1) -> None:
        """Order `count` rows for process `rank` of `world_size`.

        Raises:
            InputError: the batch cannot be divided evenly among the processes.
        """
        if batch_size % world_size:
            raise InputError(
                f"a batch of {batch_size} cannot be divided evenly among {world_size} processes; change one of them."
            )
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self.local_size = batch_size // world_size
        self.share = slice(rank * self.local_size, (rank + 1) * self.local_size)
        self._permutations: dict[tuple[int, int], NDArray[np.int64]] = {}

    def indices(self, at: Position) -> NDArray[np.int64]:
        """Indices of the rows in the whole batch (batch_size,)."""
        epoch, offset = divmod(at.images_seen, self.count)
        end = offset + self.batch_size
        if end <= self.count:
            return self._permutation(at.stream, epoch)[offset:end]
        epochs = range(epoch, epoch + 1 + (end - 1) // self.count)
        return np.concatenate([self._permutation(at.stream, epoch) for epoch in epochs])[offset:end]

    def random(self, at: Position, purpose: int) -> np.random.Generator:
        """A random generator for anything else about a batch; every purpose has its own number.

        Draw for the whole batch, so that the numbers do not depend on the number of processes.
        """
        return np.random.default_rng((self.seed, at.stream, at.images_seen, purpose))

    def after(self, at: Position) -> Position:
        """The most likely position of the next batch of the same stream."""
        return at._replace(images_seen=at.images_seen + self.batch_size)

    def _permutation(self, stream: int, epoch: int) -> NDArray[np.int64]:
        key = (stream, epoch)
        if key not in self._permutations:
            for old in [k for k in self._permutations if k[0] == stream and k[1] not in (epoch - 1, epoch + 1)]:
                del self._permutations[old]
            self._permutations[key] = np.random.default_rng((self.seed, stream, epoch)).permutation(self.count)
        return self._permutations[key]
