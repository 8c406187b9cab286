"""The data that the page's script draws: curves, verdicts and previews, positioned by images seen and by hours."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ganvas.reports.frames import Strips
from ganvas.reports.table import Column
from ganvas.runs.record import MEASURE, Record

if TYPE_CHECKING:
    from ganvas.reports.comparison import Comparison

POINTS = 160  # maximum number of points of a curve: each is the mean of several log lines
TITLES = {
    "d/adversarial": "Discriminator loss",
    "g/adversarial": "Generator loss",
    MEASURE: "Distance to the real images (SWD, logged during training)",
    "PSNR-Y": "PSNR-Y on held-out crops (dB, logged during training)",
    "ST-LPIPS": "ST-LPIPS on held-out crops (logged during training)",
}
DASHES = ("", "6 3", "2 3", "8 3 2 3")  # distinguish the seeds of one variant


def page_data(comparison: Comparison, strips: Strips) -> dict[str, Any]:
    """The data that the page's script draws."""
    runs = comparison.ordered
    order = {run.name: number for number, (_, run) in enumerate(runs)}
    return {
        "by": comparison.by,
        "runs": [
            {
                "name": run.name,
                "variant": variant,
                "dash": DASHES[comparison.variants[variant].runs.index(run) % len(DASHES)],
                "images": run.images_seen,
                "hours": run.hours(run.images_seen),
                "verdicts": list(spans(run)),
            }
            for variant, run in runs
        ],
        "charts": _charts(comparison),
        "strips": {
            "rows": strips.rows,
            "columns": strips.columns,
            "reals": strips.reals,
            "runs": [
                {
                    "run": order[run.name],
                    "group": strips.noises.index(strip.noise),
                    "frames": [{**_place(run, frame.images_seen), "source": frame.source} for frame in strip.frames],
                }
                for _, run in runs
                if (strip := strips.by_run.get(run.name))
            ],
        },
    }


def _place(run: Record, images: float) -> dict[str, float]:
    return {"i": round(images), "h": round(run.hours(images), 6)}


def spans(run: Record) -> Iterable[dict[str, Any]]:
    """The verdicts of a run, each from where to where, in images and in hours."""
    ends = [verdict.start for verdict in run.verdicts[1:]] + [run.images_seen]
    for verdict, end in zip(run.verdicts, ends, strict=False):
        start, stop = _place(run, verdict.start), _place(run, end)
        yield {
            "verdict": verdict.verdict,
            "sentence": verdict.sentence,
            "i0": start["i"],
            "i1": stop["i"],
            "h0": start["h"],
            "h1": stop["h"],
        }


def _charts(comparison: Comparison) -> list[dict[str, Any]]:
    runs = [run for _, run in comparison.ordered]
    curves = [{**run.terms, **{measure: run.points(measure) for measure in run.measured}} for run in runs]
    charts = []
    for name in sorted({name for own in curves for name in own}, key=lambda name: ("/" not in name, name)):
        series = [
            {"run": index, "points": [{**_place(run, x), "y": y} for x, y in _thinned(own[name])]}
            for index, (run, own) in enumerate(zip(runs, curves, strict=True))
            if own.get(name)
        ]
        charts.append({"title": TITLES.get(name, name), "dots": "/" not in name, "series": series})
    return [*charts, *_figure_charts(comparison.columns, runs)]


def _figure_charts(found: Sequence[Column], runs: Sequence[Record]) -> Iterable[dict[str, Any]]:
    """Curves with intervals of the measures that were taken at several points in training, one per protocol."""
    by_protocol: dict[str, list[Column]] = {}
    for column in found:
        if column.at != "best":
            key = json.dumps([column.name, column.protocol], sort_keys=True, default=str)
            by_protocol.setdefault(key, []).append(column)
    for several in by_protocol.values():
        series = []
        for index, run in enumerate(runs):
            figures = {f.images_seen or 0: f for column in several if (f := column.figures.get(run.name))}
            points = [
                {**_place(run, i), "y": f.value, "low": f.low, "high": f.high} for i, f in sorted(figures.items())
            ]
            if len(points) > 1:
                series.append({"run": index, "points": points})
        if series:
            yield {"title": several[0].name, "dots": True, "series": series}


def _thinned(points: Sequence[tuple[int, float]]) -> Iterable[tuple[float, float]]:
    """Average adjacent points in groups of equal size, so that at most POINTS remain."""
    step = -(-len(points) // POINTS)
    for start in range(0, len(points), step):
        part = points[start : start + step]
        yield sum(x for x, _ in part) / len(part), float(f"{sum(y for _, y in part) / len(part):.5g}")
