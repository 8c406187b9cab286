"""What a probe showed, and what follows from all of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.diagnosis.verdicts import judge, looks
from ganvas.metrics.intervals import Estimate
from ganvas.runs.folder import RunFolder
from ganvas.tuning.candidates import Candidate


@dataclass(frozen=True)
class Probe:
    """One short run of a candidate, at the end of a rung."""

    candidate: Candidate
    seed: int
    folder: RunFolder
    images: int
    """Real images seen."""
    kid: Estimate | None
    """The last one measured, with the 95 % interval over its pictures; none before the first."""
    verdict: str
    """Name of the diagnosis at the end, or diverged."""
    why: str
    """The same as a sentence, with its evidence."""
    seconds: float
    """Of all its training and measuring, whatever number of calls they took."""

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with its game."""
        return self.verdict == "healthy" and self.kid is not None

    @property
    def badness(self) -> tuple[int, float]:
        """Probes in this order are ranked: sound ones, then ill ones, then those that diverged; each by their KID."""
        diverged = self.verdict == "diverged" or self.kid is None
        return 2 if diverged else int(not self.is_sound), self.kid.value if self.kid else 0.0


def read(candidate: Candidate, seed: int, folder: RunFolder) -> Probe:
    """What a probe's folder says of it."""
    log, events = folder.read_log(), folder.read_events()
    last = next((line for line in reversed(log) if "kid" in line), None)
    kid = Estimate(last["kid"], last["kid_low"], last["kid_high"]) if last else None
    verdict = judge(looks(log))
    name, why, images = str(verdict.name), str(verdict), events[-1]["images"]
    if events[-1]["event"] == "diverged":
        name, why = "diverged", f"diverged at image {images:,}: {events[-1]['term']} is no longer a number"
    return Probe(candidate, seed, folder, images, kid, name, why, _seconds(events))


def _seconds(events: Sequence[dict[str, Any]]) -> float:
    """Between each start and the end that belongs to it; what was killed has none."""
    spent, began = 0.0, None
    for event in events:
        if event["event"] in ("started", "resumed"):
            began = event["time"]
        elif event["event"] in ("finished", "stopped", "diverged") and began is not None:
            spent, began = spent + event["time"] - began, None
    return spent


@dataclass(frozen=True)
class Choice:
    """What the search would take."""

    candidate: Candidate | None
    """None where every finalist diverged."""
    reason: str
    """One sentence."""


Group = Sequence[Probe]
"""One candidate's probes, one for each seed."""


def choose(finals: Sequence[Group], factors: Sequence[float]) -> Choice:
    """The candidate with the lowest mean KID, unless it cannot be told from the recipe's own values.

    It can be told apart if the KIDs' intervals do not meet, with every seed. What is ill is never chosen while there is
    something sound.

    Args:
        finals: of every finalist its probes, seeds in the same order; the recipe's own among them, unless it diverged.
        factors: that were tried: at their ends better values may lie beyond.
    """
    standing = [group for group in finals if all(probe.verdict != "diverged" for probe in group)]
    own = next((group for group in finals if group[0].candidate.is_own), None)
    if not standing:
        return Choice(None, "every finalist diverged; lower the rates, or add a penalty, and tune from there.")
    sound = [group for group in standing if all(probe.is_sound for probe in group)]
    best = min(sound or standing, key=_mean)
    name, at = best[0].candidate.label, _mean(best)
    ill = "" if sound else f" All finalists are ill at their end ({_illness(best)}): no rate here mends this game."
    if own is None or own not in standing:
        return Choice(best[0].candidate, f"{name}: the recipe's own values diverge." + ill + _edge(best, factors))
    if best is own:
        return Choice(own[0].candidate, f"the recipe's own values: no others came nearer (KID {at:.4g})." + ill)
    if sound and own not in sound:
        told = f"{name} (KID {at:.4g}): with the recipe's own values the game ends ill ({_illness(own)})."
        return Choice(best[0].candidate, told + _edge(best, factors))
    if all(_below(one, other) for one, other in zip(best, own, strict=True)):
        seeds = "its seed" if len(best) == 1 else f"all {len(best)} seeds"
        told = f"{name}: KID {at:.4g} against {_mean(own):.4g} of the recipe's own, intervals apart with {seeds}."
        return Choice(best[0].candidate, told + ill + _edge(best, factors))
    told = f"the recipe's own values: {name} (KID {at:.4g} against {_mean(own):.4g}) cannot be told apart from them."
    return Choice(own[0].candidate, told + ill)


def _mean(group: Group) -> float:
    return statistics.fmean(probe.kid.value for probe in group if probe.kid) if group[0].kid else float("inf")


def _below(one: Probe, other: Probe) -> bool:
    return one.kid is not None and other.kid is not None and one.kid.high < other.kid.low


def _illness(group: Group) -> str:
    return next((probe.why for probe in group if not probe.is_sound), "")


def _edge(group: Group, factors: Sequence[float]) -> str:
    chosen = group[0].candidate
    ends = [factor for factor in (chosen.lr, chosen.penalty) if factor != 1 and factor in (min(factors), max(factors))]
    return " It lies at the edge of what was tried: better may lie beyond." if ends else ""
