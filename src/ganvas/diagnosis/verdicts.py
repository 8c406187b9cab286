"""From a history of looks to a named verdict, with its evidence and since when.

The thresholds were tuned on one half of the runs of `benchmarks/diagnosis` and judged on the other half.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Name = Literal[
    "healthy",
    "d-dominates",
    "g-dominates",
    "mode-collapse",
    "partial-collapse",
    "d-overfits",
    "oscillation",
    "divergence",
    "past-best",
]


SMOOTH = 3  # looks of which the median counts
HOLD = 3  # looks in a row that must show a condition
PROGRESS = 5  # looks after which some progress is expected
NEAR = 5  # distance below which chance decides much, since a look has few fakes


@dataclass(frozen=True)
class Look:
    """What was measured at one moment of a run.

    Attributes:
        images: real images seen.
        signals: as `ganvas.diagnosis.signals.Probe.look` gives them; and `aged`, how many times its least the measure
            of the kept model is, by the KID where the run measures it.
        terms: mean loss terms since the look before.
    """

    images: int
    signals: dict[str, float]
    terms: dict[str, float]

    def get(self, name: str) -> float:
        """A signal, or NaN where it was not measured."""
        return self.signals.get(name, math.nan)


@dataclass(frozen=True)
class Verdict:
    """What is wrong with the game, and since when.

    Attributes:
        name: of the verdict.
        images: real images seen when it was given.
        since: real images seen at the first look that showed it.
        evidence: the numbers it rests on, medians over the looks since then.
    """

    name: Name
    images: int
    since: int
    evidence: dict[str, float]

    def __str__(self) -> str:
        numbers = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in self.evidence.items())
        since = "" if self.name == "healthy" else f" since image {self.since:,}"
        return f"{TITLES[self.name]}{since}" + (f" ({numbers})" if numbers else "")


TITLES: dict[str, str] = {
    "healthy": "healthy",
    "d-dominates": "D dominates: it tells every fake, and what G learns from it fades",
    "g-dominates": "G dominates: D no longer tells fakes from reals, so it informs nobody",
    "mode-collapse": "mode collapse: G makes nearly the same picture from every noise",
    "partial-collapse": "partial mode collapse: G makes few kinds of pictures",
    "d-overfits": "D overfits: it knows its training pictures by heart",
    "oscillation": "oscillation: the players run in circles",
    "divergence": "divergence: scores and losses grow without bound",
    "past-best": "past its best: the fakes only get worse",
}


def looks(lines: Iterable[dict[str, Any]]) -> list[Look]:
    """The looks among the lines of a run's log."""
    return [
        Look(line["images"], line["signals"], line.get("terms", {}))
        for line in lines
        # A damaged line is as good as none.
        if isinstance(line.get("signals"), dict) and all(isinstance(v, float | int) for v in line["signals"].values())
    ]


def distance(history: Sequence[Look]) -> float:
    """The fakes' distance to the reals, the median of the last three looks; infinite before there are three."""
    last = [look.get("distance") for look in history[-SMOOTH:]]
    return statistics.median(last) if len(last) == SMOOTH else math.inf


def best(history: Sequence[Look]) -> Look:
    """The look at which the averaged distance was smallest."""
    ends = range(min(SMOOTH, len(history)), len(history) + 1)
    return history[min(ends, key=lambda end: distance(history[:end])) - 1]


def judge(history: Sequence[Look]) -> Verdict:
    """The verdict at the last look: the first of the conditions that has held for `HOLD` looks in a row."""
    for name in CONDITIONS:
        if verdict := holds(name, history):
            return verdict
    now = history[-1].images if history else 0
    return Verdict("healthy", now, now, {})


def holds(name: Name, history: Sequence[Look]) -> Verdict | None:
    """The verdict of that name, if its condition has held for `HOLD` looks in a row, whatever else is wrong."""
    shown = [CONDITIONS[name](history[:end]) for end in range(len(history), max(0, len(history) - HOLD), -1)]
    if len(shown) < HOLD or any(evidence is None for evidence in shown):
        return None
    return Verdict(name, history[-1].images, history[-HOLD].images, shown[0] or {})


def timeline(history: Sequence[Look]) -> list[Verdict]:
    """The verdicts in order, each where it was first given; since when it holds is never before the one before."""
    found: list[Verdict] = []
    for end in range(1, len(history) + 1):
        verdict = judge(history[:end])
        if not found or verdict.name != found[-1].name:
            found.append(verdict)
    return found


Evidence = dict[str, float]


def _median(history: Sequence[Look], name: str) -> float:
    """Over the last looks; NaN where the signal was not measured."""
    values = [look.get(name) for look in history[-SMOOTH:] if name in look.signals]
    return statistics.median(values) if values else math.nan


