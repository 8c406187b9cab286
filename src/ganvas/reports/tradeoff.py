"""The perception-distortion plane: how true pictures are to their originals, and how real they look.

Paper: Blau & Michaeli 2018, The Perception-Distortion Tradeoff, arXiv:1711.06077
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ganvas.reports.table import Column, Mean
from ganvas.runs.record import Record

if TYPE_CHECKING:
    from ganvas.reports.comparison import Comparison

DISTORTION, PERCEPTION = "PSNR-Y", ("ST-LPIPS", "LPIPS")  # of figures; in logs they are written small
TRUTH = DISTORTION.lower()
LABEL = "PSNR on Y (dB), more is truer"
HINT = (
    "Better is down and to the right: down looks more like the original, right is nearer to it pixel by pixel. Beyond"
    " some quality the one is paid for with the other. A path is a run on its way, from thin to its end, the large"
    " mark; a ring is its knee, where looking better no longer paid."
)


def planes(comparison: Comparison) -> list[dict[str, Any]]:
    """What the page's script draws: the paths over training on held-out crops, then the figures of every set."""
    runs = [run for group in comparison.settings for run in group.runs]
    return [plane for name in PERCEPTION for plane in (*_paths(comparison, runs, name), *_sets(comparison, name))]


def section(found: Sequence[dict[str, Any]]) -> str:
    """The section of the page; empty where nothing can be drawn."""
    if not found:
        return ""
    boxes = "".join(
        f'<div><h3>{escape(plane["title"])}</h3><div class="chart" data-plane="{index}"></div></div>'
        for index, plane in enumerate(found)
    )
    return (
        '<section id="plane"><h2>Perception and distortion</h2>'
        f'<p class="hint">{escape(HINT)}</p><div class="charts">{boxes}</div></section>'
    )


def _paths(comparison: Comparison, runs: Sequence[Record], name: str) -> Iterable[dict[str, Any]]:
    setting = {run.name: index for index, group in enumerate(comparison.settings) for run in group.runs}
    series, reference = [], None
    for run in runs:
        distortion = dict(run.curves.get(TRUTH, []))
        points = [
            {"x": distortion[images], "y": value, "told": f"{images:,} images", "knee": images == run.knee}
            for images, value in run.curves.get(name.lower(), [])
            if images in distortion
        ]
        if points:
            series.append({"setting": setting[run.name], "name": run.name, "points": points})
            reference = reference or _reference(run.reference, name)
    if series:
        title = f"{name} on held-out crops, over training"
        yield {"title": title, "x": LABEL, "y": name, "reference": reference, "series": series}


def _reference(figures: dict[str, Any], name: str) -> dict[str, Any] | None:
    try:
        x, y = float(figures[TRUTH]), float(figures[name.lower()])
    except (KeyError, TypeError, ValueError):
        return None
    return {"name": "bicubic", "x": x, "y": y}


def _sets(comparison: Comparison, name: str) -> Iterable[dict[str, Any]]:
    by_set: dict[str, list[tuple[Column, Column]]] = {}
    pairs = {_key(column): column for column in comparison.columns if column.measure.startswith(f"{DISTORTION} on ")}
    for column in comparison.columns:
        measure, _, where = column.measure.partition(" on ")
        if measure == name and _key(column) in pairs:
            by_set.setdefault(where, []).append((pairs[_key(column)], column))
    for where, places in by_set.items():
        series = []
        for index, group in enumerate(comparison.settings):
            points = [
                _point(x.means[group.label], y.means[group.label], x.at)
                for x, y in places
                if x.at != "best" and group.label in x.means and group.label in y.means
            ]
            if points:
                series.append({"setting": index, "name": group.label, "points": points})
        if series:
            yield {
                "title": f"{name} on {where}",
                "x": LABEL,
                "y": name,
                "reference": _of_set(comparison, *places[-1]),
                "series": series,
            }


def _key(column: Column) -> tuple[str, str, str]:
    """Figures that agree in it were taken of the same pictures of the same state."""
    return (
        column.measure.partition(" on ")[2],
        column.at,
        json.dumps([column.protocol.get(k) for k in ("data", "crop")]),
    )


def _point(x: Mean, y: Mean, at: str) -> dict[str, Any]:
    n = f", {x.n} seeds" if x.n > 1 else ""
    return {
        "x": x.value,
        "y": y.value,
        "xl": x.low,
        "xh": x.high,
        "yl": y.low,
        "yh": y.high,
        "told": ("at the end" if at == "last" else at) + n,
        "knee": False,
    }


def _of_set(comparison: Comparison, x: Column, y: Column) -> dict[str, Any] | None:
    for reference in comparison.references:
        values = [
            figure.value
            for column in (x, y)
            for figure in reference.figures
            if (figure.measure, figure.protocol) == (column.measure, column.protocol)
        ]
        if len(values) == 2:
            return {"name": reference.name, "x": values[0], "y": values[1]}
    return None
