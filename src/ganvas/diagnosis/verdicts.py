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


SMOOTH = 3  # looks over which the distance is averaged


@dataclass(frozen=True)
class Look:
    """What was measured at one moment of a run.

    Attributes:
        images: real images seen.
        signals: as `ganvas.diagnosis.signals.Probe.look` gives them.
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
    return [Look(line["images"], line["signals"], line.get("terms", {})) for line in lines if "signals" in line]


def distance(history: Sequence[Look]) -> float:
    """The fakes' distance to the reals, the mean over the last three looks; infinite before there are three."""
    last = [look.get("distance") for look in history[-SMOOTH:]]
    return statistics.fmean(last) if len(last) == SMOOTH else math.inf


def best(history: Sequence[Look]) -> Look:
    """The look at which the averaged distance was smallest."""
    ends = range(min(SMOOTH, len(history)), len(history) + 1)
    return history[min(ends, key=lambda end: distance(history[:end])) - 1]


def judge(history: Sequence[Look]) -> Verdict:
    """The verdict at the last look: the first of the conditions that has held for `HOLD` looks in a row."""
    if not history:
        return Verdict("healthy", 0, 0, {})
    now = history[-1].images
    for name, condition in CONDITIONS:
        shown = [condition(history[:end]) for end in range(max(1, len(history) - HOLD + 1), len(history) + 1)]
        if len(shown) == HOLD and all(evidence is not None for evidence in shown):
            return Verdict(name, now, history[-HOLD].images, shown[-1] or {})
    return Verdict("healthy", now, now, {})


def timeline(history: Sequence[Look]) -> list[Verdict]:
    """The verdicts in order, each where it was first given; since when it holds is never before the one before."""
    found: list[Verdict] = []
    for end in range(1, len(history) + 1):
        verdict = judge(history[:end])
        if not found or verdict.name != found[-1].name:
            found.append(verdict)
    return found


Evidence = dict[str, float]
HOLD = 3  # looks in a row that must show a condition


def _median(history: Sequence[Look], name: str) -> float:
    """Over the last looks; NaN where the signal was not measured."""
    values = [look.get(name) for look in history[-SMOOTH:] if name in look.signals]
    return statistics.median(values) if values else math.nan


def _divergence(history: Sequence[Look]) -> Evidence | None:
    # A critic without a bound on its slope can raise its scores for ever.
    score = max(abs(_median(history, "logit_real")), abs(_median(history, "logit_fake")))
    return {"score": score} if score > 30 else None


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
    return {"overfit": overfit, "memorised": share} if overfit > 0.66 and share > 0.1 else None


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
    return {"movement": movement} if movement > 0.7 else None


def _past_best(history: Sequence[Look]) -> Evidence | None:
    then, now = distance(history[: history.index(best(history)) + 1]), distance(history)
    looks_ago = len(history) - 1 - history.index(best(history))
    if looks_ago >= 5 and now > 1.5 * then:
        return {"distance": now, "best": then, "ago": history[-1].images - best(history).images}
    return None


# The first that holds is given: what comes first explains what comes later.
CONDITIONS: tuple[tuple[Name, Callable[[Sequence[Look]], Evidence | None]], ...] = (
    ("divergence", _divergence),
    ("mode-collapse", _mode_collapse),
    ("d-overfits", _d_overfits),
    ("d-dominates", _d_dominates),
    ("g-dominates", _g_dominates),
    ("partial-collapse", _partial_collapse),
    ("oscillation", _oscillation),
    ("past-best", _past_best),
)
