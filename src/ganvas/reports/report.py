"""One run as a report to hand in: recipe, samples over time, curves, verdicts and figures. Imports no torch."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image

from ganvas.diagnosis import diagnose, draw_diagnosis
from ganvas.errors import InputError
from ganvas.files import write_text
from ganvas.imaging.saving import save_image
from ganvas.metrics.figure import Figure
from ganvas.reports.frames import TILES, data_url, spread
from ganvas.reports.table import Mean, interval, number, within_range
from ganvas.reports.templating import render
from ganvas.runs.curves import draw
from ganvas.runs.previews import Preview
from ganvas.runs.record import Record

SHEETS = 6  # over time, the first and the last among them
SIDE, LARGE = 640, 1280  # maximum width in px of a sheet, and of the last one
SAID = ("warning", "knee", "treated", "taken back", "kept", "rolled back", "diverged")  # events worth a line
COLUMNS = "measure", "test_set", "value", "low", "high", "real", "unit", "higher_is_better", "images_seen", "state"


@dataclass(frozen=True)
class Picture:
    """A picture of the report."""

    caption: str
    source: str
    """A data: URL, or a path from the page."""


@dataclass(frozen=True)
class Row:
    """A figure as it is shown."""

    title: str
    value: str
    unit: str
    state: str
    images: str
    protocol: str


def write_report(record: Record, out: Path, *, reals: bool = True) -> list[Path]:
    """Write one run's report.

    Args:
        out: an .html or .htm file, which contains everything; or an .md file, whose pictures lie beside it in
            NAME-files.
        reals: show real images beside the fakes; leave them out for readers who may not see them.

    Returns:
        The page, and the folder of its pictures if it has one.

    Raises:
        InputError: `out` has another ending or cannot be written.
    """
    ending = out.suffix.lower()
    if ending not in (".html", ".htm", ".md"):
        raise InputError(f"--out {out} is neither an HTML nor a Markdown file; use a name that ends in .html or .md.")
    with tempfile.TemporaryDirectory() as scratch:
        beside = out.with_name(f"{out.stem}-files") if ending == ".md" else None
        folder = beside or Path(scratch)

        def shown(caption: str, file: Path) -> Picture:
            if beside:
                return Picture(caption, quote(f"{beside.name}/{file.name}"))
            with Image.open(file) as image:
                return Picture(caption, data_url(image))

        sheets = [shown(caption, file) for caption, file in _sheets(record, folder, reals)]
        charts = [shown(caption, file) for caption, file in _charts(record, folder)]
    figures = [figure_row(figure) for figure in record.figures if not figure.is_point]
    page = render(
        "report.md" if beside else "report.html",
        styles=["page.css", "report.css"],
        scripts=[],
        title=record.name,
        lead=f"{record.system} trained on {record.source}, {record.about}.",
        facts=[(name, value) for name, value in facts(record) if value],
        recipe=[(path, str(value)) for path, value in record.recipe.items()],
        sheets=sheets[:-1],
        last=sheets[-1:],
        texts=_texts(record),
        charts=charts,
        verdicts=list(_verdicts(record)),
        notes=list(notes(record)),
        figures=figures,
        logged=[figure_row(figure) for figure in logged(record)],
    )
    write_text(out, page)
    return [out, *([beside] if beside and beside.is_dir() else [])]


def write_csv(record: Record, folder: Path) -> list[Path]:
    """Write log.csv, a line for each line of the log, and figures.csv, a line for each figure, with its protocol.

    Raises:
        InputError: the folder cannot be written.
    """
    lines = [dict(_scalars(line)) for line in record.log]
    columns = list(dict.fromkeys(["images", *(name for line in lines for name in line)]))
    log = [columns, *([line.get(name, "") for name in columns] for line in lines)]
    found = [("log", figure) for name in record.measured for figure in record.measured[name]]
    found += [("evaluate", figure) for figure in record.figures]
    figures = [["source", *COLUMNS, "protocol"]]
    for source, figure in found:
        values = (getattr(figure, name) for name in COLUMNS)
        figures.append([source, *values, json.dumps(dict(figure.protocol), sort_keys=True)])
    return [_table(folder / "log.csv", log), _table(folder / "figures.csv", figures)]


def _table(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue())
    return path


def _scalars(line: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The numbers of a line of the log; those of an object in it, such as its signals, by their path."""
    for name, value in line.items():
        if isinstance(value, int | float):
            yield prefix + name, value
        elif isinstance(value, dict) and name != "protocol":
            yield from _scalars(value, f"{prefix}{name}.")


