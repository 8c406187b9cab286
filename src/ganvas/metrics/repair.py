"""What repair does to what was lost, to what was left, and to pictures without damage; and which damage it finds."""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from ganvas.imaging.damage_map import is_lost
from ganvas.metrics.distortion import EXACT, PEAK
from ganvas.metrics.intervals import Array
from ganvas.metrics.measure import Quantity, RepairCase, RepairMeasure


def _psnr(error: float, count: float) -> float:
    if not count:
        return math.nan
    return min(EXACT, 10 * math.log10(PEAK**2 * count / error)) if error else EXACT


class _SomePixels(RepairMeasure):
    """PSNR of the pixels of one kind, on RGB."""

    @abstractmethod
    def pixels(self, case: RepairCase) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """A result (H, W, 3), and which of its pixels count (H, W)."""

    def sums(self, case: RepairCase) -> Array:
        """Squared error, and the number of values."""
        result, chosen = self.pixels(case)
        error = np.square(result.astype(np.float64) - case.original)[chosen]
        return np.array([error.sum(), error.size])

    def of(self, sums: Array) -> tuple[float, ...]:
        """In dB."""
        return (_psnr(*sums),)


def _decibels(name: str) -> tuple[Quantity, ...]:
    return (Quantity(name, higher_is_better=True, unit="dB", most=EXACT),)


class HolePSNR(_SomePixels):
    """Of what was lost, filled where the model found it."""

    name, order = "hole-psnr", 70
    gives = _decibels("hole PSNR")

    def pixels(self, case: RepairCase) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The result, under holes and scratches."""
        return case.result, case.lost


class GivenHolePSNR(_SomePixels):
    """Of what was lost, where the model was told."""

    name, order = "given-hole-psnr", 71
    gives = _decibels("hole PSNR, masks given")

    def pixels(self, case: RepairCase) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The result with true masks, under holes and scratches."""
        return case.given, case.lost


class ValidPSNR(_SomePixels):
    """Of what was left."""

    name, order = "valid-psnr", 72
    gives = _decibels("valid PSNR")

    def pixels(self, case: RepairCase) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The result, outside holes and scratches."""
        return case.result, ~case.lost


class CleanPSNR(_SomePixels):
    """Of what was never damaged: whether repair does harm."""

    name, order = "clean-psnr", 73
    gives = _decibels("clean PSNR")

    def pixels(self, case: RepairCase) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """What was made of the original, everywhere."""
        return case.clean, np.ones(case.clean.shape[:2], bool)


class CleanFound(RepairMeasure):
    """Share of the pixels of undamaged pictures that are called lost."""

    name, order = "clean-found", 74
    gives = (Quantity("clean called damaged", higher_is_better=False, least=0, most=1),)

    def sums(self, case: RepairCase) -> Array:
        """Pixels called lost, and all."""
        found = is_lost(case.clean_found)
        return np.array([found.sum(), found.size], np.float64)

    def of(self, sums: Array) -> tuple[float, ...]:
        """In 0..1."""
        return (sums[0] / sums[1],)


class DamageFound(RepairMeasure):
    """How well holes and scratches are found, pixel by pixel."""

    name, order = "damage-found", 75
    gives = tuple(
        Quantity(name, higher_is_better=True, least=0, most=1)
        for name in ("damage precision", "damage recall", "damage F1")
    )

    def sums(self, case: RepairCase) -> Array:
        """Pixels found and there, found, and there."""
        found, there = is_lost(case.found), case.lost
        return np.array([(found & there).sum(), found.sum(), there.sum()], np.float64)

    def of(self, sums: Array) -> tuple[float, ...]:
        """Of the overlap: over what was found, over what is there, and twice over both."""
        both, found, there = sums
        return tuple(a / b if b else math.nan for a, b in ((both, found), (both, there), (2 * both, found + there)))
