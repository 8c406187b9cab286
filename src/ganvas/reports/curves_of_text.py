"""Quality against diversity over the temperature, of texts and of their likelihood models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ganvas.metrics.likelihood_curve import ENDS, LIKELIHOOD, PLANES
from ganvas.reports.table import Column

if TYPE_CHECKING:
    from ganvas.reports.comparison import Comparison


def curves(comparison: Comparison) -> list[dict[str, Any]]:
    """The data that the page's script draws, as of `ganvas.reports.tradeoff`: a path for each variant and curve."""
    return [plane for across, up in PLANES for plane in _planes(comparison, across, up)]


def _planes(comparison: Comparison, across: str, up: str) -> Iterable[dict[str, Any]]:
    x, y = (_by_place(comparison.points, measure) for measure in (across, up))
    series: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for place in x.keys() & y.keys():
        curve, temperature, _ = place
        for index, variant in enumerate(comparison.variants):
            if variant.label in x[place].means and variant.label in y[place].means:
                one, other = x[place].means[variant.label], y[place].means[variant.label]
                ends = {"xl": one.low, "xh": one.high, "yl": other.low, "yh": other.high}
                message, is_end = f"{curve}, T {temperature:g}", temperature == 1
                point = {"x": one.value, "y": other.value, **ends, "message": message, "knee": False, "end": is_end}
                series.setdefault((index, curve), []).append({**point, "temperature": temperature})
    if not series:
        return
    reals = next((x[place].real, y[place].real) for place in x.keys() & y.keys())
    yield {
        "title": f"{up} against {across}",
        "x": f"{across}, {ENDS[across]}",
        "y": f"{up}, {ENDS[up]}",
        "names": [across, up],
        "whole": True,
        "reference": {"name": "real text", "x": reals[0], "y": reals[1]} if None not in reals else None,
        "series": [
            {
                "variant": index,
                "name": comparison.variants[index].label,
                "dashed": curve == LIKELIHOOD,
                "points": sorted(points, key=lambda point: float(point["temperature"])),
            }
            for (index, curve), points in sorted(series.items())
        ],
    }


def _by_place(points: Iterable[Column], measure: str) -> dict[tuple[str, float, str], Column]:
    """The columns of a measure by curve, temperature and state."""
    return {
        (str(column.protocol["curve"]), float(column.protocol.get("temperature", 1)), column.at): column
        for column in points
        if column.measure == measure and column.at == "last"
    }
