"""The diagnosis of a run from its folder, whether finished or not."""

from __future__ import annotations

from dataclasses import dataclass

from ganvas.diagnosis.interlace import interlace
from ganvas.diagnosis.verdicts import Snapshot, Verdict, overfit_limit, snapshots, timeline
from ganvas.errors import InputError
from ganvas.runs.record import Record

LAST = 0.1  # final part of the run over which the interlacing of the losses is computed


@dataclass(frozen=True)
class Diagnosis:
    """The diagnosis of a run.

    Attributes:
        snapshots: all of them, in order.
        timeline: the verdicts in order, each where it first applied; the last one is current.
        interlace: how much the losses interlaced at the end, 0 to 1; None if they are not comparable.
        unjudged: sentences on the verdicts that this run cannot get, whatever happens.
    """

    snapshots: list[Snapshot]
    timeline: list[Verdict]
    interlace: float | None
    unjudged: list[str]


def diagnose(record: Record) -> Diagnosis:
    """Diagnose a run from its log.

    Raises:
        InputError: the log has no snapshots.
    """
    found = snapshots(record.log)
    if not found:
        raise InputError(
            f"the run {record.path} has no diagnosis in its log; if it generates from noise, train it further or with a"
            " smaller --watch.diagnose-every, otherwise see its losses and measures with ganvas compare."
        )
    verdicts = timeline(found, record.plain.get("batch_size", 0))
    ended = [event for event in record.events if event["event"] == "diverged"]
    if ended:
        images = ended[-1].get("images", found[-1].images)
        verdicts.append(Verdict("divergence", images, images, {}))
    return Diagnosis(found, verdicts, _interlace(record), unjudged(found[-1]))


def unjudged(snapshot: Snapshot) -> list[str]:
    """Sentences on the verdicts for which a snapshot has no evidence."""
    sentences = []
    if "advantage" not in snapshot.signals:
        sentences.append(
            "whether D dominates: a Wasserstein critic is meant to be ahead of G, and its loss has no scale; all other"
            " verdicts are given on critics, too."
        )
    if "overfit" not in snapshot.signals:
        sentences.append("whether D overfits: no images are held out; hold some out with --data.held-out 0.05.")
    elif overfit_limit([snapshot]) >= 1:
        sentences.append(
            "whether D overfits: too few images are held out to tell it from chance; hold out more with"
            " --data.held-out, or look for copies with ganvas evaluate."
        )
    if "rarest" not in snapshot.signals:
        sentences.append(
            "class imbalance: it takes a classifier that knows the classes of the data (of handwritten digits: digits),"
            " a run without --system.classes, and some 64,000 images."
        )
    return sentences


def _interlace(record: Record) -> float | None:
    # Only non-saturating cross-entropy has comparable losses: both in nats per image, and with the same sign.
    recipe = record.recipe
    if recipe.get("objective.type") != "NonSaturating" or recipe.get("objective.saturating"):
        return None
    last = record.log[-1]["images"]
    d, g = (dict(record.terms.get(name, ())) for name in ("d/adversarial", "g/adversarial"))
    window = [images for images in d if images in g and images > (1 - LAST) * last]
    if len(window) < 3:
        return None
    return interlace([d[images] / 2 for images in window], [g[images] for images in window])
