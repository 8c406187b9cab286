"""What a probe showed, and what follows from all of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.diagnosis.verdicts import assess, snapshots
from ganvas.metrics.intervals import Estimate
from ganvas.runs.folder import RunFolder, figures_of
from ganvas.studies.tuning.candidates import Candidate


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
    swd: float
    """Sliced Wasserstein distance, taken with the KID; infinite before the first."""
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
    def has_diverged(self) -> bool:
        """Whether there is nothing to go on with."""
        return self.verdict == "diverged" or self.kid is None


Group = Sequence[Probe]
"""One candidate's probes at one count of images, one for each seed."""


def read(candidate: Candidate, seed: int, folder: RunFolder, images: int) -> Probe:
    """What a probe's folder says of its first `images` images, however far it went since."""
    log, events = [line for line in folder.read_log() if line["images"] <= images], folder.read_events()
    figures = {figure.measure: figure for line in log for figure in figures_of(line)}  # the last of each
    last, patches = figures.get("KID"), figures.get("SWD")
    kid = Estimate(last.value, last.low, last.high) if last and last.low is not None and last.high is not None else None
    swd = patches.value if patches else math.inf
    verdict, end = assess(snapshots(log)), events[-1]
    name, why, seen = str(verdict.name), str(verdict), min(images, end["images"])
    if end["event"] == "diverged" and end["images"] <= images:
        name, why = "diverged", f"diverged at image {seen:,}: {end['term']} is no longer a number"
    return Probe(candidate, seed, folder, seen, kid, swd, name, why, _seconds(events))


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


def ranked(groups: Sequence[Group]) -> list[Group]:
    """Sound candidates, then ill ones, then those that diverged; each by the sum of their places in KID and in SWD.

    The features of a network know nothing of noise: early on its KID can grow while digits emerge from it. The SWD sees
    that, and is blind to what the KID sees later. The sum of places trusts neither alone.
    """
    places = [sorted(measure(group) for group in groups) for measure in (_kid, _swd)]

    def key(group: Group) -> tuple[int, int, float]:
        worst = max(2 if probe.has_diverged else int(not probe.is_sound) for probe in group)
        return worst, places[0].index(_kid(group)) + places[1].index(_swd(group)), _kid(group)

    return sorted(groups, key=key)


def choose(finals: Sequence[Group], factors: Sequence[float]) -> Choice:
    """The first of the finalists that can be told from the recipe's own values; these where none can.

    It can be told apart where, with every seed, the intervals of the KIDs do not meet and the SWD is smaller too. What
    is ill is never chosen while something is sound.

    Args:
        finals: of every finalist its probes, seeds in the same order; the recipe's own among them, unless it diverged.
        factors: that were tried: at their ends better values may lie beyond.
    """
    groups = ranked(finals)
    best = groups[0]
    own = next((group for group in groups if group[0].candidate.is_own), None)
    if any(probe.has_diverged for probe in best):
        return Choice(None, "none, for every finalist diverged: lower the rates or add a penalty, and tune from there.")
    first = best[0].candidate
    name, at = first.label, f"KID {_kid(best):.4g}"
    edge = _edge(first, factors)
    ill = "" if _is_sound(best) else f" No value tried mends this game: {_illness(best)}."
    if own is None or any(probe.has_diverged for probe in own):
        return Choice(first, f"{name} ({at}), for the recipe's own values diverge.{ill}{edge}")
    if best is own:
        return Choice(first, f"the recipe's own values, for no others came nearer ({at}).{ill}")
    if _is_sound(best) and not _is_sound(own):
        return Choice(first, f"{name} ({at}), for the recipe's own values end ill: {_illness(own)}.{edge}")
    ahead = groups[: groups.index(own)]
    for group in ahead:
        if all(_is_below(one, other) for one, other in zip(group, own, strict=True)):
            other = group[0].candidate
            told = (
                f"{other.label}, for it came nearer (KID {_kid(group):.4g} against {_kid(own):.4g} of the recipe's own)"
            )
            seeds = "the one seed" if len(group) == 1 else f"each of {len(group)} seeds"
            return Choice(other, f"{told}, beyond the intervals with {seeds}.{ill}{_edge(other, factors)}")
    names = " and ".join(group[0].candidate.label for group in ahead)
    nearest = f"KID {_kid(best):.4g} against {_kid(own):.4g}"
    reason = f"the recipe's own values, for {names} ({nearest}) cannot be told apart from them."
    return Choice(own[0].candidate, reason + ill)


def _kid(group: Group) -> float:
    return statistics.fmean(probe.kid.value if probe.kid else math.inf for probe in group)


def _swd(group: Group) -> float:
    return statistics.fmean(probe.swd for probe in group)


def _is_sound(group: Group) -> bool:
    return all(probe.is_sound for probe in group)


def _is_below(one: Probe, other: Probe) -> bool:
    if one.kid is None or other.kid is None:
        return False
    return one.kid.high < other.kid.low and one.swd < other.swd


def _illness(group: Group) -> str:
    return next(probe.why for probe in group if not probe.is_sound)


def _edge(chosen: Candidate, factors: Sequence[float]) -> str:
    ends = min(factors), max(factors)
    at = any(factor != 1 and factor in ends for factor in (chosen.lr, chosen.penalty))
    return " It lies at the edge of what was tried: better may lie beyond." if at else ""
