"""From runs to a comparison, and to its page. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.reports.comparison import By, Comparison, Reference
from ganvas.reports.table import Mean, Variant, columns, differing, gains, mean, refusals, variants, within_range
from ganvas.runs.record import MEASURE
from ganvas.runs.records import read_records

if TYPE_CHECKING:
    from ganvas.reports.viewer import ViewerRow


def compare(
    runs: Iterable[str | Path] | str | Path,
    *,
    out: str | Path | None = None,
    by: By = "images",
    unfinished: bool = False,
    reals: bool = True,
    references: Sequence[Reference] = (),
    rows: Sequence[ViewerRow] = (),
) -> Comparison:
    """Compare runs trained on one dataset, and write the page if `out` is given.

    Args:
        runs: run folders, or one; a folder of run folders stands for all of them.
        out: path of the self-contained HTML page.
        by: align the runs by images seen or by hours of training.
        unfinished: accept runs that are still training.
        reals: show real images beside the fakes; leave them out of a page for readers who may not see them.
        references: figures of baselines, shown beside figures with the same protocol.
        rows: outputs of the runs for the same inputs, shown side by side on the page.

    Raises:
        InputError: a run cannot be read, is still training, or was trained on different data; or `out` cannot be
            written.
    """
    records = read_records(runs, unfinished)
    groups = variants(records)
    taken = columns(groups)
    found = [column for column in taken if not column.is_point]
    # A run that diverged early must not limit the comparison of the others.
    sound = [record for record in records if record.state != "diverged"] or records
    end = min((record.hours(record.images_seen) if by == "hours" else record.images_seen) for record in sound)
    comparison = Comparison(
        records=records,
        variants=groups,
        differing=differing(groups),
        columns=tuple(found),
        points=tuple(column for column in taken if column.is_point),
        gains=tuple(gains(groups, found)),
        refusals=tuple(refusals(found)),
        by=by,
        end=end,
        distances=_distances(groups, by, end),
        references=tuple(references),
    )
    if out is not None:
        # A comparison without a page need not wait for the template and image libraries.
        from ganvas.reports.page import write_page

        write_page(comparison, Path(out), reals=reals, rows=rows)
    return comparison


def _distances(groups: Sequence[Variant], by: By, end: float) -> dict[str, Mean]:
    distances = {}
    for group in groups:
        at_end = []
        for run in (run for run in group.runs if run.state != "diverged"):
            points = run.points(MEASURE)
            reached = [value for images, value in points if (run.hours(images) if by == "hours" else images) <= end]
            at_end += reached[-1:]
        if at_end:
            distances[group.label] = within_range(mean(at_end), MEASURE)
    return distances
