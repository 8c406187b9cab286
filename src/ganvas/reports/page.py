"""The comparison as one HTML page that holds all it shows: no network, no libraries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from ganvas import __version__
from ganvas.reports.charts import drawn, noises
from ganvas.reports.frames import Films, films
from ganvas.reports.table import ABSENT, Column, Mean, Setting, interval, number, unlike
from ganvas.reports.tradeoff import TRUTH, planes, section
from ganvas.reports.viewer import ViewerRow, assets, viewer
from ganvas.runs.record import MEASURE

if TYPE_CHECKING:
    from ganvas.reports.comparison import Comparison

COLOURS = 8
SIDE_BY_SIDE = 9_000_000  # bytes of the pictures shown side by side, roughly

VERDICTS = (
    '<section><h2>Verdicts</h2><p class="hint">What the diagnosis said while the run was training. Choose a stretch to'
    ' read why.</p><div id="verdicts"></div></section>'
)
NOTES = (
    "Images seen counts the real pictures that the discriminator was shown. Hours are the wall-clock time of training,"
    " added up from the rates in the log, observers included and pauses left out; across machines they compare the"
    " machines too.",
    "An interval of a single run covers the choice of pictures that it was measured with, not the luck of the training;"
    " only an interval over seeds (n of 2 or more, Student's t, 95 %) does.",
    "A rank with ~ has an interval that meets that of the first: the figures do not tell the two apart. Figures are"
    " ranked only where the measure and every field of its protocol agree.",
    "Many settings make a lucky best likely: look at the differences seed by seed, whose intervals allow for their"
    " number, and confirm a winner with fresh seeds.",
    "Losses of different objectives have different scales. A loss says how the game stands, not how good the pictures"
    " are. Each point of a loss curve is the mean of the log lines around it.",
)


def render(comparison: Comparison, reals: bool = True, rows: Sequence[ViewerRow] = ()) -> str:
    """The whole page, with the real pictures or without; with what the runs made side by side where `rows` has it."""
    folder = Path(__file__).parent / "templates"
    records = comparison.records
    runs = f"{len(records)} run{'s' if len(records) > 1 else ''}"
    cut = films(records, reals)
    data = drawn(comparison, cut) | {"planes": planes(comparison)}
    style, script = assets() if rows else ("", "")
    plane = (folder / "plane.js").read_text(encoding="utf-8") if data["planes"] else ""
    page = Template((folder / "page.html").read_text(encoding="utf-8"))
    return page.substitute(
        style=(folder / "page.css").read_text(encoding="utf-8") + style,
        script=(folder / "page.js").read_text(encoding="utf-8") + plane + script,
        title=escape(f"{runs} of {Path(records[0].source).name}"),
        lead=escape(_lead(comparison)),
        warnings="\n".join(f'<p class="warning">{escape(text)}</p>' for text in warnings(comparison)),
        chips="".join(
            f'<button type="button" aria-pressed="false" data-setting="{index}" style="{_colour(index)}">'
            f'<span class="dot"></span>{escape(group.label)}</button>'
            for index, group in enumerate(comparison.settings)
        ),
        differs=_differs(comparison),
        measures=_measures(comparison),
        plane=section(data["planes"]),
        beside=_beside(rows),
        curves=_curves(data["charts"]),
        verdicts=VERDICTS if any(record.verdicts for record in records) else "",
        pictures=_pictures(cut),
        runs=_runs(comparison),
        notes="<ul>" + "".join(f"<li>{escape(note)}</li>" for note in NOTES) + "</ul>",
        version=__version__,
        # A run's name must not open or end a script block.
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    )


def warnings(comparison: Comparison) -> list[str]:
    """What a reader must know before the figures: failures, unlike machines, games and lengths, missing figures."""
    records = comparison.records
    found = [f"{record.name} {record.about}." for record in records if record.about != "finished"]
    found += comparison.refusals
    if len({record.machine for record in records}) > 1:
        found.append("The runs were trained on different machines: hours compare these as much as the recipes.")
    if len({record.recipe.get("objective.type") for record in records}) > 1:
        found.append("The runs play different objectives: only the shapes of their losses can be compared.")
    ends = {record.images_seen for record in records if record.state == "finished"}
    if len({images // 1000 for images in ends}) > 1:
        found.append(
            f"The runs ended after {min(ends):,} to {max(ends):,} images: “last” is not the same place in all."
        )
    bare = [record for record in records if not record.figures and record.state != "diverged"]
    if bare:
        which = "No run" if len(bare) == len(records) else ", ".join(record.name for record in bare)
        lack = "has" if len(bare) == len(records) else "lacks" if len(bare) == 1 else "lack"
        how = " --on SET" if bare[0].recipe.get("data.type") == "Crops" else ""
        found.append(f"{which} {lack} figures: ganvas evaluate {bare[0].path}{how} takes them.")
    return found


def _lead(comparison: Comparison) -> str:
    records, groups = comparison.records, comparison.settings
    seeds = sorted({record.seed for record in records})
    parts = [f"{len(groups)} settings" if len(groups) > 1 else "One setting"]
    parts.append(f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}")
    sizes = {f"{r.recipe['system.size']} px" for r in records if "system.size" in r.recipe} | {
        str(r.recipe["system.type"]) for r in records
    }
    return ", ".join([*parts, *sorted(sizes, reverse=True)]) + "."


def _colour(setting: int) -> str:
    return f"--c:var(--c{setting % COLOURS})"


def _dot(setting: int) -> str:
    return f'<span class="dot" style="{_colour(setting)}"></span>'


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], attributes: Sequence[str] = ()) -> str:
    """Cells are HTML."""
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    attributed = list(attributes)
    lines = []
    for index, row in enumerate(rows):
        about = attributed[index] if attributed else ""
        lines.append(f"<tr{about}>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>")
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _differs(comparison: Comparison) -> str:
    if not comparison.differing:
        return '<p class="hint">Nothing but the seed: the runs repeat one recipe.</p>'
    heads = ["field", *(f"{_dot(i)}{escape(group.label)}" for i, group in enumerate(comparison.settings))]
    rows = []
    for path, values in comparison.differing.items():
        cells = [f"<b>{escape(v)}</b>" if v != values[0] else escape(v) for v in values]
        rows.append([f"<code>{escape(path)}</code>", *cells])
    hint = f"Everything else in the recipes is the same. Bold: not as in {comparison.settings[0].label}."
    return _table(heads, rows) + f'<p class="hint">{escape(hint)}</p>'


def _measures(comparison: Comparison) -> str:
    groups, found = comparison.settings, comparison.columns

    def cards(chosen: Iterable[Column]) -> str:
        return "".join(
            _card(c.title, c.means, c.ranks, groups, _against(c, comparison) + _below(c, found)) for c in chosen
        )

    ends, way = (cards(c for c in found if c.on_the_way == on_the_way) for on_the_way in (False, True))
    if comparison.distances:
        below = (
            "<p>The rough distance logged while training, at the furthest point that all runs reached; it finds the"
            " best state of one run and is not ranked.</p>"
        )
        ends += _card(f"{MEASURE} ↓ at {end(comparison)}", comparison.distances, {}, groups, below)
    if not ends + way:
        return '<p class="hint">No run has figures yet.</p>'
    later = f'<details><summary>On the way</summary><div class="cards">{way}</div></details>' if way else ""
    return f'<div class="cards">{ends}</div>{_gains(comparison)}{later}'


def end(comparison: Comparison) -> str:
    """The furthest point that all runs reached, in words."""
    return f"{comparison.end:,.0f} images" if comparison.by == "images" else f"{comparison.end:.3g} hours"


def _against(column: Column, comparison: Comparison) -> str:
    """What needs no training has, measured alike."""
    return "".join(
        f"<p>{escape(reference.name)}: {escape(interval(figure))}.</p>"
        for reference in comparison.references
        for figure in reference.figures
        if (figure.measure, figure.protocol) == (column.measure, column.protocol)
    )


def _below(column: Column, found: Sequence[Column]) -> str:
    """The protocol, and what sets it apart from the others of this measure."""
    same = [other for other in found if (other.measure, other.at) == (column.measure, column.at)]
    apart = ", ".join(f"{name} {column.protocol.get(name, ABSENT)}" for name in unlike(same))
    rows = "; ".join(f"{name} {value}" for name, value in column.protocol.items())
    short = f"<p>Measured unlike others: {escape(apart)}.</p>" if apart else ""
    return f"{short}<details><summary>protocol</summary>{escape(rows)}</details>"


def _card(title: str, means: dict[str, Mean], ranks: dict[str, str], groups: Sequence[Setting], below: str) -> str:
    ends = [end for m in means.values() for end in (m.value, m.low, m.high) if end is not None]
    low, span = min(ends), max(ends) - min(ends) or 1.0
    order = {group.label: index for index, group in enumerate(groups)}
    seeds = any(m.n > 1 for m in means.values())
    lines = []
    for label in list(ranks) or [label for label in order if label in means]:
        m, bar = means[label], ""
        if m.low is not None and m.high is not None:
            bar = f'<i style="left:{100 * (m.low - low) / span:.1f}%;width:{100 * (m.high - m.low) / span:.1f}%"></i>'
        value, _, interval_text = interval(m).partition(" ")
        note = f"{interval_text} n={m.n}" if seeds else interval_text
        rank = ranks.get(label, "")
        lines.append(
            f'<div><span class="rank{" first" if rank == "1" else ""}">{rank}</span>'
            f'<span class="label" data-setting="{order[label]}">{escape(label)}</span>'
            f'<span class="value">{value} <small>{note}</small></span>'
            f'<span class="whisker" style="{_colour(order[label])}">{bar}'
            f'<b style="left:{100 * (m.value - low) / span:.1f}%"></b></span></div>'
        )
    lacking = ", ".join(label for label in order if label not in means)
    lack = f"<p>No figure: {escape(lacking)}.</p>" if lacking else ""
    return f'<div class="card"><h3>{escape(title)}</h3><div class="figures">{"".join(lines)}</div>{lack}{below}</div>'


def _gains(comparison: Comparison) -> str:
    if not comparison.gains:
        return ""
    first = comparison.settings[0].label
    index = {group.label: i for i, group in enumerate(comparison.settings)}
    rows = []
    for gain in (gain for gain in comparison.gains if not gain.column.on_the_way):
        rows.append(
            [
                f"{_dot(index[gain.label])}{escape(gain.label)}",
                escape(gain.column.title),
                escape(interval(gain.mean)),
                str(gain.mean.n),
                gain.told,
            ]
        )
    heads = ["setting", "measure", f"minus {escape(first)}, seed by seed", "seeds", ""]
    hint = "The intervals of one measure hold together at 95 % (Bonferroni over the settings, not over the measures)."
    return f"<h3>Against {escape(first)}</h3>" + _table(heads, rows) + f'<p class="hint">{hint}</p>'


def _beside(rows: Sequence[ViewerRow]) -> str:
    if not rows:
        return ""
    hint = (
        "Drag over a picture to move the border between its two sides; the loupe shows the same spot of every version,"
        " pixel by pixel. A click holds it, the arrow keys move it."
    )
    shown = viewer(rows, budget=SIDE_BY_SIDE)
    return f'<section class="viewer"><h2>Side by side</h2><p class="hint">{hint}</p>{shown}</section>'


def _curves(charts: Sequence[dict[str, Any]]) -> str:
    boxes = "".join(
        f'<div><h3>{escape(chart["title"])}</h3><div class="chart" data-chart="{index}"></div></div>'
        for index, chart in enumerate(charts)
    )
    return f'<div class="charts">{boxes}</div>' if boxes else '<p class="hint">No run has logged anything yet.</p>'


def _pictures(cut: Films) -> str:
    if not cut.films:
        return '<p class="hint">No run has sample sheets that can be read.</p>'
    drawings = noises(cut)
    pixels = " pixels" if cut.side < 48 else ""
    parts = [
        '<p class="hint">The fakes of a run come from the same z, or the same crop, at every moment. Tap a picture to'
        " follow it through time below.</p>",
        '<div class="moment"><label for="moment">moment</label><input type="range" id="moment" min="0" step="1">'
        '<output id="moment-said" for="moment"></output></div>',
        f'<div id="films" class="{pixels.strip()}">',
    ]
    for seed, latent in drawings:
        if (seed, latent) == (0, 0):
            told = "The same held-out crops, enlarged by every run: picture by picture they can be compared."
        elif len(drawings) == 1:
            told = "The same z in every run: picture by picture they can be compared."
        else:
            told = f"Seed {seed}, z of length {latent}: the same z in every run of this row, other z than elsewhere."
        parts.append(f'<div class="group"><p>{told}</p><div class="sheets"></div><div class="strip"></div></div>')
    return "".join(parts) + "</div>"


def _runs(comparison: Comparison) -> str:
    truth = any(TRUTH in run.curves for group in comparison.settings for run in group.runs)
    head = "best PSNR-Y on held-out crops" if truth else f"smallest {MEASURE}"
    heads = ["run", "state", "seed", "images", "hours", head, "machine", "folder"]
    rows, attributes = [], []
    for index, group in enumerate(comparison.settings):
        for run in group.runs:
            points = run.curves.get(TRUTH if truth else MEASURE, [])
            best = (max if truth else min)(points, key=lambda point: point[1], default=None)
            rows.append(
                [
                    f"{_dot(index)}{escape(run.name)}",
                    escape(run.about),
                    str(run.seed),
                    f"{run.images_seen:,}",
                    f"{run.hours(run.images_seen):.3g}",
                    f"{number(best[1])} at {best[0]:,}" if best else ABSENT,
                    escape(run.machine),
                    f"<code>{escape(str(run.path))}</code>",
                ]
            )
            attributes.append(f' data-setting="{index}"')
    return _table(heads, rows, attributes)
