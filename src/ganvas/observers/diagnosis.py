"""Diagnoses the run at intervals, logs the signals, and reports changes of the verdict and remedies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from rich.console import Console
from torch import Tensor

from ganvas.diagnosis.remedies import advice
from ganvas.diagnosis.signals import Probe
from ganvas.diagnosis.verdicts import Snapshot, assess, snapshots, verdict_of
from ganvas.observers.validation import Validator
from ganvas.observers.watch import Watch
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

SNAPSHOTS = 50  # per run by default


class DiagnosisObserver(Observer):
    """Takes snapshots at intervals, or takes over those of the run's controller."""

    def __init__(self, folder: RunFolder, console: Console, watch: Watch, probe: Probe, validator: Validator) -> None:
        """`validator` measures the kept model, which may be a moving average of the generator diagnosed here."""
        self.folder, self.console, self.watch, self.probe = folder, console, watch, probe
        self.validator = validator

    def start(self, run: Run) -> None:
        """Read the snapshots so far."""
        self.images_seen = run.images_seen
        default = max(run.recipe.batch_size, run.recipe.images // SNAPSHOTS)
        self.every = run.controller.every if run.controller else self.watch.diagnose_every or default
        self.history = snapshots(self.folder.read_log())
        self.verdict = assess(self.history).name
        self.terms: dict[str, list[Tensor]] = {}

    def step(self, run: Run, report: Report) -> None:
        """Take a snapshot if due."""
        for name, term in report.terms.items():
            self.terms.setdefault(name, []).append(term)
        before, self.images_seen = self.images_seen, report.images_seen
        if not due(self.every, before, self.images_seen):
            return
        snapshot = run.controller.history[-1] if run.controller else self._take_snapshot(run)
        self.terms = {}
        self.history.append(snapshot)
        self.folder.add_log({"images": snapshot.images, "signals": snapshot.signals, "terms": snapshot.terms})
        self._report(run)

    def _take_snapshot(self, run: Run) -> Snapshot:
        terms = {name: float(torch.stack(values).mean()) for name, values in self.terms.items()}
        with run.autocast():
            signals = self.probe.measure(run.g, run.d)
        if not math.isnan(self.validator.aged):
            signals["aged"] = self.validator.aged
        return Snapshot(self.images_seen, signals, terms)

    def _report(self, run: Run) -> None:
        verdict = assess(self.history)
        patience = self.watch.stop_when_past_best * run.recipe.images
        worse = patience and verdict_of("past-best", self.history)
        if worse and worse.evidence["images_ago"] >= patience:
            self.ends = "past its best"
        if verdict.name == self.verdict:
            return
        self.verdict = verdict.name
        self.folder.add_event(
            "verdict",
            images=verdict.images,
            verdict=verdict.name,
            since=verdict.since,
            sentence=str(verdict),
            evidence=verdict.evidence,
        )
        self.console.print(f"image {verdict.images:,}: {verdict}", highlight=False, soft_wrap=True)
        if self.watch.remedies and not run.controller:
            for line in advice(verdict.name, run.recipe, verdict.images, self.folder)[:2]:
                self.console.print(f"  remedy: {line}", highlight=False, soft_wrap=True)
