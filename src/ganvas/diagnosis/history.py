"""The diagnosis of a run from its folder, finished or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ganvas.diagnosis.interlace import interlace
from ganvas.diagnosis.verdicts import Look, Verdict, looks, timeline
from ganvas.errors import InputError
from ganvas.runs.folder import RunFolder

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


def diagnose(folder: RunFolder) -> Diagnosis:
    """Judge a run by its log.

    Raises:
        InputError: there is no run, or it was never looked at.
    """
    recipe = folder.read_recipe()
    lines = folder.read_log()
    seen = looks(lines)
    if not seen and recipe.get("data", {}).get("type") == "Crops":
        raise InputError(
            f"the run {folder.path} enlarges pictures, and the diagnosis knows games that begin at noise; ganvas"
            " compare shows its losses and its distance to the originals."
        )
    if not seen:
        raise InputError(
            f"the run {folder.path} has no looks in its log; train it further, or with a smaller"
            " --watch.diagnose-every, so that there is something to judge."
        )
    verdicts = timeline(seen)
    ended = [event for event in folder.read_events() if event["event"] == "diverged"]
    if ended:
        images = ended[-1].get("images", seen[-1].images)
        verdicts.append(Verdict("divergence", images, images, {}))
    return Diagnosis(seen, verdicts, _interlace(recipe, lines))


def _interlace(recipe: dict[str, Any], lines: list[dict[str, Any]]) -> float | None:
    # Other losses have no unit in common; cross-entropy is in nats per picture on both sides, and not negated.
    objective = recipe.get("objective", {})
    if objective.get("type") != "NonSaturating" or objective.get("saturating"):
        return None
    last = lines[-1]["images"]
    losses = [line for line in lines if "d/adversarial" in line and "g/adversarial" in line]
    window = [line for line in losses if line["images"] > (1 - LAST) * last]
    if len(window) < 3:
        return None
    return interlace([line["d/adversarial"] / 2 for line in window], [line["g/adversarial"] for line in window])
