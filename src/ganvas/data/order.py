"""Which rows make up the batch at image N: a pure function of seed, stream and N."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError


class Position(NamedTuple):
    """Where a batch starts."""

    images_seen: int
    """Real images before it."""
    stream: int = 0
    """Which of the independent orders of the same rows it belongs to."""


class Order:
    """Every epoch shows each row once, in an order of its own; a batch may cross epochs, and be larger than one.

    Attributes:
        count: rows there are.
        batch_size: rows in a batch over all processes.
        local_size: rows in this process's share of it.
        share: which part of the batch that is.
    """

    def __init__(self, count: int, *, batch_size: int, seed: int, rank: int = 0, world_size: int = 1) -> None:
        """Prepare the order of `count` rows for the process `rank` of `world_size`.

        Raises:
            InputError: the processes cannot share a batch evenly.
        """
        if batch_size % world_size:
            raise InputError(f"a batch of {batch_size} cannot be shared evenly by {world_size} processes; change one.")
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self.local_size = batch_size // world_size
        self.share = slice(rank * self.local_size, (rank + 1) * self.local_size)
        self._permutations: dict[tuple[int, int], NDArray[np.int64]] = {}

    def indices(self, at: Position) -> NDArray[np.int64]:
        """The numbers of the rows in the whole batch (batch_size,)."""
        epoch, offset = divmod(at.images_seen, self.count)
        end = offset + self.batch_size
        if end <= self.count:
            return self._permutation(at.stream, epoch)[offset:end]
        epochs = range(epoch, epoch + 1 + (end - 1) // self.count)
        return np.concatenate([self._permutation(at.stream, epoch) for epoch in epochs])[offset:end]

    def random(self, at: Position, purpose: int) -> np.random.Generator:
        """A generator for whatever else is random about a batch; every purpose has a number of its own.

        What is drawn for each row is drawn for the whole batch, so that it is the same in any number of processes.
        """
        return np.random.default_rng((self.seed, at.stream, at.images_seen, purpose))

    def after(self, at: Position) -> Position:
        """Where the next batch of the same stream most likely starts."""
        return at._replace(images_seen=at.images_seen + self.batch_size)

    def _permutation(self, stream: int, epoch: int) -> NDArray[np.int64]:
        key = (stream, epoch)
        if key not in self._permutations:
            for old in [k for k in self._permutations if k[0] == stream and k[1] not in (epoch - 1, epoch + 1)]:
                del self._permutations[old]
            self._permutations[key] = np.random.default_rng((self.seed, stream, epoch)).permutation(self.count)
        return self._permutations[key]
