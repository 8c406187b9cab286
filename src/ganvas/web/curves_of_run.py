"""The curves of one run as the page draws them: thinned so that no spike is lost, with verdicts and events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ganvas.reports.charts import TITLES, spans
from ganvas.runs.record import Record

BUCKETS = 1000  # of a curve, each shown by its smallest and its largest value
MARKED = ("knee", "treated", "taken back", "kept", "rolled back", "diverged", "warning", "finished", "resumed")


def curves(record: Record) -> dict[str, Any]:
    """All curves: points are [images, hours, value], those of figures also [..., low, high]."""
    charts: dict[str, list[dict[str, Any]]] = {}
    for name, points in sorted(record.terms.items()):
        player, _, about = name.partition("/")
        shown = [[x, _rounded(record.hours(x)), _rounded(y)] for x, y in thinned(points)]
        charts.setdefault(about, []).append({"name": name, "player": player, "points": shown})
    found = [{"title": about, "dots": False, "series": series} for about, series in charts.items()]
    found.sort(key=lambda chart: chart["title"] != "adversarial")
    for name, figures in record.measured.items():
        places = [figure.images_seen or 0 for figure in figures]
        measured = [
            [x, _rounded(record.hours(x)), figure.value, figure.low, figure.high]
            for x, figure in zip(places, figures, strict=True)
        ]
        series = [{"name": name, "player": "", "points": measured}]
        found.append({"title": TITLES.get(name, name), "dots": True, "series": series})
    return {
        "charts": found,
        "verdicts": list(spans(record)),
        "events": list(_events(record)),
        "images": record.images_seen,
        "total": record.total_images,
        "hours": _rounded(record.hours(record.images_seen)),
    }


def thinned(points: Sequence[tuple[int, float]], buckets: int = BUCKETS) -> Iterable[tuple[int, float]]:
    """Of each of so many equal parts of a curve the smallest and the largest value, in their order."""
    if len(points) <= 2 * buckets:
        return points
    found: list[tuple[int, float]] = []
    for bucket in range(buckets):
        part = points[bucket * len(points) // buckets : (bucket + 1) * len(points) // buckets]
        ends = {min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])}
        found += sorted(ends)
    return found


def _events(record: Record) -> Iterable[dict[str, Any]]:
    for event in record.events:
        if event["event"] in MARKED:
            images = int(event.get("images") or event.get("at") or 0)
            said = event.get("sentence") or event.get("remedy") or event.get("term") or ""
            place = {"i": images, "h": _rounded(record.hours(images))}
            yield {"event": event["event"], "said": str(said), **place}


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
