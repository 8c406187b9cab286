"""The controller that treats an ill game: one remedy at a time, kept where it helps, taken back where not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ganvas.diagnosis.remedies import REMEDIES, Remedy
from ganvas.diagnosis.signals import Probe
from ganvas.diagnosis.verdicts import PROGRESS, Look, Name, Verdict, distance, eased, judge
from ganvas.errors import InputError
from ganvas.recipe.serialization import to_plain
from ganvas.systems import read_recipe
from ganvas.training.phases import check
from ganvas.training.run import Report, Run

PATIENCE = 6  # looks that a remedy is given to show an effect
BETTER = 0.9  # of the distance before it: what counts as an effect while the verdict stands
CLEARLY = 0.8  # of the first looks' distance: what counts as better than a fresh start
WORSE = 1.1  # times the best distance: from here on the end goes back to the best

Tell = Callable[..., None]


@dataclass
class Treatment:
    """One remedy that was applied."""

    remedy: str
    verdict: Name
    evidence: dict[str, float]
    images: int
    distance: float
    recipe: Any
    """The recipe before it, as plain data."""
    outcome: str = "under way"


class Controller:
    """Looks at a run, judges, and changes its recipe. Part of the run's state: it survives a stop bit for bit.

    Attributes:
        history: all looks so far.
        treatments: all remedies applied so far.
    """

    def __init__(self, run: Run, probe: Probe, tell: Tell = lambda event, **fields: None) -> None:
        """`tell` is called with an event's name and fields for everything that is done."""
        self.run, self.probe, self.tell = run, probe, tell
        steering = run.recipe.steering
        self.every = steering.every or 50 * run.recipe.batch_size
        self.limit = steering.treatments
        self.history: list[Look] = []
        self.treatments: list[Treatment] = []
        # Until something is clearly better, the best to go back to is a fresh start.
        self.best = self._copy()
        self.best_distance, self.best_images = float("inf"), run.images_seen
        self._terms: dict[str, list[Tensor]] = {}
        self._seen = run.images_seen
        run.controller = self

    def step(self, report: Report) -> bool:
        """Look where due, and act. Returns whether the run is to end."""
        for name, term in report.terms.items():
            self._terms.setdefault(name, []).append(term)
        before, self._seen = self._seen, report.images_seen
        if report.images_seen // self.every == before // self.every:
            return False
        self._look()
        return self._act(judge(self.history))

    def rescue(self) -> bool:
        """After a loss that is no number: apply a remedy against divergence. Returns whether the run can go on."""
        self._settle("failed")
        self._terms = {}
        return self._treat(Verdict("divergence", self.run.images_seen, self.run.images_seen, {}))

    def end(self) -> None:
        """Leave the run at its best, where the last looks are clearly worse."""
        if self.best_images and distance(self.history) > WORSE * self.best_distance:
            self._back_to_best("the end")

    def _look(self) -> None:
        run = self.run
        terms = {name: float(torch.stack(values).mean()) for name, values in self._terms.items()}
        self._terms = {}
        with run.autocast():
            signals = self.probe.look(run.g, run.d)
        self.history.append(Look(run.images_seen, signals, terms))
        now = distance(self.history)
        if not math.isfinite(now):
            return
        if math.isinf(self.best_distance):
            self.best_distance = CLEARLY * now
        elif now < self.best_distance and run.is_finite():
            self.best, self.best_distance, self.best_images = self._copy(), now, run.images_seen

    def _act(self, verdict: Verdict) -> bool:
        run, last = self.run, self.treatments[-1] if self.treatments else None
        if last and last.outcome == "under way":
            if (run.images_seen - last.images) // self.every < PATIENCE:
                return False
            better = distance(self.history) < BETTER * last.distance
            if verdict.name != last.verdict or better or eased(verdict.name, last.evidence, verdict.evidence):
                self._settle("kept")
            else:
                run.recipe = replace(read_recipe(last.recipe), images=run.recipe.images)
                self._settle("taken back")
        # A game that still comes nearer is left alone, whatever it looks like.
        if verdict.name == "healthy" or distance(self.history) < BETTER * distance(self.history[:-PROGRESS]):
            return False
        if self._treat(verdict):
            return False
        self._back_to_best(f"no remedy left for {verdict.name}")
        return True

    def _treat(self, verdict: Verdict) -> bool:
        """Apply the next remedy. Returns whether there was one."""
        if len(self.treatments) >= self.limit:
            return False
        tried = {treatment.remedy for treatment in self.treatments if treatment.outcome != "kept"}
        left = (remedy for remedy in REMEDIES[verdict.name] if remedy.name not in tried)
        return any(self._apply(remedy, verdict) for remedy in left)

    def _apply(self, remedy: Remedy, verdict: Verdict) -> bool:
        run = self.run
        changed = remedy.change(run.recipe, run.images_seen)
        if changed is None or changed == run.recipe:
            return False
        try:
            check(changed, run.d)
        except InputError:
            return False
        before = run.recipe
        now = distance(self.history)
        self.treatments.append(
            Treatment(remedy.name, verdict.name, verdict.evidence, run.images_seen, now, to_plain(before))
        )
        if remedy.start != "here":
            self._restore(fresh=remedy.start == "fresh")
        run.recipe = changed
        self.tell(
            "treated",
            images=run.images_seen,
            verdict=verdict.name,
            remedy=remedy.name,
            change=remedy.flags(before, run.images_seen),
            start={"here": run.images_seen, "best": self.best_images, "fresh": 0}[remedy.start],
            evidence=str(verdict),
        )
        return True

    def _settle(self, outcome: str) -> None:
        if self.treatments and self.treatments[-1].outcome == "under way":
            last = self.treatments[-1]
            last.outcome = outcome
            now = distance(self.history)
            self.tell(
                outcome,
                images=self.run.images_seen,
                remedy=last.remedy,
                distance_before=last.distance,
                distance_now=now,
            )

    def _back_to_best(self, why: str) -> None:
        if self.best_images:
            self._restore()
            self.tell("rolled back", images=self.run.images_seen, to=self.best_images, why=why)

    def _copy(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self.run.players().items()}

    def _restore(self, fresh: bool = False) -> None:
        run = self.run
        # The seed gives the first weights again.
        run.load_players(Run(run.recipe, run.device).players() if fresh else self.best)
        # What lies ahead is no continuation of the looks so far.
        self.probe.before = None

    def state_dict(self) -> dict[str, Tensor]:
        """Its tensors: the best state, and what the probe remembers."""
        afar = {} if self.probe.before is None else {"before": self.probe.before}
        return {**afar, **{f"best.{name}": tensor for name, tensor in self.best.items()}}

    def notes(self) -> dict[str, Any]:
        """The rest, as plain data."""
        return {
            "recipe": to_plain(self.run.recipe),
            "history": [asdict(look) for look in self.history],
            "treatments": [asdict(treatment) for treatment in self.treatments],
            "best": [self.best_distance, self.best_images],
            "terms": {name: [float(term) for term in terms] for name, terms in self._terms.items()},
        }

    def load_state_dict(self, tensors: dict[str, Tensor], notes: dict[str, Any]) -> None:
        """Restore what `state_dict` and `notes` gave."""
        run = self.run
        run.recipe = replace(read_recipe(notes["recipe"]), images=run.recipe.images)
        self.history = [Look(**look) for look in notes["history"]]
        self.treatments = [Treatment(**treatment) for treatment in notes["treatments"]]
        self.best_distance, self.best_images = notes["best"]
        self._terms = {name: [torch.tensor(t, device=run.device) for t in ts] for name, ts in notes["terms"].items()}
        self.best = {n.removeprefix("best."): t for n, t in tensors.items() if n.startswith("best.")}
        self.probe.before = tensors.get("before")
        self._seen = run.images_seen
