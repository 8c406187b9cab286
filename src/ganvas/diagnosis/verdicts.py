"""Verdicts: from a history of snapshots to a named problem, its evidence and its onset.

The thresholds were tuned on one half of the runs of `benchmarks/diagnosis` and tested on the other half.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Name = Literal[
    "early",
    "healthy",
    "d-dominates",
    "g-dominates",
    "mode-collapse",
    "partial-collapse",
    "d-overfits",
    "oscillation",
    "divergence",
    "past-best",
    "class-imbalance",
]


SMOOTH = 3  # snapshots over which the median is taken
HOLD = 3  # consecutive snapshots in which a condition must hold
RELEASE = 6  # consecutive snapshots in which it must not, until its verdict is withdrawn
TIME = 50  # batches before which no game can be judged
PROGRESS = 5  # snapshots after which some progress is expected
OVERFIT = 0.6  # chance that D scores a training image above a held-out one, above which it matters
WORSE = 1.6  # ratio to the best distance, the least of many noisy ones, above which fakes have become worse
NEAR = 5  # distance below which sampling noise dominates, since a snapshot has few fakes


@dataclass(frozen=True)
class Snapshot:
    """The signals and loss terms at one point of a run.

    Attributes:
        images: real images seen.
        signals: those of `ganvas.diagnosis.signals.Probe.measure`, and `aged`, the ratio of the kept model's measure to
            its best value, by KID if the run measures it.
        terms: mean loss terms since the previous snapshot.
    """

    images: int
    signals: dict[str, float]
    terms: dict[str, float]

    def get(self, name: str) -> float:
        """A signal, or NaN if it was not measured."""
        return self.signals.get(name, math.nan)


@dataclass(frozen=True)
class Verdict:
    """A named problem and its onset.

    Attributes:
        name: the problem, or healthy, or early.
        images: real images seen when it was found.
        since: real images seen at the first snapshot that showed it.
        evidence: the signals that show it, as medians over the snapshots since then.
    """

    name: Name
    images: int
    since: int
    evidence: dict[str, float]

    def __str__(self) -> str:
        numbers = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in self.evidence.items())
        since = "" if self.name in SOUND else f" since image {self.since:,}"
        return f"{TITLES[self.name]}{since}" + (f" ({numbers})" if numbers else "")


SOUND: tuple[Name, ...] = ("early", "healthy")  # the verdicts that name no problem

TITLES: dict[str, str] = {
    "early": "too early to tell",
    "healthy": "healthy",
    "d-dominates": "D dominates: it recognizes every fake, and G's gradient vanishes",
    "g-dominates": "G dominates: D cannot tell fakes from reals, so G has nothing to learn from",
    "mode-collapse": "mode collapse: G generates nearly the same sample from all noise",
    "partial-collapse": "partial mode collapse: G generates only a few kinds of samples",
    "d-overfits": "D overfits: it memorizes its training samples",
    "oscillation": "oscillation: the players circle each other without progress",
    "divergence": "divergence: scores and losses grow without bound",
    "past-best": "past its best: the fakes keep getting worse",
    "class-imbalance": "class imbalance: G makes some classes far more often than the data has them, or far less",
}


def snapshots(lines: Iterable[dict[str, Any]]) -> list[Snapshot]:
    """The snapshots among the lines of a run's log."""
    return [
        Snapshot(line["images"], line["signals"], line.get("terms", {}))
        for line in lines
        # A damaged line is ignored.
        if "signals" in line and _are_numbers(line["signals"]) and _are_numbers(line.get("terms", {}))
    ]


def _are_numbers(found: Any) -> bool:
    """Whether something read from JSON is an object of numbers, which may be NaN."""
    return isinstance(found, dict) and all(isinstance(value, float | int) for value in found.values())


def distance(history: Sequence[Snapshot]) -> float:
    """The fakes' distance to the reals, as the median of the last three snapshots; infinite before there are three."""
    last = [snapshot.get("distance") for snapshot in history[-SMOOTH:]]
    return statistics.median(last) if len(last) == SMOOTH else math.inf


def best(history: Sequence[Snapshot]) -> Snapshot:
    """The snapshot with the smallest median distance."""
    ends = range(min(SMOOTH, len(history)), len(history) + 1)
    return history[min(ends, key=lambda end: distance(history[:end])) - 1]


def assess(history: Sequence[Snapshot]) -> Verdict:
    """What is wrong just now: the first condition that has held for the last `HOLD` snapshots."""
    for name in CONDITIONS:
        if verdict := verdict_of(name, history):
            return verdict
    now = history[-1].images if history else 0
    return Verdict("healthy", now, now, {})


