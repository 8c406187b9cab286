"""Group runs into variants and figures into columns, and rank the columns where a rank is meaningful."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ganvas.metrics import quantity
from ganvas.metrics.figure import Figure
from ganvas.runs.record import Record

LEVEL = 0.95
ABSENT = "(none)"


@dataclass(frozen=True)
class Variant:
    """Runs whose recipes differ only in the seed."""

    label: str
    runs: tuple[Record, ...]


@dataclass(frozen=True)
class Mean:
    """The mean over the seeds of a variant."""

    value: float
    low: float | None
    high: float | None
    """Ends of the interval: over seeds if there are two or more, otherwise that of the single figure."""
    n: int

    @property
    def is_of_two_seeds(self) -> bool:
        """Whether its interval rests on one difference: 12.7 standard errors to each side, so wide it says little."""
        return self.n == 2 and self.low is not None


@dataclass(frozen=True)
class Column:
    """Comparable figures: one measure with one protocol at one state of the runs."""

    measure: str
    test_set: str
    """Name of the test set, if it has one."""
    at: str
    """The state: last, best, or a count of images."""
    protocol: Mapping[str, Any]
    figures: dict[str, Figure]
    """Name of a run -> its figure."""
    means: dict[str, Mean]
    """Label of a variant -> its mean."""
    ranks: dict[str, str]
    """Label of a variant -> its rank, with ~ if its interval overlaps that of the first; equal means share one."""

    @property
    def name(self) -> str:
        """The measure and its test set: ``PSNR-Y on Set5``."""
        return f"{self.measure} on {self.test_set}" if self.test_set else self.measure

    @property
    def title(self) -> str:
        """Heading for a table, with an arrow towards better values."""
        arrow = {True: " ↑", False: " ↓", None: ""}[self.higher_is_better]
        return f"{self.name}{arrow} {self.at}"

    @property
    def higher_is_better(self) -> bool | None:
        """Whether higher values are better; None if that is unknown, so that nothing is ranked."""
        return _better_end(self.figures.values())

    @property
    def is_intermediate(self) -> bool:
        """Whether the state is neither the last nor the best one."""
        return self.at.startswith("at ")

    @property
    def is_point(self) -> bool:
        """Whether it is a point of a curve, which is drawn as a whole."""
        return next(iter(self.figures.values())).is_point

    @property
    def real(self) -> float | None:
        """The value of real samples, where it was taken."""
        return next(iter(self.figures.values())).real


@dataclass(frozen=True)
class PairedGain:
    """A variant compared with the first, over the seeds that both have."""

    label: str
    column: Column
    mean: Mean
    """Mean of the differences, with an interval corrected for the number of variants."""

    @property
    def conclusion(self) -> str:
        """The meaning of the interval, in words."""
        low, high, higher = self.mean.low, self.mean.high, self.column.higher_is_better
        if low is None or high is None or low <= 0 <= high:
            return "not significant"
        return "differs" if higher is None else "better" if (low > 0) == higher else "worse"


def variants(records: Sequence[Record]) -> tuple[Variant, ...]:
    """Group runs by their recipes without the seed, in the order given."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(json.dumps(_without_seed(record), sort_keys=True), []).append(record)
    labels = [_label(runs) for runs in groups.values()]
    if len(set(labels)) < len(labels):
        labels = [" ".join(run.name for run in runs) for runs in groups.values()]
    return tuple(Variant(label, tuple(runs)) for label, runs in zip(labels, groups.values(), strict=True))


def _without_seed(record: Record) -> dict[str, Any]:
    return {path: leaf for path, leaf in record.recipe.items() if path != "seed"}


def _label(runs: Sequence[Record]) -> str:
    if len(runs) == 1:
        return runs[0].name
    stems = {run.name.removesuffix(str(run.seed)).rstrip("-_ ").removesuffix("seed").rstrip("-_ ") for run in runs}
    stem = stems.pop() if len(stems) == 1 else f"{runs[0].name} and {len(runs) - 1} more"
    return stem or "all"


