"""A batch: named tensors, and where in the run it starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Batch:
    """Named tensors with one row a sample, fetched when first asked for: an update that needs none costs nothing.

    A game has `real` (B, *shape); beside it stand `label` (B,), int64, where the data have classes, and `input`, what a
    translation starts from.

    Attributes:
        device: where the tensors lie.
        images_seen: the count of real images at which the batch starts.
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
        """The tensor of that name, or None where the data have none."""
        return self._tensors.get(name)

    @property
    def real(self) -> Tensor:
        """Real samples (B, *shape), float32; images in [-1, 1], in channels-last memory order."""
        return self._tensors["real"]

    @property
    def labels(self) -> Tensor | None:
        """Class numbers (B,), int64, or None where the data have no classes."""
        return self._tensors.get("label")

    @cached_property
    def _tensors(self) -> Mapping[str, Tensor]:
        return self._fetch()
