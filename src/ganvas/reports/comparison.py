"""Compare runs: the values behind the table and the page. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ganvas.metrics.figure import Figure
from ganvas.reports.table import Column, Gain, Mean, Variant, columns, differing, gains, mean, refusals, variants
from ganvas.runs.record import MEASURE, Record
from ganvas.runs.records import read_records

if TYPE_CHECKING:
    from ganvas.reports.viewer import ViewerRow

By = Literal["images", "hours"]


@dataclass(frozen=True)
class Reference:
    """What needs no training and is no run, to hold the runs against."""

    name: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Comparison:
    """What runs are to each other."""

    records: tuple[Record, ...]
    variants: tuple[Variant, ...]
    """Runs that differ in the seed alone stand in one variant."""
    differing: dict[str, list[str]]
    """Field of the recipe -> its value in each variant, for fields that are not the same in all."""
    columns: tuple[Column, ...]
    """The figures, one column for each measure, place and protocol."""
    gains: tuple[Gain, ...]
    """Every variant against the first, over the seeds they share."""
    refusals: tuple[str, ...]
    """Why some figures are not ranked against each other."""
    by: By
    """On what the runs are aligned."""
    end: float
    """The furthest point that all runs reached, in images or hours."""
    distances: dict[str, Mean]
    """By the variant's label: the distance logged while training, as it was at `end`."""
    references: tuple[Reference, ...] = ()
    """What the figures can be held against, such as bicubic."""

    @property
    def end_in_words(self) -> str:
        """The furthest point that all runs reached."""
        return f"{self.end:,.0f} images" if self.by == "images" else f"{self.end:.3g} hours"

    @property
    def ordered(self) -> list[tuple[int, Record]]:
        """Every run with the number of its variant, in the order of the variants."""
        return [(index, run) for index, variant in enumerate(self.variants) for run in variant.runs]

    @property
    def warnings(self) -> list[str]:
        """What a reader must know before the figures."""
        return list(_warnings(self))

    def taken_alike(self, column: Column) -> Iterator[tuple[str, Figure]]:
        """Name and figure of every reference that was measured as a column was."""
        key = column.measure, column.test_set, dict(column.protocol)
        for reference in self.references:
            for figure in reference.figures:
                if (figure.measure, figure.test_set, dict(figure.protocol)) == key:
                    yield reference.name, figure


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
        reals: show real images beside the fakes; leave them out of a page that goes to others than may see them.
        references: figures of what is no run, shown beside those of the runs that were taken alike.
        rows: what the runs made of the same images, to be shown side by side on the page.

    Raises:
        InputError: a run cannot be read, is still training, or learned from other images; `out` cannot be written.
    """
    records = read_records(runs, unfinished)
    groups = variants(records)
    found = columns(groups)
    # A run that failed early is no measure of how far the others may be compared.
    whole = [record for record in records if record.state != "diverged"] or records
    end = min((record.hours(record.images_seen) if by == "hours" else record.images_seen) for record in whole)
    comparison = Comparison(
        records=records,
        variants=groups,
        differing=differing(groups),
        columns=tuple(found),
        gains=tuple(gains(groups, found)),
        refusals=tuple(refusals(found)),
        by=by,
        end=end,
        distances=_distances(groups, by, end),
        references=tuple(references),
    )
    if out is not None:
        # Whoever wants the values alone need not wait for templates and images.
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
            distances[group.label] = mean(at_end)
    return distances


def _warnings(comparison: Comparison) -> Iterator[str]:
    """Failures, unlike machines, games and lengths, missing figures and previews."""
    records = comparison.records
    yield from (f"{record.name} {record.about}." for record in records if record.about != "finished")
    yield from comparison.refusals
    if len({record.machine for record in records}) > 1:
        yield "The runs were trained on different machines: hours compare these as much as the recipes."
    if len({record.recipe.get("objective.type") for record in records}) > 1:
        yield "The runs play different objectives: only the shapes of their losses can be compared."
    ends = {record.images_seen for record in records if record.state == "finished"}
    if len({images // 1000 for images in ends}) > 1:
        yield f"The runs ended after {min(ends):,} to {max(ends):,} images: “last” is not the same place in all."
    bare = [record for record in records if not record.figures and record.state != "diverged"]
    if bare:
        which = "No run" if len(bare) == len(records) else ", ".join(record.name for record in bare)
        lack = "has" if len(bare) == len(records) else "lacks" if len(bare) == 1 else "lack"
        # What learned from pairs is measured on sets of pairs.
        how = " --on SET" if any(key.startswith("data.degradation.") for key in bare[0].recipe) else ""
        yield f"{which} {lack} figures: ganvas evaluate {bare[0].path}{how} takes them."
    blind = [record.name for record in records if not record.previews and record.folder.sample_grids()]
    if blind:
        yield (
            f"The previews of {', '.join(blind)} are not shown: an earlier version of ganvas made them, without an"
            f" index that says what they show; they lie in {records[0].folder.samples.name}/ of the run."
        )
