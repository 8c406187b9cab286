"""Which photographs super-resolution learns from: a value."""

from __future__ import annotations

from dataclasses import dataclass, field

from ganvas.degradation import Bicubic, Degradation
from ganvas.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Crops:
    """Random crops of photographs, each in one of its eight turns and mirrorings, with their low-resolution versions.

    One crop of every photograph is an epoch.
    """

    source: str
    """A name (div2k), or the path of a folder, zip, parquet or npz file of photographs of any size."""
    low: Degradation = field(default_factory=Bicubic)
    """How the low-resolution version is made."""
    turn: bool = True
    """Turn and mirror the crops."""
    held_out: float = 0.05
    """Share of the photographs that is never trained on: every k-th, k = 1 / share. 0 trains on all."""

    def __post_init__(self) -> None:
        if not 0 <= self.held_out <= 0.5:
            raise InputError(f"--data.held-out {self.held_out} must lie in 0..0.5; usual is 0.05, 0 keeps none back.")
