"""Check the evaluation itself: the published low-resolution files byte for byte, and the published bicubic rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganvas.errors import InputError, nearest
from ganvas.evaluation.test_sets import TestSet, find_set, locate, upscale
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
        images: how many it holds; 0 where they cannot be read.
        psnr, ssim: of bicubic, means over the images; NaN where there are none.
        faults: sentences on all that is not as published; empty where all is.
    """

    set: str
    images: int
    psnr: float
    ssim: float
    faults: tuple[str, ...]


def selfcheck(names: Sequence[str] = ()) -> tuple[SelfCheck, ...]:
    """Reproduce the published low-resolution files and bicubic rows.

    Args:
        names: some of PUBLISHED; all by default.

    Raises:
        InputError: a set is not available, or there are no published figures of it.
    """
    for name in names:
        if name not in PUBLISHED:
            near, known = nearest(name, PUBLISHED), ", ".join(PUBLISHED)
            raise InputError(f"there are no published figures of {name!r}{near}; available: {known}.")
    return tuple(_check(name) for name in names or PUBLISHED)


def _check(name: str) -> SelfCheck:
    locate(name)
    try:
        return _compared(name, find_set(name, SCALE))
    except InputError as error:  # the set is there, with files missing or damaged
        return SelfCheck(name, 0, math.nan, math.nan, (str(error),))


def _compared(name: str, pairs: TestSet) -> SelfCheck:
    faults, scores = [], []
    if any(small is None for _, _, small in pairs.items):
        raise InputError(f"{name} lacks its low-resolution files; put them into LRx{SCALE} beside HR.")
    if len(pairs) != COUNTS[name]:
        faults.append(f"{name} has {COUNTS[name]} images, and {len(pairs)} were found.")
    for pair in pairs:
        if pair.differing:
            count = f"{pair.differing:,} of {pair.low.size:,}"
            faults.append(f"{pair.name} of {name}: {count} values differ from the published file.")
        y, of = luma(upscale(pair.low, SCALE)), luma(pair.high)
        scores.append((psnr(y, of), ssim(y, of)))
    found = [sum(column) / len(column) for column in zip(*scores, strict=True)]
    for measure, value, published, within in zip(("PSNR", "SSIM"), found, PUBLISHED[name], WITHIN, strict=True):
        if abs(value - published) > within:
            faults.append(f"{measure} of bicubic on {name} is {value:.4f}; published: {published}.")
    return SelfCheck(name, len(pairs), found[0], found[1], tuple(faults))
