"""Diagnoses the run at intervals, logs the signals, and reports changes of the verdict and remedies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from rich.console import Console
from torch import Tensor

from ganvas.diagnosis.remedies import advice
from ganvas.diagnosis.signals import Probe
from ganvas.diagnosis.verdicts import SOUND, Assessor, Snapshot, Verdict, snapshots, verdict_of
from ganvas.observers.watch import Watch, looks_every
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

SNAPSHOTS = 50  # per run by default
APART, EARLIEST = 8_192, 5  # in short runs: one costs as much as 70 images of training, and a verdict takes five


class DiagnosisObserver(Observer):
    """Takes snapshots at intervals, or takes over those of the run's controller."""

    def __init__(
        self,
        folder: RunFolder,
        console: Console,
        watch: Watch,
        probe: Probe,
        measured: Sequence[Callable[[], dict[str, float]]],
    ) -> None:
        """`measured` gives the signals of other observers, of the kept model instead of the players."""
        self.folder, self.console, self.watch, self.probe, self.measured = folder, console, watch, probe, measured

    def start(self, run: Run) -> None:
        """Read the snapshots so far."""
        self.images_seen = run.images_seen
        default = looks_every(run.recipe, SNAPSHOTS, APART, EARLIEST)
        self.every = run.controller.every if run.controller else self.watch.diagnose_every or default
        self.assessor = Assessor(run.recipe.batch_size, snapshots(self.folder.read_log()))
        self.verdict = self.assessor.verdict.name if self.assessor.history else ""
        self.terms: dict[str, list[Tensor]] = {}

    def step(self, run: Run, report: Report) -> None:
        """Take a snapshot if due."""
        for name, term in report.terms.items():
            self.terms.setdefault(name, []).append(term)
        before, self.images_seen = self.images_seen, report.images_seen
        # Before the game there is none to judge: D has learned nothing, and G does not play.
        if not due(self.every, before, self.images_seen) or self.images_seen <= run.recipe.schedule.pretrain:
            return
        snapshot = run.controller.history[-1] if run.controller else self._take_snapshot(run)
        self.terms = {}
        self.folder.add_log({"images": snapshot.images, "signals": snapshot.signals, "terms": snapshot.terms})
        self._report(run, self.assessor.add(snapshot))

    def _take_snapshot(self, run: Run) -> Snapshot:
        terms = {name: float(torch.stack(values).mean()) for name, values in self.terms.items()}
        with run.autocast():
            signals = self.probe.measure(run.g, run.d)
        for others in self.measured:
            signals |= others()
        return Snapshot(self.images_seen, signals, terms)

    def _report(self, run: Run, verdict: Verdict) -> None:
        patience = self.watch.stop_when_past_best * run.recipe.images
        worse = patience and verdict_of("past-best", self.assessor.history)
        if worse and worse.evidence["images_ago"] >= patience:
            self.ends = "past its best"
        if verdict.name == self.verdict:
            return
        before, self.verdict = self.verdict, verdict.name
        self.folder.add_event(
            "verdict",
            images=verdict.images,
            verdict=verdict.name,
            since=verdict.since,
            sentence=str(verdict),
            evidence=verdict.evidence,
        )
        if before in ("", "early") and verdict.name in SOUND:
            return  # no news
        self.console.print(f"image {verdict.images:,}: {verdict}", highlight=False, soft_wrap=True)
        if self.watch.remedies and not run.controller:
            for line in advice(verdict.name, run.recipe, verdict.images, self.folder)[:2]:
                self.console.print(f"  remedy: {line}", highlight=False, soft_wrap=True)
