"""The perception-distortion plane (Blau & Michaeli 2018, The Perception-Distortion Tradeoff, arXiv:1711.06077)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ganvas.reports.table import Column, Mean

if TYPE_CHECKING:
    from ganvas.reports.comparison import Comparison

DISTORTION, PERCEPTION = "PSNR-Y", ("ST-LPIPS", "LPIPS")  # names of figures, in logs too
LABEL = "PSNR on Y (dB), higher is closer to the original"


def planes(comparison: Comparison) -> list[dict[str, Any]]:
    """The data that the page's script draws: paths over training on held-out crops, then the figures of test sets."""
    return [plane for name in PERCEPTION for plane in (*_paths(comparison, name), *_sets(comparison, name))]


def _paths(comparison: Comparison, name: str) -> Iterable[dict[str, Any]]:
    series, reference = [], None
    for variant, run in comparison.ordered:
        distortion = dict(run.points(DISTORTION))
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
        yield {"title": title, **_labels(name), "reference": reference, "series": series}


def _labels(name: str) -> dict[str, Any]:
    return {"x": LABEL, "y": f"{name}, lower is perceptually closer", "names": [f"{DISTORTION} (dB)", name]}


def _reference(figures: Mapping[str, float], name: str) -> dict[str, Any] | None:
    if not {DISTORTION, name} <= figures.keys():
        return None
    return {"name": "bicubic", "x": figures[DISTORTION], "y": figures[name]}


def _sets(comparison: Comparison, name: str) -> Iterable[dict[str, Any]]:
    by_set: dict[str, list[tuple[Column, Column]]] = {}
    on_sets = [column for column in comparison.columns if column.test_set]
    pairs = {_key(column): column for column in on_sets if column.measure == DISTORTION}
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
                **_labels(name),
                "reference": _of_set(comparison, *places[-1]),
                "series": series,
            }


def _key(column: Column) -> tuple[str, str, str]:
    """Figures with equal keys were measured on the same images at the same state."""
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
    across, down = (dict(comparison.matching_references(column)) for column in (x, y))
    name = next((name for name in across if name in down), None)
    return {"name": name, "x": across[name].value, "y": down[name].value} if name else None