def differing(groups: Sequence[Variant]) -> dict[str, list[str]]:
    """The fields of the recipes that differ between variants: dotted path -> the value in each variant."""
    recipes = [group.runs[0].recipe for group in groups]
    paths = dict.fromkeys(path for recipe in recipes for path in recipe if path != "seed")
    rows = {path: [str(recipe.get(path, ABSENT)) for recipe in recipes] for path in paths}
    return {path: values for path, values in rows.items() if len(set(values)) > 1}


def columns(groups: Sequence[Variant]) -> list[Column]:
    """All figures, in one column per measure, state and protocol; states in order, then last and best."""
    records = [run for group in groups for run in group.runs]
    places = _places(records)
    found: dict[tuple[str, str, str, str], dict[str, Figure]] = {}
    for record in records:
        for figure in record.figures:
            at = places.get(figure.images_seen or 0, "") if figure.state.startswith("kept") else figure.state
            key = figure.measure, figure.test_set, at, json.dumps(figure.protocol, sort_keys=True, default=str)
            found.setdefault(key, {})[record.name] = figure
    order = [*dict.fromkeys(places.values()), "last", "best"]
    keys = sorted(found, key=lambda key: (key[:2], order.index(key[2]) if key[2] in order else len(order)))
    return [_column(key[:3], found[key], groups) for key in keys]


def _places(records: Sequence[Record]) -> dict[int, str]:
    # States are kept at the end of a round, so the counts of different batch sizes differ by less than a round.
    near = max((_round(record) for record in records), default=1)
    figures = (figure for record in records for figure in record.figures if figure.state.startswith("kept"))
    kept = sorted({figure.images_seen or 0 for figure in figures})
    places: dict[int, str] = {}
    for before, images in zip([-near, *kept], kept, strict=False):
        places[images] = places[before] if images - before < near else f"at {images:,} images"
    return places


def _round(record: Record) -> int:
    return int(record.recipe.get("batch_size", 1)) * int(record.recipe.get("schedule.d_per_g", 1))


def _column(key: tuple[str, str, str], figures: dict[str, Figure], groups: Sequence[Variant]) -> Column:
    means = {}
    for group in groups:
        own = [figures[run.name] for run in group.runs if run.name in figures]
        if len(own) == 1:
            means[group.label] = within_range(Mean(own[0].value, own[0].low, own[0].high, 1), key[0])
        elif own:
            means[group.label] = within_range(mean([figure.value for figure in own]), key[0])
    ranks = _ranks(_better_end(figures.values()), means)
    return Column(*key, next(iter(figures.values())).protocol, figures, means, ranks)


def _better_end(figures: Iterable[Figure]) -> bool | None:
    ends = {figure.higher_is_better for figure in figures}
    return ends.pop() if len(ends) == 1 else None


def _ranks(higher: bool | None, means: dict[str, Mean]) -> dict[str, str]:
    if higher is None or len(means) < 2:
        return {}
    order = sorted(means, key=lambda label: means[label].value * (-1 if higher else 1))
    first = means[order[0]]
    # As printed, since a reader cannot tell means apart that look the same. In the order of the ranks.
    shown = [number(means[label].value) for label in order]
    ranks = [shown.index(value) + 1 for value in shown]
    return {
        label: f"{rank}{'~' if rank > 1 and _overlap(first, means[label]) else ''}"
        for rank, label in zip(ranks, order, strict=True)
    }


def _overlap(a: Mean, b: Mean) -> bool:
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return True  # without intervals no difference is significant
    return a.low <= b.high and b.low <= a.high


def mean(values: Sequence[float], level: float = LEVEL) -> Mean:
    """The mean of independent values with Student's t interval (n - 1 degrees of freedom); no interval for n = 1."""
    n, centre = len(values), statistics.fmean(values)
    if n < 2:
        return Mean(centre, None, None, n)
    half = student(n - 1, level) * statistics.stdev(values) / math.sqrt(n)
    return Mean(centre, centre - half, centre + half, n)


def within_range(found: Mean, measure: str, difference: bool = False) -> Mean:
    """The same with its interval cut off where the measure, or the difference of two of its values, has no values."""
    about = quantity(measure)
    if about is None or found.low is None or found.high is None:
        return found
    least, most = (about.least - about.most, about.most - about.least) if difference else (about.least, about.most)
    return replace(found, low=max(found.low, least), high=min(found.high, most))


