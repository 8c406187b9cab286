"""Check the evaluation itself: the published low-resolution files byte for byte, and the published bicubic rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganvas.errors import InputError, nearest
from ganvas.evaluation.test_sets import TestSet, enlarge, find_set, locate
from ganvas.metrics.distortion import luma, psnr, ssim

PUBLISHED = {"Set5": (28.42, 0.8104), "Set14": (26.00, 0.7027), "BSD100": (25.96, 0.6675)}
"""PSNR in dB and SSIM of bicubic x4, on Y with a crop of 4 px (Kim et al. 2016, arXiv:1511.04587, and since)."""
COUNTS = {"Set5": 5, "Set14": 14, "BSD100": 100}
WITHIN = (0.01, 0.001)
SCALE = 4


@dataclass(frozen=True)
class SelfCheck:
    """What came out on one set.

    Attributes:
        set: its name.
        pictures: in it; 0 where they cannot be read.
        psnr, ssim: of bicubic, means over the pictures; NaN where there are none.
        faults: sentences on all that is not as published; empty where all is.
    """

    set: str
    pictures: int
    psnr: float
    ssim: float
    faults: tuple[str, ...]


def selfcheck(names: Sequence[str] = ()) -> tuple[SelfCheck, ...]:
    """Make the published low-resolution files and bicubic rows again.

    Args:
        names: some of PUBLISHED; all by default.

    Raises:
        InputError: a set is not at hand, or nothing is published of it here.
    """
    for name in names:
        if name not in PUBLISHED:
            raise InputError(
                f"nothing is published of {name!r}{nearest(name, PUBLISHED)}; give some of {', '.join(PUBLISHED)}."
            )
    return tuple(_check(name) for name in names or PUBLISHED)


def _check(name: str) -> SelfCheck:
    locate(name)
    try:
        return _held(name, find_set(name, SCALE))
    except InputError as error:  # the set is here, but with files missing or damaged
        return SelfCheck(name, 0, math.nan, math.nan, (str(error),))


def _held(name: str, pairs: TestSet) -> SelfCheck:
    faults, scores = [], []
    if any(small is None for _, _, small in pairs.items):
        raise InputError(f"{name} is here without its low-resolution files; put them into LRx{SCALE} beside HR.")
    if len(pairs) != COUNTS[name]:
        faults.append(f"{name} has {COUNTS[name]} pictures, and {len(pairs)} are here.")
    for pair in pairs:
        if pair.differing:
            count = f"{pair.differing:,} of {pair.low.size:,}"
            faults.append(f"{pair.name} of {name}: {count} values are not those of the published file.")
        y, of = luma(enlarge(pair.low, SCALE)), luma(pair.high)
        scores.append((psnr(y, of), ssim(y, of)))
    found = [sum(column) / len(column) for column in zip(*scores, strict=True)]
    for measure, value, published, within in zip(("PSNR", "SSIM"), found, PUBLISHED[name], WITHIN, strict=True):
        if abs(value - published) > within:
            faults.append(f"{measure} of bicubic on {name} is {value:.4f}, and {published} is published.")
    return SelfCheck(name, len(pairs), found[0], found[1], tuple(faults))
