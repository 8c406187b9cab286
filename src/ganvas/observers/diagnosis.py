"""Looks at the game now and then, logs what it sees, and says when the verdict changes and what helps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from rich.console import Console
from torch import Tensor

from ganvas.diagnosis.remedies import advice
from ganvas.diagnosis.signals import Probe
from ganvas.diagnosis.verdicts import Look, holds, judge, looks
from ganvas.observers.validation import Validator
from ganvas.observers.watch import Watch
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

LOOKS = 50  # in a whole run, unless the watch says otherwise


class Diagnose(Observer):
    """One look wherever due; where a controller treats the run, its looks are taken over."""

    def __init__(self, folder: RunFolder, console: Console, watch: Watch, probe: Probe, model: Validator) -> None:
        """`model` judges the kept model, which a moving average may make another than the one looked at."""
        self.folder, self.console, self.watch, self.probe, self.model = folder, console, watch, probe, model

    def start(self, run: Run) -> None:
        """Recall the looks so far."""
        self.images_seen = run.images_seen
        usual = max(run.recipe.batch_size, run.recipe.images // LOOKS)
        self.every = run.controller.every if run.controller else self.watch.diagnose_every or usual
        self.history = looks(self.folder.read_log())
        self.verdict = judge(self.history).name
        self.terms: dict[str, list[Tensor]] = {}

    def step(self, run: Run, report: Report) -> None:
        """Look where due."""
        for name, term in report.terms.items():
            self.terms.setdefault(name, []).append(term)
        before, self.images_seen = self.images_seen, report.images_seen
        if not due(self.every, before, self.images_seen):
            return
        look = run.controller.history[-1] if run.controller else self._look(run)
        self.terms = {}
        self.history.append(look)
        self.folder.add_log({"images": look.images, "signals": look.signals, "terms": look.terms})
        self._say(run)

    def _look(self, run: Run) -> Look:
        terms = {name: float(torch.stack(values).mean()) for name, values in self.terms.items()}
        with run.autocast():
            signals = self.probe.look(run.g, run.d)
        if not math.isnan(self.model.aged):
            signals["aged"] = self.model.aged
        return Look(self.images_seen, signals, terms)

    def _say(self, run: Run) -> None:
        verdict = judge(self.history)
        patience = self.watch.stop_when_past_best * run.recipe.images
        worse = patience and holds("past-best", self.history)
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
            for line in advice(verdict.name, run.recipe, verdict.images)[:2]:
                self.console.print(f"  remedy: {line}", highlight=False, soft_wrap=True)
