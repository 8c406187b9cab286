"""Which real pictures a recipe learns from: a value, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Square pictures of one size from one source."""

    source: str
    """A name (digits, mnist, fashion-mnist, cifar10, celeba), or the path of a folder, zip, parquet or npz file."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """How a picture becomes square: the centre of it, all of it with black bars, or all of it squeezed."""
