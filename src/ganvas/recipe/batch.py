"""A batch: named tensors and its position in the run."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Batch:
    """Named tensors with one row per sample, fetched on first access: an update that reads none costs nothing.

    Every batch has `real` (B, *shape). Data with classes add `label` (B,), int64; translation adds `input`, the
    generator's input.

    Attributes:
        device: the tensors' device.
        images_seen: real images seen before the batch.
    """

    def __init__(
        self, size: int, device: torch.device, images_seen: int, fetch: Callable[[], Mapping[str, Tensor]]
    ) -> None:
        self._size, self.device, self.images_seen, self._fetch = size, device, images_seen, fetch

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[name]

    def get(self, name: str) -> Tensor | None:
        """The tensor of that name, or None if the data have none."""
        return self._tensors.get(name)

    @property
    def real(self) -> Tensor:
        """Real samples (B, *shape), float32; images in [-1, 1], in channels-last memory order."""
        return self._tensors["real"]

    @property
    def labels(self) -> Tensor | None:
        """Class indices (B,), int64, or None if the data have no classes."""
        return self._tensors.get("label")

    @property
    def names(self) -> frozenset[str]:
        """The names of its tensors."""
        return frozenset(self._tensors)

    def beside(self, made: Mapping[str, Tensor]) -> Batch:
        """The same batch with further tensors, such as those that a generator made of it."""
        # A chain looks up what is asked for alone: a generator may make the rest on demand.
        return Batch(self._size, self.device, self.images_seen, lambda: ChainMap(made, self._tensors))  # type: ignore[arg-type]

    @cached_property
    def _tensors(self) -> Mapping[str, Tensor]:
        return self._fetch()
