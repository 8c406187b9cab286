"""Which real pictures a recipe learns from: a value, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ganvas.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Square pictures of one size from one source."""

    source: str
    """A name (digits, mnist, fashion-mnist, stacked-mnist, cifar10, celeba), or the path of a folder, zip, parquet or
    npz file."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """How a picture becomes square: the centre of it, all of it with black bars, or all of it squeezed."""
    held_out: float = 0.05
    """Share of the pictures that is never trained on, so that the diagnosis and the measures have something to compare
    with: every k-th picture in the source's order, k = 1 / share. 0 trains on all."""

    def __post_init__(self) -> None:
        if not 0 <= self.held_out <= 0.5:
            raise InputError(f"--data.held-out {self.held_out} must lie in 0..0.5; usual is 0.05, 0 keeps none back.")