class Assessor:
    """Follows a run, one snapshot after the other, and gives the verdict that stands.

    A problem is named once its condition has held for `HOLD` snapshots, and withdrawn once it has not for `RELEASE`:
    signals that waver about a threshold would otherwise name and withdraw it again and again. Before the players have
    had `TIME` batches, and before there are snapshots enough, it is too early to tell.

    Attributes:
        history: all snapshots so far.
        verdict: the current one.
    """

    def __init__(self, batch: int, history: Iterable[Snapshot] = ()) -> None:
        """`batch` is the number of real images in a batch of the run, `history` its snapshots so far."""
        self.batch = batch
        self.history: list[Snapshot] = []
        self.verdict = Verdict("early", 0, 0, {})
        self._standing: dict[Name, Verdict] = {}
        self._last: dict[Name, int] = {}  # the number of snapshots when the condition held last
        self._streak = dict.fromkeys(CONDITIONS, 0)
        for snapshot in history:
            self.add(snapshot)

    def add(self, snapshot: Snapshot) -> Verdict:
        """The verdict after one more snapshot."""
        self.history.append(snapshot)
        count = len(self.history)
        for name, condition in CONDITIONS.items():
            evidence = condition(self.history)
            if evidence is None:
                self._streak[name] = 0
                continue
            self._last[name] = count
            self._streak[name] += 1
            if name in self._standing:
                self._standing[name] = replace(self._standing[name], evidence=evidence)
            elif self._streak[name] >= HOLD:
                self._standing[name] = Verdict(name, snapshot.images, self.history[-HOLD].images, evidence)
        # One that has held throughout does not wait for the release of another that has not.
        wait = HOLD if max(self._streak.values()) >= RELEASE else RELEASE
        self._standing = {name: v for name, v in self._standing.items() if count - self._last[name] < wait}
        self.verdict = self._current(snapshot.images)
        return self.verdict

    def _current(self, images: int) -> Verdict:
        if len(self.history) < SMOOTH + HOLD - 1 or images < TIME * self.batch:
            return Verdict("early", images, images, {})
        first = next((self._standing[name] for name in CONDITIONS if name in self._standing), None)
        return replace(first, images=images) if first else Verdict("healthy", images, images, {})


def verdict_of(name: Name, history: Sequence[Snapshot]) -> Verdict | None:
    """The verdict of that name if its condition has held for the last `HOLD` snapshots, regardless of the others."""
    evidence = [CONDITIONS[name](history[:end]) for end in range(len(history), max(0, len(history) - HOLD), -1)]
    if len(evidence) < HOLD or None in evidence:
        return None
    return Verdict(name, history[-1].images, history[-HOLD].images, evidence[0] or {})


def timeline(history: Sequence[Snapshot], batch: int = 0) -> list[Verdict]:
    """The verdicts in order, each where it first applied; `batch` as of `Assessor`, 0 where it is unknown."""
    assessor = Assessor(batch)
    found: list[Verdict] = []
    for snapshot in history:
        verdict = assessor.add(snapshot)
        if not found or verdict.name != found[-1].name:
            found.append(verdict)
    return found


Evidence = dict[str, float]


def _median(history: Sequence[Snapshot], name: str) -> float:
    """Median of a signal over the last snapshots; NaN if it was not measured."""
    values = [snapshot.get(name) for snapshot in history[-SMOOTH:] if name in snapshot.signals]
    return statistics.median(values) if values else math.nan


def _divergence(history: Sequence[Snapshot]) -> Evidence | None:
    # A critic with unbounded slope can raise its scores forever, and a penalty can explode.
    score = max(abs(_median(history, "logit_real")), abs(_median(history, "logit_fake")))
    term = statistics.median([max(map(abs, s.terms.values()), default=0.0) for s in history[-SMOOTH:]])
    return {"score": score, "largest_term": term} if max(score, term) > 30 else None


def _mode_collapse(history: Sequence[Snapshot]) -> Evidence | None:
    features, diversity = _median(history, "features"), _median(history, "diversity")
    if features < 0.05 and diversity < 0.05:
        return {"diversity": diversity, "features": features}
    return None


def _d_overfits(history: Sequence[Snapshot]) -> Evidence | None:
    # No median: it is measured on the same images every time, and its limit accounts for the chance in their choice.
    last = history[-1]
    overfit, lead = last.get("overfit"), last.get("logit_real") - last.get("logit_fake")
    share = (last.get("logit_real") - last.get("logit_held_out")) / lead if lead > 0 else 0.0
    limit = max(OVERFIT, overfit_limit(history))
    return {"overfit": overfit, "memorised": share} if overfit > limit and share > 0.05 else None


