"""Compare runs: the values behind the table, and the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ganvas.files import write_text
from ganvas.reports.page import render
from ganvas.reports.table import Column, Gain, Mean, Setting, columns, differing, gains, mean, refusals, settings
from ganvas.reports.viewer import ViewerRow
from ganvas.runs.record import MEASURE, Record, Reference, gather

By = Literal["images", "hours"]


@dataclass(frozen=True)
class Comparison:
    """What runs are to each other."""

    records: tuple[Record, ...]
    settings: tuple[Setting, ...]
    """Runs that differ in the seed alone stand in one setting."""
    differing: dict[str, list[str]]
    """Field of the recipe -> its value in each setting, for fields that are not the same in all."""
    columns: tuple[Column, ...]
    """The figures, one column for each measure, place and protocol."""
    gains: tuple[Gain, ...]
    """Every setting against the first, over the seeds they share."""
    refusals: tuple[str, ...]
    """Why some figures are not ranked against each other."""
    by: By
    """On what the runs are aligned."""
    end: float
    """The furthest point that all runs reached, in images or hours."""
    distances: dict[str, Mean]
    """By the setting's label: the distance logged while training, as it was at `end`."""
    references: tuple[Reference, ...] = ()
    """What the figures can be held against, such as bicubic."""


def compare(
    runs: Iterable[str | Path],
    *,
    out: str | Path | None = None,
    by: By = "images",
    unfinished: bool = False,
    reals: bool = True,
    references: Sequence[Reference] = (),
    rows: Sequence[ViewerRow] = (),
) -> Comparison:
    """Compare runs of one data set, and write the page where `out` names a file.

    Args:
        runs: folders of runs; a folder that holds runs stands for all of them.
        out: an HTML file, self-contained.
        by: align the runs on images seen or on hours of training.
        unfinished: take runs that are still training as they stand.
        reals: show real pictures beside the fakes; leave them out of a page that goes to others than may see them.
        references: figures of what is no run, shown beside those of the runs that were taken alike.
        rows: what the runs made of the same pictures, to be shown side by side on the page.

    Raises:
        InputError: a run cannot be read, is still training, or learned from other pictures; `out` cannot be written.
    """
    records = gather(runs, unfinished)
    groups = settings(records)
    found = columns(groups)
    # A run that failed early is no measure of how far the others may be compared.
    whole = [record for record in records if record.state != "diverged"] or records
    end = min((record.hours(record.images_seen) if by == "hours" else record.images_seen) for record in whole)
    comparison = Comparison(
        records,
        groups,
        differing(groups),
        tuple(found),
        tuple(gains(groups, found)),
        tuple(refusals(found)),
        by,
        end,
        _distances(groups, by, end),
        tuple(references),
    )
    if out is not None:
        write_text(Path(out), render(comparison, reals, rows))
    return comparison


def _distances(groups: Sequence[Setting], by: By, end: float) -> dict[str, Mean]:
    distances = {}
    for group in groups:
        at_end = []
        for run in (run for run in group.runs if run.state != "diverged"):
            points = run.curves.get(MEASURE, [])
            reached = [value for images, value in points if (run.hours(images) if by == "hours" else images) <= end]
            at_end += reached[-1:]
        if at_end:
            distances[group.label] = mean(at_end)
    return distances
