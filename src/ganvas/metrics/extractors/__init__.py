"""Networks whose features the measures compare, each under its own name and known by the hash of its weights."""

from __future__ import annotations

from ganvas.errors import InputError
from ganvas.metrics.extractors.extractor import Extracted, Extractor

__all__ = ["NAMES", "Extracted", "Extractor", "expect_known", "open_extractor"]

NAMES = ("efficientnet-lite0", "digits", "inception")


def open_extractor(name: str, side: int = 0) -> Extractor:
    """Load an extractor.

    Args:
        name: one of NAMES.
        side: pixels to which pictures are resized for it; 0 is what it was trained at.

    Raises:
        InputError: there is none of that name, its weights are not at hand or not the right ones, or it has one side.
    """
    expect_known(name)
    if name == "efficientnet-lite0":
        from ganvas.metrics.extractors.efficientnet_lite0 import EfficientNetLite0

        return EfficientNetLite0(side)
    if side:
        raise InputError(f"--resize {side} does not go with {name}, which has one size; leave it out.")
    if name == "digits":
        from ganvas.metrics.extractors.digits import Digits

        return Digits()
    from ganvas.metrics.extractors.inception import Inception

    return Inception()


def expect_known(name: str) -> None:
    """Refuse a name that is none of NAMES.

    Raises:
        InputError: it is none.
    """
    if name not in NAMES:
        from ganvas.errors import nearest

        raise InputError(f"there is no extractor {name!r}{nearest(name, NAMES)}; give {', '.join(NAMES)}.")
