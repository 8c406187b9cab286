"""One file is one measure; `measures` finds all, wherever they are defined. Imports no torch until one computes."""

from __future__ import annotations

from collections.abc import Sequence

from ganvas.errors import InputError, nearest
from ganvas.metrics.measure import Measure, Need, PairMeasure, Quantity, RepairMeasure
from ganvas.registry import concrete, load


def measures(needs: Sequence[Need] | None = None) -> list[Measure]:
    """All measures, as their `order` has it; only those that need nothing but `needs`, if given."""
    load(__name__)
    found = [kind() for kind in concrete(Measure)]  # type: ignore[type-abstract]
    return sorted((one for one in found if needs is None or one.needs <= set(needs)), key=_order)


def pair_measures() -> list[PairMeasure]:
    """All measures of results against originals, as their `order` has it."""
    load(__name__)
    return sorted((kind() for kind in concrete(PairMeasure)), key=_order)  # type: ignore[type-abstract]


def repair_measures() -> list[RepairMeasure]:
    """All measures of repaired pictures whose damage is known, as their `order` has it."""
    load(__name__)
    return sorted((kind() for kind in concrete(RepairMeasure)), key=_order)  # type: ignore[type-abstract]


def quantity(name: str) -> Quantity | None:
    """What a measure says of a number of that name, for figures that do not say it themselves; None where none does."""
    return next((one for measure in measures() for one in measure.gives if one.name == name), None)


def _order(measure: Measure) -> int:
    return measure.order


def measure_named(name: str, among: Sequence[Measure]) -> Measure:
    """The measure of that name, or that had it in older versions.

    Raises:
        InputError: there is none.
    """
    found = next((one for one in among if name in (one.name, one.formerly)), None)
    if not found or not name:
        known = [one.name for one in among]
        raise InputError(f"there is no measure {name!r}{nearest(name, known)}; available: {', '.join(known)}.")
    return found
