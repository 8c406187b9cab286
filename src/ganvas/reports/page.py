"""The comparison as one HTML page that holds all it shows: no network, no libraries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ganvas.files import write_text
from ganvas.reports.charts import page_data
from ganvas.reports.comparison import Comparison
from ganvas.reports.frames import cut_strips
from ganvas.reports.table import ABSENT, Column, Mean, alike, interval, number, unlike
from ganvas.reports.templating import render
from ganvas.reports.tradeoff import TRUTH, planes
from ganvas.reports.viewer import ViewerRow, viewer_values
from ganvas.runs.record import MEASURE, Record

SIDE_BY_SIDE = 9_000_000  # bytes of the images shown side by side, roughly
DISTANCE = (
    "The rough distance logged while training, at the furthest point that all runs reached; it finds the best state of"
    " one run and is not ranked."
)


def write_page(comparison: Comparison, out: Path, *, reals: bool = True, rows: Sequence[ViewerRow] = ()) -> None:
    """Write the whole page, with the real images or without; with what the runs made side by side if there are `rows`.

    Raises:
        InputError: the file cannot be written, or a row cannot be shown.
    """
    records = comparison.records
    strips = cut_strips(records, reals)
    data = page_data(comparison, strips) | {"planes": planes(comparison)}
    ends, way = _cards(comparison)
    truth = any(record.measured.get(TRUTH) for record in records)
    runs = f"{len(records)} run{'s' if len(records) > 1 else ''}"
    page = render(
        "page.html",
        styles=["page.css", *(["viewer.css"] if rows else [])],
        scripts=["page.js", *(["plane.js"] if data["planes"] else []), *(["viewer.js"] if rows else [])],
        title=f"{runs} of {Path(records[0].source).name}",
        lead=_lead(comparison),
        comparison=comparison,
        numbers={variant.label: index for index, variant in enumerate(comparison.variants)},
        ends=ends,
        way=way,
        data=data,
        viewer=viewer_values(rows, SIDE_BY_SIDE) if rows else None,
        has_verdicts=any(record.verdicts for record in records),
        strips=strips,
        best_head="best PSNR-Y on held-out crops" if truth else f"smallest {MEASURE}",
        bests={record.name: _best(record, truth) for record in records},
    )
    write_text(out, page)


def _lead(comparison: Comparison) -> str:
    records, groups = comparison.records, comparison.variants
    seeds = sorted({record.seed for record in records})
    parts = [f"{len(groups)} variants" if len(groups) > 1 else "One variant"]
    parts.append(f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}")
    sizes = {f"{r.recipe['system.size']} px" for r in records if "system.size" in r.recipe} | {
        str(r.recipe["system.type"]) for r in records
    }
    return ", ".join([*parts, *sorted(sizes, reverse=True)]) + "."


def _best(run: Record, truth: bool) -> str:
    points = run.points(TRUTH if truth else MEASURE)
    best = (max if truth else min)(points, key=lambda point: point[1], default=None)
    return f"{number(best[1])} at {best[0]:,}" if best else ABSENT


def _cards(comparison: Comparison) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The figures at the ends of the runs and at their best, and those on the way."""
    made: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for column in comparison.columns:
        against = [f"{name}: {interval(figure)}." for name, figure in comparison.taken_alike(column)]
        unlike_others = _unlike_others(column, comparison.columns)
        made[column.on_the_way].append(
            {
                **_card(column.title, column.means, column.ranks, comparison),
                "notes": [*against, *([f"Measured unlike others: {unlike_others}."] if unlike_others else [])],
                "protocol": "; ".join(f"{name} {value}" for name, value in column.protocol.items()),
            }
        )
    if comparison.distances:
        card = _card(f"{MEASURE} ↓ at {comparison.end_in_words}", comparison.distances, {}, comparison)
        made[False].append({**card, "notes": [DISTANCE], "protocol": ""})
    return made[False], made[True]


def _unlike_others(column: Column, found: Iterable[Column]) -> str:
    """What of the protocol sets a column apart from the others of its measure."""
    return ", ".join(f"{name} {column.protocol.get(name, ABSENT)}" for name in unlike(alike(column, found)))


def _card(title: str, means: dict[str, Mean], ranks: dict[str, str], comparison: Comparison) -> dict[str, Any]:
    ends = [end for m in means.values() for end in (m.value, m.low, m.high) if end is not None]
    low, span = min(ends), max(ends) - min(ends) or 1.0
    order = {variant.label: index for index, variant in enumerate(comparison.variants)}
    seeds = any(m.n > 1 for m in means.values())
    lines = []
    for label in list(ranks) or [label for label in order if label in means]:
        m, bar = means[label], None
        if m.low is not None and m.high is not None:
            bar = [f"{100 * part / span:.1f}" for part in (m.low - low, m.high - m.low)]
        value, _, note = interval(m).partition(" ")
        lines.append(
            {
                "rank": ranks.get(label, ""),
                "variant": order[label],
                "label": label,
                "value": value,
                "note": f"{note} n={m.n}" if seeds else note,
                "bar": bar,
                "at": f"{100 * (m.value - low) / span:.1f}",
            }
        )
    return {"title": title, "lines": lines, "lacking": ", ".join(label for label in order if label not in means)}
