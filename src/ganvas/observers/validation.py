"""Measures the run at intervals, logs the figures and selects the best state."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ganvas.metrics.figure import Figure
from ganvas.runs.folder import RunFolder, figures_of
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run


class Validator(ABC):
    """Computes a modality's measures of a run and selects its best state by one of them.

    Attributes:
        by: the measure that selects the best state.
        reference: figures to compare with, such as those of bicubic interpolation.
        best: the best value so far; None before the first.
        newest: the latest value, or the favourable end of its interval if it has one.
    """

    by: str
    reference: Sequence[Figure] = ()
    best: float | None = None
    newest = math.nan
    _higher_is_better = False

    @abstractmethod
    def start(self, run: Run) -> None:
        """Prepare the inputs, the same for every measurement."""

    @abstractmethod
    def measure(self, run: Run) -> list[Figure]:
        """Measure the current state of the run."""

    def note(self, images_seen: int, figures: Sequence[Figure]) -> bool:
        """Record figures, including those from before the run was resumed. Returns whether they are the best so far."""
        figure = next((figure for figure in figures if figure.measure == self.by), None)
        if figure is None:
            return False
        self._higher_is_better = higher = bool(figure.higher_is_better)
        bound = figure.high if higher else figure.low
        self.newest = figure.value if bound is None else bound
        before = self.best if self.best is not None else -math.inf if higher else math.inf
        better = figure.value > before if higher else figure.value < before
        if better:
            self.best = figure.value
        return better

    @property
    def aged(self) -> float:
        """The least factor by which the latest value is worse than the best; at least 1, NaN before the first.

        The KID is unbiased, so a good model's value may be negative.
        """
        if self.best is None:
            return math.nan
        worse, better = (self.best, self.newest) if self._higher_is_better else (self.newest, self.best)
        return max(1.0, worse / max(better, 1e-9))

    def signals(self) -> dict[str, float]:
        """What the diagnosis takes over."""
        return {} if math.isnan(self.aged) else {"aged": self.aged}


class Validation(Observer):
    """Measures the run every `every` images."""

    def __init__(
        self,
        folder: RunFolder,
        validator: Validator,
        every: int,
        on_best: Callable[[Run], None],
        sinks: Sequence[Callable[[dict[str, Any]], None]] = (),
    ) -> None:
        """`on_best` is called when a state is the best so far; `sinks` receive the same lines as the log."""
        self.folder, self.validator, self.every, self.on_best = folder, validator, every, on_best
        self.sinks = (folder.add_log, *sinks)

    def start(self, run: Run) -> None:
        """Prepare to measure, and read the figures so far."""
        self.images_seen = run.images_seen
        self.validator.start(run)
        for line in self.folder.read_log():
            figures = figures_of(line)
            if figures:
                self.validator.note(line["images"], figures)

    def step(self, run: Run, report: Report) -> None:
        """Measure if due."""
        before, self.images_seen = self.images_seen, report.images_seen
        if not due(self.every, before, self.images_seen):
            return
        figures = self.validator.measure(run)
        line: dict[str, Any] = {"images": self.images_seen, "figures": [figure.to_plain() for figure in figures]}
        if self.validator.reference:
            line["reference"] = [figure.to_plain() for figure in self.validator.reference]
        for sink in self.sinks:
            sink(line)
        if self.validator.note(self.images_seen, figures):
            self.on_best(run)
