"""The controller applies remedies to a failing run: one at a time, kept if it helps, reverted otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ganvas.diagnosis.remedies import REMEDIES, Remedy
from ganvas.diagnosis.signals import Probe
from ganvas.diagnosis.verdicts import PROGRESS, WORSE, Name, Snapshot, Verdict, assess, distance, improved
from ganvas.errors import InputError
from ganvas.recipe.serialization import to_plain
from ganvas.systems import read_recipe
from ganvas.training.phases import check
from ganvas.training.run import Report, Run

PATIENCE = 6  # snapshots within which a remedy must show an effect
BETTER = 0.9  # ratio to the distance before it that counts as an effect while the verdict stands
CLEARLY = 0.5  # ratio to the first distance that counts as better than a fresh start

OnEvent = Callable[..., None]


@dataclass
class Treatment:
    """A remedy that was applied."""

    remedy: str
    verdict: Name
    evidence: dict[str, float]
    images: int
    distance: float
    recipe: Any
    """The recipe before it, as plain data."""
    outcome: str = "under way"


class Controller:
    """Takes snapshots of a run, diagnoses them and changes the recipe. Part of the run's state, restored bit for bit.

    Attributes:
        history: all snapshots so far.
        treatments: all remedies applied so far.
        begun: how many of the snapshots are of networks from before the last fresh start: no measure for the new ones.
    """

    def __init__(self, run: Run, probe: Probe, on_event: OnEvent = lambda event, **fields: None) -> None:
        """`on_event` is called with the name and fields of every event."""
        self.run, self.probe, self.on_event = run, probe, on_event
        steering = run.recipe.steering
        self.every = steering.every or 50 * run.recipe.batch_size
        self.limit = steering.treatments
        self.history: list[Snapshot] = []
        self.treatments: list[Treatment] = []
        self.begun = 0
        # Until a state is clearly better, the best one to return to is a fresh start.
        self.best = self._copy()
        self.best_distance, self.best_images = float("inf"), run.images_seen
        self._terms: dict[str, list[Tensor]] = {}
        self._seen = run.images_seen
        run.controller = self

    def step(self, report: Report) -> bool:
        """Take a snapshot if due, and act on it. Returns whether to end the run."""
        for name, term in report.terms.items():
            self._terms.setdefault(name, []).append(term)
        before, self._seen = self._seen, report.images_seen
        if report.images_seen // self.every == before // self.every:
            return False
        self._take_snapshot()
        return self._act(assess(self.game))

    @property
    def game(self) -> list[Snapshot]:
        """The snapshots since the last fresh start."""
        return self.history[self.begun :]

    @property
    def is_worse(self) -> bool:
        """Whether the present state is so much worse than the best that it is no noise of few fakes."""
        return bool(self.best_images) and distance(self.game) > WORSE * self.best_distance

    def rescue(self) -> bool:
        """Apply a remedy for divergence after a non-finite loss. Returns whether the run can continue."""
        self._settle("failed")
        self._terms = {}
        return self._treat(Verdict("divergence", self.run.images_seen, self.run.images_seen, {}))

    def end(self) -> None:
        """Restore the best state if the last snapshots are clearly worse."""
        if self.is_worse:
            self._back_to_best("the end")

    def _take_snapshot(self) -> None:
        run = self.run
        terms = {name: float(torch.stack(values).mean()) for name, values in self._terms.items()}
        self._terms = {}
        with run.autocast():
            signals = self.probe.measure(run.g, run.d)
        self.history.append(Snapshot(run.images_seen, signals, terms))
        now = distance(self.game)
        if not math.isfinite(now):
            return
        if math.isinf(self.best_distance):
            self.best_distance = CLEARLY * now
        elif now < self.best_distance and run.is_finite():
            self.best, self.best_distance, self.best_images = self._copy(), now, run.images_seen

    def _act(self, verdict: Verdict) -> bool:
        run, last = self.run, self.treatments[-1] if self.treatments else None
        now = distance(self.game)
        falling = now < BETTER * distance(self.game[:-PROGRESS])
        if last and last.outcome == "under way":
            if (run.images_seen - last.images) // self.every < PATIENCE:
                return False
            better = falling or now < BETTER * last.distance
            if verdict.name != last.verdict or better or improved(verdict.name, last.evidence, verdict.evidence):
                self._settle("kept")
            else:
                run.recipe = replace(read_recipe(last.recipe), images=run.recipe.images)
                self._settle("taken back")
        # A run whose distance is still falling is left alone: but copies of training samples get closer, too.
        if verdict.name == "healthy" or (falling and verdict.name != "d-overfits"):
            return False
        # A remedy without time to take effect would only cost what was learnt.
        if (run.recipe.images - run.images_seen) // self.every < PATIENCE:
            return False
        if self._treat(verdict) or not self.is_worse:
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
        now = distance(self.game)
        self.treatments.append(
            Treatment(remedy.name, verdict.name, verdict.evidence, run.images_seen, now, to_plain(before))
        )
        start = "here" if remedy.start == "best" and self.best_images and not self.is_worse else remedy.start
        if start != "here":
            self._restore(fresh=start == "fresh")
        run.recipe = changed
        self.on_event(
            "treated",
            images=run.images_seen,
            verdict=verdict.name,
            remedy=remedy.name,
            change=remedy.flags(before, run.images_seen),
            start={"here": run.images_seen, "best": self.best_images, "fresh": 0}[start],
            evidence=str(verdict),
        )
        return True

    def _settle(self, outcome: str) -> None:
        if self.treatments and self.treatments[-1].outcome == "under way":
            last = self.treatments[-1]
            last.outcome = outcome
            now = distance(self.game)
            self.on_event(
                outcome,
                images=self.run.images_seen,
                remedy=last.remedy,
                distance_before=last.distance,
                distance_now=now,
            )

    def _back_to_best(self, why: str) -> None:
        if self.best_images:
            self._restore()
            self.on_event("rolled back", images=self.run.images_seen, to=self.best_images, why=why)

    def _copy(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self.run.players().items()}

    def _restore(self, fresh: bool = False) -> None:
        run = self.run
        if fresh or not self.best_images:
            self.begun = len(self.history)
        # The seed reproduces the initial weights.
        run.load_players(Run(run.recipe, run.device).players() if fresh else self.best)
        # The next snapshot does not continue the previous ones.
        self.probe.before = None

    def state_dict(self) -> dict[str, Tensor]:
        """The tensors of its state: the best state and the probe's last fakes."""
        fakes = {} if self.probe.before is None else {"before": self.probe.before}
        return {**fakes, **{f"best.{name}": tensor for name, tensor in self.best.items()}}

    def notes(self) -> dict[str, Any]:
        """The rest of its state as plain data."""
        return {
            "recipe": to_plain(self.run.recipe),
            "history": [asdict(snapshot) for snapshot in self.history],
            "treatments": [asdict(treatment) for treatment in self.treatments],
            "best": [self.best_distance, self.best_images],
            "begun": self.begun,
            "terms": {name: [float(term) for term in terms] for name, terms in self._terms.items()},
        }

    def load_state_dict(self, tensors: dict[str, Tensor], notes: dict[str, Any]) -> None:
        """Restore the state from `state_dict` and `notes`."""
        run = self.run
        run.recipe = replace(read_recipe(notes["recipe"]), images=run.recipe.images)
        self.history = [Snapshot(**snapshot) for snapshot in notes["history"]]
        self.treatments = [Treatment(**treatment) for treatment in notes["treatments"]]
        self.best_distance, self.best_images = notes["best"]
        self.begun = notes.get("begun", 0)  # older checkpoints do not know it
        self._terms = {name: [torch.tensor(t, device=run.device) for t in ts] for name, ts in notes["terms"].items()}
        self.best = {n.removeprefix("best."): t for n, t in tensors.items() if n.startswith("best.")}
        self.probe.before = tensors.get("before")
        self._seen = run.images_seen
