"""Compare runs: the values behind the table and the page. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ganvas.metrics.figure import Figure
from ganvas.metrics.likelihood_curve import GAINS, verdict
from ganvas.reports.table import Column, Mean, PairedGain, Variant
from ganvas.runs.record import Record

By = Literal["images", "hours"]


@dataclass(frozen=True)
class Reference:
    """A baseline that needs no training, such as bicubic interpolation, to compare the runs with."""

    name: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Comparison:
    """The comparison of several runs."""

    records: tuple[Record, ...]
    variants: tuple[Variant, ...]
    """Runs that differ only in the seed form one variant."""
    differing: dict[str, list[str]]
    """Field of the recipe -> its value in each variant, for fields that differ between variants."""
    columns: tuple[Column, ...]
    """The figures, one column per measure, state and protocol."""
    gains: tuple[PairedGain, ...]
    """Every variant compared with the first, over the seeds they share."""
    refusals: tuple[str, ...]
    """Why some figures are not ranked against each other."""
    by: By
    """What the runs are aligned by."""
    end: float
    """The furthest point that all runs reached, in images or hours."""
    distances: dict[str, Mean]
    """Label of a variant -> the distance logged during training, at `end`."""
    points: tuple[Column, ...] = ()
    """The points of curves, one column per measure, state and protocol."""
    references: tuple[Reference, ...] = ()
    """Baselines to compare the figures with, such as bicubic interpolation."""

    def __repr__(self) -> str:
        names = ", ".join(variant.label for variant in self.variants)
        return f"<Comparison of {len(self.records)} runs ({names}) at {self.end_text}>"

    @property
    def end_text(self) -> str:
        """The furthest point that all runs reached, as text."""
        return f"{self.end:,.0f} images" if self.by == "images" else f"{self.end:.3g} hours"

    @property
    def ordered(self) -> list[tuple[int, Record]]:
        """Every run with the index of its variant, in the order of the variants."""
        return [(index, run) for index, variant in enumerate(self.variants) for run in variant.runs]

    @property
    def verdicts(self) -> list[str]:
        """What each variant of text has gained beyond the curve of its likelihood model."""
        gains = {of: [c for c in self.columns if c.measure == name and c.at == "last"] for of, name in GAINS.items()}
        found = []
        for variant in self.variants:
            own = {of: c.means[variant.label] for of, some in gains.items() for c in some if variant.label in c.means}
            found += [verdict(variant.label, own)] if len(own) == len(GAINS) else []
        return found

    @property
    def warnings(self) -> list[str]:
        """What to know before reading the figures."""
        return list(_warnings(self))

    def matching_references(self, column: Column) -> Iterator[tuple[str, Figure]]:
        """Name and figure of every reference with the measure, test set and protocol of a column."""
        key = column.measure, column.test_set, dict(column.protocol)
        for reference in self.references:
            for figure in reference.figures:
                if (figure.measure, figure.test_set, dict(figure.protocol)) == key:
                    yield reference.name, figure


def _warnings(comparison: Comparison) -> Iterator[str]:
    """Failed runs, different machines, objectives and lengths, missing figures and previews."""
    records = comparison.records
    yield from (f"{record.name} {record.about}." for record in records if record.about != "finished")
    yield from comparison.refusals
    means = [mean for column in comparison.columns for mean in column.means.values()]
    means += [*(gain.mean for gain in comparison.gains), *comparison.distances.values()]
    if any(mean.is_of_two_seeds for mean in means):
        yield (
            "Intervals marked * are of two seeds, and at least 12.7 standard errors wide to each side: they settle"
            " little; a third seed makes them a third as wide."
        )
    if len({record.machine for record in records}) > 1:
        yield "The runs were trained on different machines, so hours compare the machines as much as the recipes."
    if len({record.recipe.get("objective.type") for record in records}) > 1:
        yield "The runs have different objectives, so only the shapes of their losses can be compared."
    ends = {record.images_seen for record in records if record.state == "finished"}
    if len({images // 1000 for images in ends}) > 1:
        yield f"The runs ended after {min(ends):,} to {max(ends):,} images, so “last” differs between them."
    bare = [record for record in records if not record.figures and record.state != "diverged"]
    if bare:
        names = ", ".join(record.name for record in bare)
        lack = "No run has" if len(bare) == len(records) else f"{names} {'has' if len(bare) == 1 else 'have'} no"
        # Restoration is measured on test sets of pairs.
        how = " --on SET" if any(key.startswith("data.degradation.") for key in bare[0].recipe) else ""
        yield f"{lack} figures; run ganvas evaluate {bare[0].path}{how}."
    unindexed = [record.name for record in records if not record.previews and record.folder.sample_grids()]
    if unindexed:
        yield (
            f"The previews of {', '.join(unindexed)} are not shown, since an earlier version of ganvas wrote them"
            f" without an index; they are in the run's {records[0].folder.samples.name}/ folder."
        )
