"""SSIM: how alike the structure of a result and of its original is."""

from __future__ import annotations

from typing import Any

from ganvas.metrics.distortion import ON_RGB, ON_Y, Pixels, luma, ssim
from ganvas.metrics.measure import PairMeasure, Quantity

WINDOW = "Gaussian 11 x 11, sigma 1.5, inside"


class SSIMY(PairMeasure):
    """On the brightness alone."""

    name, order = "ssim-y", 20
    gives = (Quantity("SSIM-Y", higher_is_better=True, least=-1, most=1),)

    def score(self, result: Pixels, original: Pixels, crop: int) -> float:
        """At most 1."""
        return ssim(luma(result), luma(original), crop=crop)

    def about(self) -> dict[str, Any]:
        """What Y is, and the window."""
        return {"on": ON_Y, "window": WINDOW}


class SSIMRGB(PairMeasure):
    """The mean of the channels."""

    name, order = "ssim-rgb", 40
    gives = (Quantity("SSIM-RGB", higher_is_better=True, least=-1, most=1),)

    def score(self, result: Pixels, original: Pixels, crop: int) -> float:
        """At most 1."""
        return ssim(result, original, crop=crop)

    def about(self) -> dict[str, Any]:
        """On what, and the window."""
        return {"on": ON_RGB, "window": WINDOW}