def _divergence(history: Sequence[Look]) -> Evidence | None:
    # A critic without a bound on its slope can raise its scores for ever, and a penalty can explode.
    score = max(abs(_median(history, "logit_real")), abs(_median(history, "logit_fake")))
    term = statistics.median([max(map(abs, look.terms.values()), default=0.0) for look in history[-SMOOTH:]])
    return {"score": score, "largest_term": term} if max(score, term) > 30 else None


def _mode_collapse(history: Sequence[Look]) -> Evidence | None:
    features, diversity = _median(history, "features"), _median(history, "diversity")
    if features < 0.05 and diversity < 0.05:
        return {"diversity": diversity, "features": features}
    return None


def _d_overfits(history: Sequence[Look]) -> Evidence | None:
    overfit = _median(history, "overfit")
    known = _median(history, "logit_real") - _median(history, "logit_held_out")
    lead = _median(history, "logit_real") - _median(history, "logit_fake")
    share = known / lead if lead > 0 else 0.0
    # A handful of held-out pictures may score low by chance. Older logs do not tell of it: max keeps 0.66 from NaN.
    by_chance = max(0.66, 0.5 + 3 * _median(history, "overfit_noise"))
    return {"overfit": overfit, "memorised": share} if overfit > by_chance and share > 0.1 else None


def _d_dominates(history: Sequence[Look]) -> Evidence | None:
    advantage = _median(history, "advantage")
    lead = _median(history, "logit_real") - _median(history, "logit_fake")
    if (advantage > 0.95 and lead > 7) or advantage > 0.999:
        return {"advantage": advantage, "lead": lead, "gradient": _median(history, "gradient")}
    return None


def _g_dominates(history: Sequence[Look]) -> Evidence | None:
    advantage, auc = _median(history, "advantage"), _median(history, "auc")
    far = _median(history, "distance")
    # Blind is what D is at the end of a won game, too: only far from the reals is it an illness.
    if (advantage < -0.01 or auc < 0.55) and far > 2.5:
        return {"advantage": advantage, "auc": auc, "distance": far}
    return None


def _partial_collapse(history: Sequence[Look]) -> Evidence | None:
    duplicates = _median(history, "duplicates")
    return {"duplicates": duplicates, "diversity": _median(history, "diversity")} if duplicates > 0.5 else None


def _oscillation(history: Sequence[Look]) -> Evidence | None:
    movement = _median(history, "movement")
    now = distance(history)
    before = min((distance(history[:end]) for end in range(SMOOTH, len(history) - PROGRESS)), default=math.inf)
    # What moves fast and comes nearer is young; what moves near the reals is a game at its end. Neither is ill.
    # A single picture that moves is a collapse.
    alone = _median(history, "diversity") < 0.05
    if movement > 0.48 and now > NEAR and now > 0.9 * before and not alone:
        return {"movement": movement, "distance": now, "best": before}
    return None


def _past_best(history: Sequence[Look]) -> Evidence | None:
    peak = history.index(best(history)) + 1
    then, now = distance(history[:peak]), distance(history)
    # Near the reals it is mostly chance which of the looks was best: there the kept model must be worse as well.
    if now < NEAR and history[-1].get("aged") < 1.25:
        return None
    if len(history) - peak >= PROGRESS and now > 1.6 * then:
        return {"distance": now, "best": then, "images_ago": history[-1].images - history[peak - 1].images}
    return None


# What of its evidence tells how bad an illness is, and whether more (1) or less (-1) of it is better.
TELLING: dict[Name, tuple[str, int]] = {
    "divergence": ("score", -1),
    "d-overfits": ("overfit", -1),
    "oscillation": ("movement", -1),
    "d-dominates": ("gradient", 1),
    "mode-collapse": ("features", 1),
    "g-dominates": ("auc", 1),
    "partial-collapse": ("duplicates", -1),
    "past-best": ("distance", -1),
}


def eased(name: Name, before: Evidence, now: Evidence) -> bool:
    """Whether the evidence of a verdict that still stands has become better by more than a tenth."""
    key, better = TELLING[name]
    if key not in before or key not in now:
        return False
    return better * (now[key] - before[key]) > 0.1 * abs(before[key])


# The first that holds is given: what comes first explains what comes later.
CONDITIONS: dict[Name, Callable[[Sequence[Look]], Evidence | None]] = {
    "divergence": _divergence,
    "d-overfits": _d_overfits,
    "oscillation": _oscillation,
    "d-dominates": _d_dominates,
    "mode-collapse": _mode_collapse,
    "g-dominates": _g_dominates,
    "partial-collapse": _partial_collapse,
    "past-best": _past_best,
}
