"""The perception-distortion plane: how true pictures are to their originals, and how real they look.

Paper: Blau & Michaeli 2018, The Perception-Distortion Tradeoff, arXiv:1711.06077
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ganvas.reports.table import Column, Mean

if TYPE_CHECKING:
    from ganvas.reports.comparison import Comparison

TRUTH, PERCEPTION = "PSNR-Y", ("ST-LPIPS", "LPIPS")
LABEL = "PSNR on Y (dB), more is truer"
HINT = (
    "Better is down and to the right: down looks more like the original, right is nearer to it pixel by pixel. Beyond"
    " some quality the one is paid for with the other. A path is a run on its way, from thin to its end, the large"
    " mark; a ring is its knee, where looking better no longer paid."
)


def planes(comparison: Comparison) -> list[dict[str, Any]]:
    """What the page's script draws: the paths over training on held-out crops, then the figures of every set."""
    return [plane for name in PERCEPTION for plane in (*_paths(comparison, name), *_sets(comparison, name))]


def _paths(comparison: Comparison, name: str) -> Iterable[dict[str, Any]]:
    series, reference = [], None
    for variant, run in comparison.ordered:
        distortion = dict(run.points(TRUTH))
        points = [
            {"x": distortion[images], "y": value, "message": f"{images:,} images", "knee": images == run.knee}
            for images, value in run.points(name)
            if images in distortion
        ]
        if points:
            series.append({"variant": variant, "name": run.name, "points": points})
            reference = reference or _reference(run.reference, name)
    if series:
        title = f"{name} on held-out crops, over training"
        yield {"title": title, "x": LABEL, "y": name, "reference": reference, "series": series}


def _reference(figures: Mapping[str, float], name: str) -> dict[str, Any] | None:
    if not {TRUTH, name} <= figures.keys():
        return None
    return {"name": "bicubic", "x": figures[TRUTH], "y": figures[name]}


def _sets(comparison: Comparison, name: str) -> Iterable[dict[str, Any]]:
    by_set: dict[str, list[tuple[Column, Column]]] = {}
    on_sets = [column for column in comparison.columns if column.test_set]
    pairs = {_key(column): column for column in on_sets if column.measure == TRUTH}
    for column in on_sets:
        if column.measure == name and _key(column) in pairs:
            by_set.setdefault(column.test_set, []).append((pairs[_key(column)], column))
    for where, places in by_set.items():
        series = []
        for index, group in enumerate(comparison.variants):
            points = [
                _point(x.means[group.label], y.means[group.label], x.at)
                for x, y in places
                if x.at != "best" and group.label in x.means and group.label in y.means
            ]
            if points:
                series.append({"variant": index, "name": group.label, "points": points})
        if series:
            yield {
                "title": f"{name} on {where}",
                "x": LABEL,
                "y": name,
                "reference": _of_set(comparison, *places[-1]),
                "series": series,
            }


def _key(column: Column) -> tuple[str, str, str]:
    """Figures that agree in it were taken of the same images of the same state."""
    return column.test_set, column.at, json.dumps([column.protocol.get(key) for key in ("data", "crop")])


def _point(x: Mean, y: Mean, at: str) -> dict[str, Any]:
    n = f", {x.n} seeds" if x.n > 1 else ""
    return {
        "x": x.value,
        "y": y.value,
        "xl": x.low,
        "xh": x.high,
        "yl": y.low,
        "yh": y.high,
        "message": ("at the end" if at == "last" else at) + n,
        "knee": False,
    }


def _of_set(comparison: Comparison, x: Column, y: Column) -> dict[str, Any] | None:
    across, down = (dict(comparison.taken_alike(column)) for column in (x, y))
    name = next((name for name in across if name in down), None)
    return {"name": name, "x": across[name].value, "y": down[name].value} if name else None
