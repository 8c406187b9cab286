"""The base of all degradations, what their fields may be, and plain shrinking by one rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from ganvas.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MARGIN = 2  # low-resolution pixels around a crop that bicubic downscaling reads


class Degradation(ABC):
    """One degradation. Subclasses are frozen dataclasses."""

    usual_scale: ClassVar[int] = 4
    """The `scale` at which it is shown where nothing says another."""
    names: ClassVar[tuple[str, ...]] = ()
    """What it returns beside `input`, where reconstruction losses need it."""

    def always(self) -> Self:
        """The same, but that no image is left as it is: on those a model could only lose, and without end."""
        return self

    @abstractmethod
    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """Make the generator's input.

        Args:
            target: uint8 (B, C, H, W), whose sides are multiples of `scale`.
            scale: the downscaling factor of each side.
            random: the only source of randomness.

        Returns:
            `input`, uint8 (B, C, H / scale, W / scale), and any further named tensors for the batch, such as a mask,
            each with one row per sample; `real` among them stands for the target.
        """


@dataclass(frozen=True, kw_only=True)
class Bicubic(Degradation):
    """MATLAB's antialiased bicubic, bit for bit: the degradation of the published benchmarks."""

    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """Returns `input` only."""
        from ganvas.imaging.tensors import bicubic

        return {"input": bicubic(target, 1 / scale)}


@dataclass(frozen=True, kw_only=True)
class Bilinear(Degradation):
    """Antialiased bilinear, as in Pillow."""

    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """Returns `input` only."""
        from ganvas.imaging.tensors import bilinear, eight_bit

        return {"input": eight_bit(bilinear(target.float(), scale))}


@dataclass(frozen=True, kw_only=True)
class Area(Degradation):
    """The mean of each scale x scale block, as OpenCV's INTER_AREA."""

    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """Returns `input` only."""
        from ganvas.imaging.tensors import area, eight_bit

        return {"input": eight_bit(area(target.float(), scale))}


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
