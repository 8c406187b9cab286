"""The comparison as one self-contained HTML page, without network access or libraries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ganvas.files import write_text
from ganvas.reports.charts import page_data
from ganvas.reports.comparison import Comparison
from ganvas.reports.curves_of_text import curves
from ganvas.reports.frames import cut_strips
from ganvas.reports.table import ABSENT, Column, Mean, differing_fields, interval, number, same_measure
from ganvas.reports.templating import render
from ganvas.reports.tradeoff import DISTORTION, planes
from ganvas.reports.viewer import ViewerRow, viewer_values
from ganvas.runs.record import MEASURE, Record

SIDE_BY_SIDE = 9_000_000  # bytes of the images shown side by side, roughly
DISTANCE = (
    "The rough distance logged during training, at the furthest point that all runs reached; it selects the best state"
    " of each run and is not ranked."
)


def write_page(comparison: Comparison, out: Path, *, reals: bool = True, rows: Sequence[ViewerRow] = ()) -> None:
    """Write the page.

    Args:
        reals: show real images beside the fakes.
        rows: outputs of the runs to show side by side.

    Raises:
        InputError: the file cannot be written, or a row is invalid.
    """
    records = comparison.records
    strips = cut_strips(records, reals)
    of_text, of_images = curves(comparison), planes(comparison)
    data = page_data(comparison, strips) | {"planes": [*of_text, *of_images]}
    final, intermediate = _cards(comparison)
    has_psnr = any(record.measured.get(DISTORTION) for record in records)
    runs = f"{len(records)} run{'s' if len(records) > 1 else ''}"
    page = render(
        "page.html",
        styles=["page.css", *(["viewer.css"] if rows else [])],
        scripts=["page.js", *(["plane.js"] if data["planes"] else []), *(["viewer.js"] if rows else [])],
        title=f"{runs} of {Path(records[0].source).name}",
        lead=_lead(comparison),
        comparison=comparison,
        numbers={variant.label: index for index, variant in enumerate(comparison.variants)},
        final=final,
        intermediate=intermediate,
        data=data,
        curves=of_text,
        planes=of_images,
        viewer=viewer_values(rows, SIDE_BY_SIDE) if rows else None,
        has_verdicts=any(record.verdicts for record in records),
        strips=strips,
        best_head="best PSNR-Y on held-out crops" if has_psnr else f"smallest {MEASURE}",
        bests={record.name: _best(record, has_psnr) for record in records},
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


def _best(run: Record, has_psnr: bool) -> str:
    points = run.points(DISTORTION if has_psnr else MEASURE)
    best = (max if has_psnr else min)(points, key=lambda point: point[1], default=None)
    return f"{number(best[1])} at {best[0]:,}" if best else ABSENT


def _cards(comparison: Comparison) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The figures of the last and best states, and those of intermediate states."""
    made: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for column in comparison.columns:
        references = [f"{name}: {interval(figure)}." for name, figure in comparison.matching_references(column)]
        references = [*([] if column.real is None else [f"Real text: {number(column.real)}."]), *references]
        own_fields = _own_fields(column, comparison.columns)
        made[column.is_intermediate].append(
            {
                **_card(column.title, column.means, column.ranks, comparison),
                "notes": [*references, *([f"Its protocol differs from others: {own_fields}."] if own_fields else [])],
                "protocol": "; ".join(f"{name} {value}" for name, value in column.protocol.items()),
            }
        )
    if comparison.distances:
        card = _card(f"{MEASURE} ↓ at {comparison.end_text}", comparison.distances, {}, comparison)
        made[False].append({**card, "notes": [DISTANCE], "protocol": ""})
    return made[False], made[True]


def _own_fields(column: Column, found: Iterable[Column]) -> str:
    """The fields of a column's protocol that differ from other columns of the same measure."""
    fields = differing_fields(same_measure(column, found))
    return ", ".join(f"{name} {column.protocol.get(name, ABSENT)}" for name in fields)


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
    return {"title": title, "lines": lines, "missing": ", ".join(label for label in order if label not in means)}