def _sheets(record: Record, folder: Path, reals: bool) -> Iterator[tuple[str, Path]]:
    """The previews over time, as PNG files in a folder; what is damaged is passed over."""
    readable = [one for one in record.previews if one.kind in (*TILES, "plot")]
    if not reals:
        readable = [one for one in readable if one.kind == "grid"]  # the others show reals among the fakes
    chosen = spread(readable, SHEETS)
    for preview in chosen:
        try:
            with Image.open(record.folder.samples / preview.file) as file:
                file.load()
                image = file if file.mode in ("L", "RGB") else file.convert("RGB")
        except (OSError, ValueError, Image.DecompressionBombError):
            continue
        if not reals and preview.reals:
            image = image.crop((0, 0, preview.box(preview.columns - 1)[2] + preview.gap, image.height))
        width = LARGE if preview is chosen[-1] else SIDE
        if image.width > width:
            image = image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)
        path = folder / f"samples-{preview.images_seen:012d}.png"
        save_image(image, path)
        yield _caption(preview, reals), path


def _caption(preview: Preview, reals: bool) -> str:
    what = " (input, output, original)" if preview.kind == "triples" else ""
    beside = ", reals on the right" if reals and preview.reals else ""
    return f"after {preview.images_seen:,} images{what}{beside}"


def _texts(record: Record) -> list[str]:
    """The last preview of a modality that is shown as text."""
    for preview in [one for one in record.previews if one.kind == "text"][-1:]:
        try:
            return [(record.folder.samples / preview.file).read_text(encoding="utf-8", errors="replace")]
        except OSError:
            break
    return []


def _charts(record: Record, folder: Path) -> Iterator[tuple[str, Path]]:
    folder.mkdir(parents=True, exist_ok=True)
    curves, diagnosis = folder / "curves.png", folder / "diagnosis.png"
    if draw(record.folder, curves):
        yield "Losses and measures during training, over real images seen", curves
    try:
        found = diagnose(record)
    except InputError:
        return  # it has no snapshots to diagnose
    draw_diagnosis(record, found, diagnosis)
    yield "Signals of the diagnosis; the colours behind them are the verdicts", diagnosis


def facts(record: Record) -> Iterator[tuple[str, str]]:
    """What the run is: names and values, empty where unknown."""
    yield "system", record.system
    yield "data", record.source
    yield "data's fingerprint", record.fingerprint[:16]
    yield "seed", str(record.seed)
    yield "state", record.about
    yield "images seen", f"{record.images_seen:,} of {record.total_images:,}"
    hours = record.hours(record.images_seen)
    yield "training time", f"{hours:.2f} h" if hours >= 1 else f"{60 * hours:.1f} min"
    yield "machine", record.machine
    times = [event["time"] for event in record.events if isinstance(event.get("time"), int | float)]
    days = [time.strftime("%Y-%m-%d", time.gmtime(min(max(0, at), 2**32))) for at in (times[:1] + times[-1:])]
    yield "trained on", " to ".join(dict.fromkeys(days))


def _verdicts(record: Record) -> Iterator[dict[str, str]]:
    spans = record.verdicts
    ends = [span.start for span in spans[1:]] + [record.images_seen]
    for span, end in zip(spans, ends, strict=False):
        yield {"verdict": span.verdict, "at": f"{span.start:,} to {end:,}", "sentence": span.sentence}


def notes(record: Record) -> Iterator[str]:
    """What else happened, each once."""
    lines = []
    for event in record.events:
        if event["event"] in SAID:
            said = event.get("sentence") or event.get("remedy") or event.get("term") or ""
            what = "" if event["event"] == "warning" else f"{event['event']}: "
            lines.append(f"image {event.get('images', event.get('at', 0)):,}: {what}{said}".rstrip(": "))
    yield from dict.fromkeys(lines)


def logged(record: Record) -> Iterator[Figure]:
    """Of each measure taken during training the best value and the last."""
    for figures in record.measured.values():
        last = figures[-1]
        if last.higher_is_better is not None:
            best = (max if last.higher_is_better else min)(figures, key=lambda figure: figure.value)
            yield replace(best, state="best")
        yield replace(last, state="last")


def figure_row(figure: Figure) -> Row:
    """A figure as it is shown."""
    arrow = {True: " ↑", False: " ↓", None: ""}[figure.higher_is_better]
    real = "" if figure.real is None else f", real {number(figure.real)}"
    return Row(
        figure.title + arrow,
        interval(within_range(Mean(figure.value, figure.low, figure.high, 1), figure.measure)) + real,
        figure.unit,
        figure.state,
        "" if figure.images_seen is None else f"{figure.images_seen:,}",
        "; ".join(f"{name} {value}" for name, value in figure.protocol.items()),
    )
