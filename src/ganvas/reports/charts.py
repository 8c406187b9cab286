"""What the page's script draws, as plain data: curves, verdicts and pictures, placed on images and on hours."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ganvas.reports.frames import Films
from ganvas.reports.table import Column
from ganvas.runs.record import MEASURE, Record

if TYPE_CHECKING:
    from ganvas.reports.comparison import Comparison

POINTS = 160  # of a curve: each is the mean of the log lines that it stands for
TITLES = {
    "d/adversarial": "Discriminator’s loss",
    "g/adversarial": "Generator’s loss",
    MEASURE: "Distance to the real pictures (swd, logged while training)",
    "psnr-y": "PSNR-Y on held-out crops (dB, logged while training)",
    "st-lpips": "ST-LPIPS on held-out crops (logged while training)",
}
DASHES = ("", "6 3", "2 3", "8 3 2 3")  # tell the seeds of one setting apart


def drawn(comparison: Comparison, cut: Films) -> dict[str, Any]:
    """What the page's script draws."""
    order = {run.name: index for index, run in enumerate(_ordered(comparison))}
    setting = {run.name: index for index, group in enumerate(comparison.settings) for run in group.runs}
    groups = noises(cut)
    return {
        "by": comparison.by,
        "runs": [
            {
                "name": run.name,
                "setting": setting[run.name],
                "dash": DASHES[comparison.settings[setting[run.name]].runs.index(run) % len(DASHES)],
                "images": run.images_seen,
                "hours": run.hours(run.images_seen),
                "verdicts": list(_spans(run)),
            }
            for run in _ordered(comparison)
        ],
        "charts": _charts(comparison),
        "films": {
            "rows": cut.rows,
            "columns": cut.columns,
            "reals": cut.reals,
            "runs": [
                {
                    "run": order[run.name],
                    "group": groups.index(cut.films[run.name].noise),
                    "frames": [{**_place(run, f.images), "source": f.source} for f in cut.films[run.name].frames],
                }
                for run in _ordered(comparison)
                if run.name in cut.films
            ],
        },
    }


def _ordered(comparison: Comparison) -> list[Record]:
    return [run for group in comparison.settings for run in group.runs]


def _place(run: Record, images: float) -> dict[str, float]:
    return {"i": round(images), "h": round(run.hours(images), 6)}


def _spans(run: Record) -> Iterable[dict[str, Any]]:
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
    runs = _ordered(comparison)
    names = dict.fromkeys(name for run in runs for name in run.curves)
    charts = []
    for name in sorted(names, key=lambda name: ("/" not in name, name)):
        title = TITLES.get(name, name)
        series = [
            {"run": index, "points": [{**_place(run, x), "y": y} for x, y in _thinned(run.curves[name])]}
            for index, run in enumerate(runs)
            if run.curves.get(name)
        ]
        charts.append({"title": title, "dots": "/" not in name, "series": series})
    charts += _figure_charts(comparison.columns, runs)
    return charts


def _figure_charts(found: Sequence[Column], runs: Sequence[Record]) -> Iterable[dict[str, Any]]:
    """Of every measure and protocol taken at several counts of images: its way, with intervals."""
    by_protocol: dict[str, list[Column]] = {}
    for column in found:
        if column.at != "best":
            key = json.dumps([column.measure, column.protocol], sort_keys=True)
            by_protocol.setdefault(key, []).append(column)
    for several in by_protocol.values():
        series = []
        for index, run in enumerate(runs):
            figures = sorted(
                {c.figures[run.name].images: c.figures[run.name] for c in several if run.name in c.figures}.items()
            )
            points = [{**_place(run, i), "y": f.value, "low": f.low, "high": f.high} for i, f in figures]
            if len(points) > 1:
                series.append({"run": index, "points": points})
        if series:
            yield {"title": several[0].measure, "dots": True, "series": series}


def _thinned(points: Sequence[tuple[int, float]]) -> Iterable[tuple[float, float]]:
    """Means of equal numbers of neighbours, so that at most POINTS remain."""
    step = -(-len(points) // POINTS)
    for start in range(0, len(points), step):
        part = points[start : start + step]
        yield sum(x for x, _ in part) / len(part), float(f"{sum(y for _, y in part) / len(part):.5g}")


def noises(cut: Films) -> list[tuple[int, int]]:
    """Seed and length of every z that was drawn, in the order of the runs."""
    return list(dict.fromkeys(film.noise for film in cut.films.values()))
