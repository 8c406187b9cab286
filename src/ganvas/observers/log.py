"""Writes log.jsonl: the mean of every loss term, the rate, and the fraction of time spent waiting for data."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run


class Log(Observer):
    """Writes the means over the rounds since the last line, every `every` images."""

    def __init__(self, folder: RunFolder, every: int, sinks: tuple[Callable[[dict[str, Any]], None], ...] = ()) -> None:
        self.every, self.sinks = every, (folder.add_log, *sinks)

    def start(self, run: Run) -> None:
        """Start the clock."""
        self._restart(run.images_seen, 0.0)

    def step(self, run: Run, report: Report) -> None:
        """Collect the terms, and write a line if due."""
        for name, term in report.terms.items():
            self.terms.setdefault(name, []).append(term)
        if due(self.every, self.since, report.images_seen):
            self._write(report.images_seen, report.waited)

    def end(self, run: Run) -> None:
        """Write the remaining terms."""
        if self.terms:
            self._write(run.images_seen, self.waited)

    def _write(self, images: int, waited: float) -> None:
        seconds = time.perf_counter() - self.began
        line: dict[str, Any] = {
            "images": images,
            "images_per_second": round((images - self.since) / seconds, 2),
            "data_wait": round(max(0.0, waited - self.waited) / seconds, 5),
            **{name: float(torch.stack(values).mean()) for name, values in self.terms.items()},
        }
        for sink in self.sinks:
            sink(line)
        self._restart(images, waited)

    def _restart(self, images: int, waited: float) -> None:
        self.since, self.waited = images, waited
        self.terms: dict[str, list[Tensor]] = {}
        self.began = time.perf_counter()
