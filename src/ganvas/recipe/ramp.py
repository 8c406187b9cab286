"""Ramps: numbers of a recipe that change during training."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Literal, cast

from ganvas.errors import InputError


@dataclass(frozen=True)
class Ramp:
    """A number that moves from `start` to `end` over the first `over` real images, then stays.

    Its text form is ``2e-4..5e-5@20000``; append ``:cosine`` for a half-cosine, or ``:step`` for a jump at the end.
    """

    start: float
    end: float
    over: int
    shape: Literal["linear", "cosine", "step"] = "linear"

    def __post_init__(self) -> None:
        if self.over <= 0:
            raise InputError(f"the ramp {self} needs a length of at least 1 image after the @.")

    def at(self, images: int) -> float:
        """The value once `images` real images have been seen."""
        share = min(1.0, images / self.over)
        if self.shape == "cosine":
            share = (1 - math.cos(math.pi * share)) / 2
        elif self.shape == "step":
            share = math.floor(share)
        return self.start + (self.end - self.start) * share

    def __str__(self) -> str:
        return f"{self.start!r}..{self.end!r}@{self.over}" + ("" if self.shape == "linear" else f":{self.shape}")

    @staticmethod
    def parse(text: str) -> float | Ramp:
        """Read a plain number or a ramp's text form.

        Raises:
            InputError: the text is neither.
        """
        number = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
        ramp = re.fullmatch(rf"({number})\.\.({number})@(\d+)(?::(linear|cosine|step))?", text)
        if ramp:
            shape = cast(Literal["linear", "cosine", "step"], ramp[4] or "linear")
            return Ramp(float(ramp[1]), float(ramp[2]), int(ramp[3]), shape)
        try:
            return float(text)
        except ValueError:
            raise InputError(
                f"{text!r} is neither a number (2e-4) nor a ramp (2e-4..5e-5@20000, which is START..END@IMAGES)."
            ) from None


def at(value: float | Ramp, images: int) -> float:
    """The value of a number or a ramp once `images` real images have been seen."""
    return value.at(images) if isinstance(value, Ramp) else value


def ends(value: float | Ramp) -> tuple[float, ...]:
    """The start and end of a ramp, or the number itself."""
    return (value.start, value.end) if isinstance(value, Ramp) else (value,)


def times(value: float | Ramp, factor: float) -> float | Ramp:
    """A number or a ramp, multiplied by a factor."""
    if isinstance(value, Ramp):
        return replace(value, start=value.start * factor, end=value.end * factor)
    return value * factor
