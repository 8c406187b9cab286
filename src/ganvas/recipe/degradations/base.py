"""Degradations: how an image is turned into the low-quality input that restoration learns to undo.

Train with the degradation that produced the images to be restored: a network trained on one kernel and used on another
loses more than a decibel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ganvas.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MARGIN = 2  # low-resolution pixels around a crop that bicubic downscaling reads


class Degradation(ABC):
    """One degradation. Subclasses are frozen dataclasses."""

    usual_scale: ClassVar[int] = 4
    """The `scale` at which it is shown where nothing says another."""

    @abstractmethod
    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """Make the generator's input.

        Args:
            target: uint8 (B, C, H, W), whose sides are multiples of `scale`.
            scale: the downscaling factor of each side.
            random: the only source of randomness.

        Returns:
            `input`, uint8 (B, C, H / scale, W / scale), and any further named tensors for the batch, such as a mask,
            each with one row per sample.
        """


def expect_share(name: str, value: float) -> None:
    """Raises InputError: a field is no share."""
    if not 0 <= value <= 1:
        raise InputError(f"--data.degradation has {name} {value:g}; give a share from 0 (none) to 1 (all).")


def expect_range(name: str, value: tuple[float, float], low: float, high: float) -> None:
    """Raises InputError: a field is not (lowest, highest) within the limits."""
    if not low <= value[0] <= value[1] <= high:
        raise InputError(
            f"--data.degradation has {name} {value[0]:g} to {value[1]:g}; give two numbers from {low:g} to {high:g},"
            " the smaller one first."
        )


def expect_between(name: str, value: float, low: float, high: float) -> None:
    """Raises InputError: a field is outside its limits."""
    if not low <= value <= high:
        raise InputError(f"--data.degradation has {name} {value:g}; give a number from {low:g} to {high:g}.")
