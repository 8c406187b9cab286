"""The diagnosis of a run from its folder, finished or not."""

from __future__ import annotations

from dataclasses import dataclass

from ganvas.diagnosis.interlace import interlace
from ganvas.diagnosis.verdicts import Look, Verdict, looks, timeline
from ganvas.errors import InputError
from ganvas.runs.record import Record

LAST = 0.1  # share of the run over which the losses' interlacing is reported


@dataclass(frozen=True)
class Diagnosis:
    """What a run's looks say.

    Attributes:
        looks: all of them.
        timeline: the verdicts in order, each where it was first given; the last one stands.
        interlace: how the losses interlaced at the end, 0 to 1; None where the losses are of no common kind.
    """

    looks: list[Look]
    timeline: list[Verdict]
    interlace: float | None


def diagnose(record: Record) -> Diagnosis:
    """Judge a run by its log.

    Raises:
        InputError: nobody looked at the game while it was trained.
    """
    seen = looks(record.log)
    if not seen:
        raise InputError(
            f"the run {record.path} has no looks in its log, so there is nothing to judge: games that begin at noise"
            " are looked at while they are trained (train it further, or with a smaller --watch.diagnose-every); of any"
            " other run ganvas compare shows the losses and the distance to the originals."
        )
    verdicts = timeline(seen)
    ended = [event for event in record.events if event["event"] == "diverged"]
    if ended:
        images = ended[-1].get("images", seen[-1].images)
        verdicts.append(Verdict("divergence", images, images, {}))
    return Diagnosis(seen, verdicts, _interlace(record))


def _interlace(record: Record) -> float | None:
    # Other losses have no unit in common; cross-entropy is in nats per image on both sides, and not negated.
    objective = record.plain.get("objective", {})
    if objective.get("type") != "NonSaturating" or objective.get("saturating"):
        return None
    last = record.log[-1]["images"]
    d, g = (dict(record.terms.get(name, ())) for name in ("d/adversarial", "g/adversarial"))
    window = [images for images in d if images in g and images > (1 - LAST) * last]
    if len(window) < 3:
        return None
    return interlace([d[images] / 2 for images in window], [g[images] for images in window])