def student(freedom: int, level: float) -> float:
    """The two-sided quantile of Student's t distribution: t with P(|T| <= t) = `level`.

    By bisection of the closed form for integer degrees of freedom (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4):
    importing scipy would take longer than the rest of the comparison.
    """
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < level else (low, middle)
    return math.tan(low) * math.sqrt(freedom)


def _within(angle: float, freedom: int) -> float:
    """P(|T| <= t) for t = tan(angle) times the square root of the degrees of freedom."""
    odd = freedom % 2
    term = math.cos(angle) ** odd
    total = term if freedom > 1 else 0.0
    for power in range(odd + 2, freedom - 1, 2):
        term *= math.cos(angle) ** 2 * (power - 1) / power
        total += term
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total


def gains(groups: Sequence[Variant], found: Iterable[Column]) -> list[PairedGain]:
    """Each variant minus the first, paired by seed, so that the variance shared by a seed cancels.

    The intervals of all variants of a column hold simultaneously at 0.95 (Bonferroni: each at 1 - 0.05 / number).
    """
    made = []
    for column in found:
        first, *others = groups
        by_seed = {r.seed: column.figures[r.name].value for r in first.runs if r.name in column.figures}
        pairs = {
            other.label: [
                column.figures[r.name].value - by_seed[r.seed]
                for r in other.runs
                if r.name in column.figures and r.seed in by_seed
            ]
            for other in others
        }
        tested = {label: values for label, values in pairs.items() if len(values) > 1}
        level = 1 - (1 - LEVEL) / max(1, len(tested))
        made += [
            PairedGain(label, column, within_range(mean(values, level), column.measure, difference=True))
            for label, values in tested.items()
        ]
    return made


def refusals(found: Sequence[Column]) -> list[str]:
    """Why figures of one measure and state are in several columns: one sentence per reason, naming the fields."""
    by_reason: dict[str, list[str]] = {}
    for column in found:
        same = same_measure(column, found)
        fields = []
        for name in differing_fields(same):
            values: dict[str, list[str]] = {}
            for other in same:
                values.setdefault(str(other.protocol.get(name, ABSENT)), []).extend(other.figures)
            fields.append(f"{name} is " + ", ".join(f"{value} for {_several(runs)}" for value, runs in values.items()))
        if fields:
            by_reason.setdefault("; ".join(fields), []).append(column.name)
    return [
        f"{', '.join(dict.fromkeys(measures))} {'are' if len(set(measures)) > 1 else 'is'} not ranked across all runs,"
        f" since the protocols differ: {reason}."
        for reason, measures in by_reason.items()
    ]


def same_measure(column: Column, found: Iterable[Column]) -> list[Column]:
    """The columns with the measure, test set and state of a column, whatever their protocol."""
    key = column.name, column.at
    return [other for other in found if (other.name, other.at) == key]


def differing_fields(columns: Sequence[Column]) -> list[str]:
    """The fields of the protocols that differ between columns."""
    fields = dict.fromkeys(name for column in columns for name in column.protocol)
    return [name for name in fields if len({json.dumps(column.protocol.get(name)) for column in columns}) > 1]


def _several(runs: Sequence[str]) -> str:
    return runs[0] if len(runs) == 1 else f"{runs[0]} and {len(runs) - 1} more"


def number(value: float) -> str:
    """Four significant digits, without an exponent if possible."""
    return (
        f"{value:.4g}"
        if value == 0 or 1e-4 <= abs(value) < 1e4
        else f"{value:,.0f}"
        if abs(value) >= 1e4
        else f"{value:.2e}"
    )


def interval(value: Mean | Figure) -> str:
    """A value with its interval: ``12.3 [11.9, 12.8]``, and a * after the interval if it is of two seeds."""
    ends = "" if value.low is None or value.high is None else f" [{number(value.low)}, {number(value.high)}]"
    return number(value.value) + ends + ("*" if isinstance(value, Mean) and value.is_of_two_seeds else "")
