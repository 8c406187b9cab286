"""What a trial measured, and what follows from all of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ganvas.diagnosis.verdicts import assess, snapshots
from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import Estimate
from ganvas.runs.folder import RunFolder
from ganvas.runs.record import Record
from ganvas.studies.tuning.candidates import TuningCandidate
from ganvas.untrusted import Json


@dataclass(frozen=True)
class Trial:
    """One short run of a candidate, at the end of a rung."""

    candidate: TuningCandidate
    seed: int
    folder: RunFolder
    images: int
    """Real images seen."""
    kid: Estimate | None
    """The last one measured, with its 95 % interval; None before the first."""
    swd: float
    """Sliced Wasserstein distance, measured with the KID; infinite before the first."""
    verdict: str
    """Name of the last diagnosis, or diverged."""
    why: str
    """The diagnosis as a sentence, with its evidence."""
    seconds: float
    """All its training and measuring, over any number of calls."""

    @property
    def is_healthy(self) -> bool:
        """Whether the diagnosis found nothing wrong."""
        return self.verdict == "healthy" and self.kid is not None

    @property
    def has_diverged(self) -> bool:
        """Whether it diverged, or ended before anything was measured."""
        return self.verdict == "diverged" or self.kid is None


Trials = Sequence[Trial]
"""One candidate's trials of one length, one for each seed."""


def read(candidate: TuningCandidate, seed: int, folder: RunFolder, images: int) -> Trial:
    """The trial as it stood after `images` images, however much further its run went."""
    record = Record(folder)
    last, patches = (_last(record, measure, images) for measure in ("KID", "SWD"))
    kid = Estimate(last.value, last.low, last.high) if last and last.low is not None and last.high is not None else None
    swd = patches.value if patches else math.inf
    verdict, end = assess(snapshots(line for line in record.log if line["images"] <= images)), record.events[-1]
    name, why, seen = str(verdict.name), str(verdict), min(images, end["images"])
    if end["event"] == "diverged" and end["images"] <= images:
        name, why = "diverged", f"diverged at image {seen:,}: {end['term']} is no longer a number"
    return Trial(candidate, seed, folder, seen, kid, swd, name, why, _seconds(record.events))


def _last(record: Record, measure: str, images: int) -> Figure | None:
    found = [figure for figure in record.log_figures(measure) if (figure.images_seen or 0) <= images]
    return found[-1] if found else None


def _seconds(events: Sequence[Json]) -> float:
    """Time between each start and its end; a killed run has no end."""
    spent, started = 0.0, None
    for event in events:
        if event["event"] in ("started", "resumed"):
            started = event["time"]
        elif event["event"] in ("finished", "stopped", "diverged") and started is not None:
            spent, started = spent + event["time"] - started, None
    return spent


@dataclass(frozen=True)
class Recommendation:
    """What the search recommends."""

    candidate: TuningCandidate | None
    """None if every finalist diverged."""
    reason: str
    """One sentence."""


def ranked(groups: Sequence[Trials]) -> list[Trials]:
    """Healthy candidates, then unhealthy ones, then those that diverged; each by the sum of its ranks in KID and SWD.

    The features of a network are blind to noise: early on, the KID can grow while digits emerge from noise. The SWD
    sees that, and misses what the KID sees later. The sum of ranks trusts neither alone.
    """
    ranks = [sorted(measure(group) for group in groups) for measure in (_kid, _swd)]

    def key(group: Trials) -> tuple[int, int, float]:
        worst = max(2 if trial.has_diverged else int(not trial.is_healthy) for trial in group)
        return worst, ranks[0].index(_kid(group)) + ranks[1].index(_swd(group)), _kid(group)

    return sorted(groups, key=key)


def choose(finals: Sequence[Trials], factors: Sequence[float]) -> Recommendation:
    """The best finalist that is clearly better than the recipe's own values; else these.

    Clearly better: with every seed the KID's interval lies below the own one's, and the SWD is smaller too. An
    unhealthy candidate is never chosen while there is a healthy one.

    Args:
        finals: the trials of every finalist, seeds in the same order; the recipe's own among them, unless it diverged.
        factors: all that were tried; a choice at the edge may not be the best one.
    """
    groups = ranked(finals)
    best = groups[0]
    own = next((group for group in groups if group[0].candidate.is_own), None)
    if any(trial.has_diverged for trial in best):
        return Recommendation(
            None, "none: every finalist diverged; lower the learning rates or add a penalty, and tune from there."
        )
    first = best[0].candidate
    name, at = first.label, f"KID {_kid(best):.4g}"
    edge = _edge(first, factors)
    ill = "" if _is_healthy(best) else f" No value tried makes this game healthy: {_illness(best)}."
    if own is None or any(trial.has_diverged for trial in own):
        return Recommendation(first, f"{name} ({at}): the recipe's own values diverge.{ill}{edge}")
    if best is own:
        return Recommendation(first, f"the recipe's own values: no others are better ({at}).{ill}")
    if _is_healthy(best) and not _is_healthy(own):
        return Recommendation(first, f"{name} ({at}): the recipe's own values end unhealthy: {_illness(own)}.{edge}")
    ahead = groups[: groups.index(own)]
    for group in ahead:
        if all(_is_below(one, other) for one, other in zip(group, own, strict=True)):
            other = group[0].candidate
            gain = f"KID {_kid(group):.4g} against {_kid(own):.4g} of the recipe's own"
            seeds = "the one seed" if len(group) == 1 else f"each of {len(group)} seeds"
            reason = f"{other.label}: it is better beyond the intervals with {seeds} ({gain})."
            return Recommendation(other, f"{reason}{ill}{_edge(other, factors)}")
    names = " and ".join(group[0].candidate.label for group in ahead)
    gap = f"KID {_kid(best):.4g} against {_kid(own):.4g}"
    reason = f"the recipe's own values: {names} ({gap}) cannot be distinguished from them."
    return Recommendation(own[0].candidate, reason + ill)


def _kid(group: Trials) -> float:
    return statistics.fmean(trial.kid.value if trial.kid else math.inf for trial in group)


def _swd(group: Trials) -> float:
    return statistics.fmean(trial.swd for trial in group)


def _is_healthy(group: Trials) -> bool:
    return all(trial.is_healthy for trial in group)


def _is_below(one: Trial, other: Trial) -> bool:
    if one.kid is None or other.kid is None:
        return False
    return one.kid.high < other.kid.low and one.swd < other.swd


def _illness(group: Trials) -> str:
    return next(trial.why for trial in group if not trial.is_healthy)


def _edge(chosen: TuningCandidate, factors: Sequence[float]) -> str:
    ends = min(factors), max(factors)
    is_extreme = any(factor != 1 and factor in ends for factor in (chosen.lr, chosen.penalty))
    return " It is at the edge of what was tried; better values may lie beyond." if is_extreme else ""
