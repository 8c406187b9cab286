"""PSNR: how far a result is from its original in the mean, pixel by pixel."""

from __future__ import annotations

from typing import Any

from ganvas.metrics.distortion import EXACT, ON_RGB, ON_Y, Pixels, luma, psnr
from ganvas.metrics.measure import PairMeasure, Quantity


class PSNRY(PairMeasure):
    """On the brightness alone."""

    name, order = "psnr-y", 10
    gives = (Quantity("PSNR-Y", higher_is_better=True, unit="dB", most=EXACT),)

    def score(self, result: Pixels, original: Pixels, crop: int) -> float:
        """In dB, at most EXACT."""
        return min(EXACT, psnr(luma(result), luma(original), crop=crop))

    def about(self) -> dict[str, Any]:
        """What Y is."""
        return {"on": ON_Y}


class PSNRRGB(PairMeasure):
    """On all channels together."""

    name, order = "psnr-rgb", 30
    gives = (Quantity("PSNR-RGB", higher_is_better=True, unit="dB", most=EXACT),)

    def score(self, result: Pixels, original: Pixels, crop: int) -> float:
        """In dB, at most EXACT."""
        return min(EXACT, psnr(result, original, crop=crop))

    def about(self) -> dict[str, Any]:
        """On what."""
        return {"on": ON_RGB}