def overfit_limit(history: Sequence[Snapshot]) -> float:
    """What `overfit` hardly exceeds by chance; 1 or more if it cannot be judged. NaN if it was never measured."""
    last = history[-1]
    # Older logs know the noise alone, and even older ones neither.
    return last.signals.get("overfit_limit", 0.5 + 3 * last.get("overfit_noise"))


def _d_dominates(history: Sequence[Snapshot]) -> Evidence | None:
    advantage = _median(history, "advantage")
    lead = _median(history, "logit_real") - _median(history, "logit_fake")
    if (advantage > 0.95 and lead > 7) or advantage > 0.999:
        return {"advantage": advantage, "lead": lead, "gradient": _median(history, "gradient")}
    return None


def _g_dominates(history: Sequence[Snapshot]) -> Evidence | None:
    advantage, auc = _median(history, "advantage"), _median(history, "auc")
    far = _median(history, "distance")
    # D is at chance level at the end of a successful run, too: it is a problem only far from the reals. Not so far, a
    # D with a penalty or a spectral norm is often at chance level and gets over it: there it must be clearly worse.
    lost, undecided = (-0.1, 0.4) if far < NEAR else (-0.01, 0.55)
    if (advantage < lost or auc < undecided) and far > 2.5:
        return {"advantage": advantage, "auc": auc, "distance": far}
    return None


def _partial_collapse(history: Sequence[Snapshot]) -> Evidence | None:
    duplicates = _median(history, "duplicates")
    return {"duplicates": duplicates, "diversity": _median(history, "diversity")} if duplicates > 0.5 else None


def _oscillation(history: Sequence[Snapshot]) -> Evidence | None:
    movement = _median(history, "movement")
    now = distance(history)
    # A young game has no best to compare with: it must have moved away from the reals.
    start = 1.1 * history[0].get("distance") / 0.9 if len(history) > SMOOTH else math.inf
    before = min((distance(history[:end]) for end in range(SMOOTH, len(history) - PROGRESS)), default=start)
    # Fast movement is normal early on, while the distance falls, and at the end, near the reals. A single image that
    # moves is a mode collapse.
    alone = _median(history, "diversity") < 0.05
    # While images change altogether from snapshot to snapshot, and D is not outrun, only halving the distance would be
    # progress; otherwise a tenth is.
    some = 0.5 if movement > 0.8 and _median(history, "auc") > 0.9 else 0.9
    if movement > 0.48 and now > NEAR and now > some * before and not alone:
        return {"movement": movement, "distance": now, "best": before}
    return None


def _past_best(history: Sequence[Snapshot]) -> Evidence | None:
    peak = history.index(best(history)) + 1
    then, now = distance(history[:peak]), distance(history)
    # Near the reals it is mostly chance which snapshot was best: there the kept model must be worse as well.
    if now < NEAR and history[-1].get("aged") < 1.25:
        return None
    if len(history) - peak >= PROGRESS and now > WORSE * then:
        return {"distance": now, "best": then, "images_ago": history[-1].images - history[peak - 1].images}
    return None


def _class_imbalance(history: Sequence[Snapshot]) -> Evidence | None:
    rarest, commonest = _median(history, "rarest"), _median(history, "commonest")
    # Far from the reals a classifier sees whatever it likes.
    if distance(history) < NEAR and (rarest < 0.5 or commonest > 2):
        return {"rarest": rarest, "commonest": commonest}
    return None


# The evidence that measures the severity of a problem, and whether more (1) or less (-1) of it is better.
SEVERITY: dict[Name, tuple[str, int]] = {
    "divergence": ("score", -1),
    "d-overfits": ("overfit", -1),
    "oscillation": ("movement", -1),
    "d-dominates": ("gradient", 1),
    "mode-collapse": ("features", 1),
    "g-dominates": ("auc", 1),
    "partial-collapse": ("duplicates", -1),
    "past-best": ("distance", -1),
    "class-imbalance": ("rarest", 1),
}


def improved(name: Name, before: Evidence, now: Evidence) -> bool:
    """Whether the severity of a persisting problem has improved by more than a tenth."""
    key, better = SEVERITY[name]
    if key not in before or key not in now:
        return False
    return better * (now[key] - before[key]) > 0.1 * abs(before[key])


# In order of precedence: earlier ones explain later ones.
CONDITIONS: dict[Name, Callable[[Sequence[Snapshot]], Evidence | None]] = {
    "divergence": _divergence,
    "d-overfits": _d_overfits,
    "oscillation": _oscillation,
    "d-dominates": _d_dominates,
    "mode-collapse": _mode_collapse,
    "g-dominates": _g_dominates,
    "partial-collapse": _partial_collapse,
    "past-best": _past_best,
    "class-imbalance": _class_imbalance,
}
