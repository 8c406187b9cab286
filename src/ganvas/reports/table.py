"""Runs into variants, figures into columns, and columns into ranks where a rank means something."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.metrics.figure import Figure
from ganvas.runs.record import Record

LEVEL = 0.95
ABSENT = "(none)"


@dataclass(frozen=True)
class Variant:
    """Runs whose recipes differ in the seed alone."""

    label: str
    runs: tuple[Record, ...]


@dataclass(frozen=True)
class Mean:
    """The mean over the seeds of a variant."""

    value: float
    low: float | None
    high: float | None
    """Ends of the interval: over seeds where there are two or more, else of the single figure."""
    n: int


@dataclass(frozen=True)
class Column:
    """Figures that can be compared: one measure by one protocol at one place of the runs."""

    measure: str
    test_set: str
    """What it was measured on, where this has a name."""
    at: str
    """last, best, or a count of images."""
    protocol: Mapping[str, Any]
    figures: dict[str, Figure]
    """By the run's name."""
    means: dict[str, Mean]
    """By the variant's label."""
    ranks: dict[str, str]
    """By the variant's label: its place, with ~ where the interval meets that of the first."""

    @property
    def name(self) -> str:
        """The measure, and on what it was taken: ``PSNR-Y on Set5``."""
        return f"{self.measure} on {self.test_set}" if self.test_set else self.measure

    @property
    def title(self) -> str:
        """For the head of a table, with an arrow towards the better end."""
        arrow = {True: " ↑", False: " ↓", None: ""}[self.higher_is_better]
        return f"{self.name}{arrow} {self.at}"

    @property
    def higher_is_better(self) -> bool | None:
        """Which end of the measure is the good one; None where that is not known, and nothing is ranked by it."""
        return _better_end(self.figures.values())

    @property
    def on_the_way(self) -> bool:
        """Whether it stands neither at the runs' ends nor at their best."""
        return self.at.startswith("at ")


@dataclass(frozen=True)
class Gain:
    """What a variant changes against the first, over the seeds that both have."""

    label: str
    column: Column
    mean: Mean
    """Of the differences, with an interval that allows for the number of variants."""

    @property
    def conclusion(self) -> str:
        """What the interval says, in words."""
        low, high, higher = self.mean.low, self.mean.high, self.column.higher_is_better
        if low is None or high is None or low <= 0 <= high:
            return "not told apart"
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
    """The fields of the recipes that are not the same in every variant: dotted path -> the value in each."""
    recipes = [group.runs[0].recipe for group in groups]
    paths = dict.fromkeys(path for recipe in recipes for path in recipe if path != "seed")
    rows = {path: [str(recipe.get(path, ABSENT)) for recipe in recipes] for path in paths}
    return {path: values for path, values in rows.items() if len(set(values)) > 1}


def columns(groups: Sequence[Variant]) -> list[Column]:
    """All figures, those of one measure, place and protocol in one column; places in order, then last and best."""
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
    # A state is kept at the end of a round: runs of other batch sizes miss the same count by less than a round.
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
            means[group.label] = Mean(own[0].value, own[0].low, own[0].high, 1)
        elif own:
            means[group.label] = mean([figure.value for figure in own])
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
    # In the order of the places.
    return {
        label: f"{place}{'~' if place > 1 and _meet(first, means[label]) else ''}"
        for place, label in enumerate(order, 1)
    }


def _meet(a: Mean, b: Mean) -> bool:
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return True  # without intervals nothing tells them apart
    return a.low <= b.high and b.low <= a.high


def mean(values: Sequence[float], level: float = LEVEL) -> Mean:
    """The mean of independent values with Student's interval (n - 1 degrees of freedom); none for one value."""
    n, centre = len(values), statistics.fmean(values)
    if n < 2:
        return Mean(centre, None, None, n)
    half = student(n - 1, level) * statistics.stdev(values) / math.sqrt(n)
    return Mean(centre, centre - half, centre + half, n)


def student(freedom: int, level: float) -> float:
    """The t within which Student's variable of so many degrees of freedom stays with probability `level`.

    By bisection of the closed form for whole degrees (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4): importing scipy for
    it would take longer than all else that a comparison prints.
    """
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < level else (low, middle)
    return math.tan(low) * math.sqrt(freedom)


def _within(angle: float, freedom: int) -> float:
    """P(|T| <= t) for t = tan(angle) times the root of the degrees of freedom."""
    odd = freedom % 2
    term = math.cos(angle) ** odd
    total = term if freedom > 1 else 0.0
    for power in range(odd + 2, freedom - 1, 2):
        term *= math.cos(angle) ** 2 * (power - 1) / power
        total += term
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total


def gains(groups: Sequence[Variant], found: Iterable[Column]) -> list[Gain]:
    """Each variant minus the first, seed by seed: what the seeds share cancels.

    The intervals hold together at the level 0.95 for all variants of a column (Bonferroni: each at 1 - 0.05 / number).
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
        made += [Gain(label, column, mean(values, level)) for label, values in tested.items()]
    return made


def refusals(found: Sequence[Column]) -> list[str]:
    """Why figures of one measure and place stand in several columns: a sentence for each reason, naming the fields."""
    by_reason: dict[str, list[str]] = {}
    for column in found:
        same = alike(column, found)
        fields = []
        for name in unlike(same):
            values: dict[str, list[str]] = {}
            for other in same:
                values.setdefault(str(other.protocol.get(name, ABSENT)), []).extend(other.figures)
            fields.append(f"{name} is " + ", ".join(f"{value} for {_several(runs)}" for value, runs in values.items()))
        if fields:
            by_reason.setdefault("; ".join(fields), []).append(column.name)
    return [
        f"{', '.join(dict.fromkeys(measures))} {'are' if len(set(measures)) > 1 else 'is'} not ranked over all runs,"
        f" for the runs were not measured alike: {reason}."
        for reason, measures in by_reason.items()
    ]


def alike(column: Column, found: Iterable[Column]) -> list[Column]:
    """The columns of the same measure on the same images at the same place, by whatever protocol."""
    key = column.name, column.at
    return [other for other in found if (other.name, other.at) == key]


def unlike(same: Sequence[Column]) -> list[str]:
    """The fields of the protocols that are not the same in all of some columns."""
    fields = dict.fromkeys(name for column in same for name in column.protocol)
    return [name for name in fields if len({json.dumps(column.protocol.get(name)) for column in same}) > 1]


def _several(runs: Sequence[str]) -> str:
    return runs[0] if len(runs) == 1 else f"{runs[0]} and {len(runs) - 1} more"


def number(value: float) -> str:
    """Four significant digits, without an exponent where it can be."""
    return (
        f"{value:.4g}"
        if value == 0 or 1e-4 <= abs(value) < 1e4
        else f"{value:,.0f}"
        if abs(value) >= 1e4
        else f"{value:.2e}"
    )


def interval(value: Mean | Figure) -> str:
    """A value with its interval: ``12.3 [11.9, 12.8]``."""
    ends = "" if value.low is None or value.high is None else f" [{number(value.low)}, {number(value.high)}]"
    return number(value.value) + ends
