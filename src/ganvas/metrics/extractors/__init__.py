"""Networks whose features the measures compare: one file each, named as its extractor. Imports no torch itself."""

from __future__ import annotations

import importlib
import pkgutil

from ganvas.errors import InputError, nearest
from ganvas.metrics.extractors.extractor import Extracted, Extractor
from ganvas.registry import concrete

__all__ = ["Extracted", "Extractor", "expect_known", "known_extractors", "open_extractor"]

HELPERS = ("extractor", "stages")


def known_extractors() -> tuple[str, ...]:
    """The names of those in this folder, then of all others that have been defined so far."""
    files = (module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__) if module.name not in HELPERS)
    return tuple(dict.fromkeys([*files, *(kind.name for kind in _kinds())]))


def open_extractor(name: str, side: int = 0) -> Extractor:
    """Load an extractor.

    Args:
        name: one of `known_extractors`.
        side: pixels to which images are resized for it; 0 is what it was trained at.

    Raises:
        InputError: there is none of that name, its weights are not available or the wrong ones, or it has one side.
    """
    expect_known(name)
    kinds = {kind.name: kind for kind in _kinds()}
    if name not in kinds:
        importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
        kinds = {kind.name: kind for kind in _kinds()}
    return kinds[name].open(side)


def _kinds() -> list[type[Extractor]]:
    return concrete(Extractor)  # type: ignore[type-abstract]


def expect_known(name: str) -> None:
    """Refuse a name that no extractor has.

    Raises:
        InputError: none has it.
    """
    known = known_extractors()
    if name not in known:
        raise InputError(f"there is no extractor {name!r}{nearest(name, known)}; available: {', '.join(known)}.")
