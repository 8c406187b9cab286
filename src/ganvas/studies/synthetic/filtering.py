"""Which candidates are kept: no copies, clearly of their class, and not those that D finds least real."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganvas.metrics.memorization import nearest, nearest_other
from ganvas.studies.synthetic.fakes import Candidates
from ganvas.studies.synthetic.reals import LabelledImages
from ganvas.studies.synthetic.settings import SyntheticSettings

REASONS = ("copy", "unsure", "unreal")
"""Why a candidate is rejected; the first that holds counts: it is too near to a real image, the classifier is unsure of
its class, D finds it among the least real of those left."""
SPARE = "spare"
"""A candidate that passed after enough others of its class."""
ACCEPTED = "accepted"
AT_ONCE = 1024  # real images compared together


@dataclass(frozen=True)
class FilterResult:
    """The candidates, and the filter's verdict on each.

    Attributes:
        candidates: all of them.
        confidence: probability of its own class by the classifier, float64 (N,).
        neighbour: index of the nearest real training image, int64 (N,).
        distance: to it, per pixel in 0..1, float64 (N,): the nearer of the candidate and its mirror image.
        copy_below: the distance under which a candidate of each class counts as a copy, float64 (classes,). Images
            of simple classes are closer together than those of rich ones: what is near for an 8 is usual for a 1.
        fate: of each, str (N,): ACCEPTED, SPARE, or one of REASONS.
    """

    candidates: Candidates
    confidence: NDArray[np.float64]
    neighbour: NDArray[np.int64]
    distance: NDArray[np.float64]
    copy_below: NDArray[np.float64]
    fate: NDArray[np.str_]

    @property
    def accepted(self) -> NDArray[np.int64]:
        """The indices of the accepted candidates, in order."""
        return np.flatnonzero(self.fate == ACCEPTED)

    @property
    def fakes(self) -> LabelledImages:
        """The accepted images."""
        made = self.candidates.made
        return LabelledImages(made.images[self.accepted], made.labels[self.accepted])

    def count(self, fate: str, label: int | None = None) -> int:
        """The number of candidates with a fate, of one class or of all."""
        hit = self.fate == fate
        return int(hit.sum() if label is None else (hit & (self.candidates.made.labels == label)).sum())


def filter_candidates(
    candidates: Candidates, confidence: NDArray[np.float64], reals: LabelledImages, settings: SyntheticSettings
) -> FilterResult:
    """Decide on each candidate.

    Args:
        confidence: probability of each candidate's class by a classifier trained on the reals, (N,).
        reals: the training images.
    """
    made = candidates.made
    parts = [reals.images[start : start + AT_ONCE] for start in range(0, len(reals), AT_ONCE)]
    plain, mirrored = nearest(made.images, parts), nearest(made.images[:, :, ::-1], parts)
    closer = mirrored.distance < plain.distance
    distance = np.where(closer, mirrored.distance, plain.distance)
    apart = nearest_other(reals.images)
    own = [apart[reals.labels == label] for label in range(int(reals.labels.max()) + 1)]
    copy_below = np.array([np.quantile(one, settings.copies) if settings.copies else 0.0 for one in own])
    fate = np.full(len(made), ACCEPTED, dtype="<U8")
    fate[confidence < settings.confidence] = "unsure"
    fate[distance < copy_below[made.labels]] = "copy"
    for label in np.unique(made.labels):
        left = np.flatnonzero((fate == ACCEPTED) & (made.labels == label))
        if candidates.realness is not None and len(left):
            scores = candidates.realness[left]
            low = scores < np.quantile(scores, settings.realness)
            fate[left[low]] = "unreal"
            left = left[~low]
        fate[left[settings.per_class :]] = SPARE
    neighbour = np.where(closer, mirrored.index, plain.index)
    return FilterResult(candidates, confidence, neighbour, distance, copy_below, fate)
