"""Does a classifier learn more with the fakes than without them?

The same classifier, the same number of updates, five training mixes; tested on real images that nothing was trained on
(train on synthetic, test on real: Ravuri & Vinyals 2019, Classification Accuracy Score, arXiv:1905.10887).
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganvas.files import write_atomically
from ganvas.metrics.intervals import LEVEL, Estimate
from ganvas.reports.table import student
from ganvas.studies.synthetic.classifier import ClassifierConfig, TrainingMix, probabilities, train_classifier
from ganvas.studies.synthetic.reals import LabelledImages, RealSplit
from ganvas.studies.synthetic.settings import SyntheticSettings

REAL, CROPS, FAKES, BOTH, ALONE = "real", "real + flips/crops", "real + fakes", "real + both", "fakes alone"
ARMS = (REAL, CROPS, FAKES, BOTH, ALONE)

Hits = NDArray[np.bool_]


@dataclass(frozen=True)
class Benefit:
    """Which test images the classifiers of each arm got right.

    Attributes:
        right: of each arm, bool (seeds, test images).
        labels: classes of the test images (N,).
        classes: their names.
        flips: whether cropped images were also mirrored.
    """

    right: dict[str, Hits]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    flips: bool = True

    @property
    def seeds(self) -> int:
        """Classifiers of each arm."""
        return len(self.right[REAL])

    @property
    def rival(self) -> str:
        """The better of the two arms without fakes."""
        return max((CROPS, REAL), key=lambda arm: self.accuracy(arm).value)

    def accuracy(self, arm: str, label: int | None = None) -> Estimate:
        """Accuracy on the test images of one class or of all; its interval is clipped to 0 .. 1."""
        return _within(interval(self._of(arm, label)), 0)

    def gain(self, arm: str, over: str, label: int | None = None) -> Estimate:
        """Accuracy of one arm less that of another, paired by seed and by image; its interval is clipped to -1 .. 1."""
        return _within(interval(self._of(arm, label).astype(np.float64) - self._of(over, label)), -1)

    def name(self, arm: str) -> str:
        """The arm's name for people."""
        return name_of(arm, self.flips)

    @property
    def decisive(self) -> Estimate:
        """The gain that decides: real + both over the better arm without fakes."""
        return self.gain(BOTH, self.rival)

    @property
    def helps(self) -> bool:
        """Whether the whole interval of the decisive gain is above 0."""
        return self.decisive.low > 0

    @property
    def sentence(self) -> str:
        """The answer."""
        found = self.decisive
        both, rival = self.accuracy(BOTH).value, self.accuracy(self.rival).value
        evidence = (
            f"{BOTH} reaches an accuracy of {both:.4f} on held-out real images, {self.name(self.rival)} {rival:.4f}:"
            f" {found.value:+.4f}, 95 % interval {found.low:+.4f} .. {found.high:+.4f}, over {self.seeds} seeds and"
            f" {len(self.labels):,} images"
        )
        if self.helps:
            return f"The fakes help: {evidence}."
        if found.high < 0:
            return f"The fakes do not help, they hurt: {evidence}."
        return f"The fakes do not help significantly: {evidence}."

    def _of(self, arm: str, label: int | None) -> Hits:
        return self.right[arm] if label is None else self.right[arm][:, self.labels == label]


def evaluate_benefit(
    reals: RealSplit,
    fakes: LabelledImages,
    settings: SyntheticSettings,
    folder: Path,
    device: str = "cpu",
    advance: Callable[[str, float], object] = lambda done, seconds: None,
) -> Benefit:
    """Train and test every arm with every seed, except for results that are already in `folder`.

    Args:
        folder: holds the classifiers' predictions on the test images: a folder for each set of training images, and in
            it a file for each classifier.
        device: where to compute.
        advance: called after each classifier with its name and the seconds it took, 0 for a result from the folder.

    Raises:
        InputError: a file cannot be written.
    """
    config = ClassifierConfig(len(reals.classes), settings.updates, settings.precision, device)
    mixes = training_mixes(reals.train, fakes, settings)
    results = folder / _digest(reals.train, fakes, reals.test)
    right: dict[str, Hits] = {}
    for arm in ARMS:
        rows = []
        for seed in range(settings.seed, settings.seed + settings.seeds):
            file = results / f"{arm.replace(' + ', '-').replace('/', '-').replace(' ', '-')}-{seed}.npy"
            predicted, seconds = _read(file, len(reals.test)), 0.0
            if predicted is None:
                began = time.monotonic()
                found = probabilities(train_classifier(mixes[arm], config, seed), reals.test.images, config)
                predicted = found.argmax(1).astype(np.uint16)
                write_atomically(file, partial(_save, predicted=predicted))
                seconds = time.monotonic() - began
            rows.append(predicted == reals.test.labels)
            advance(f"{name_of(arm, settings.flips)}, seed {seed}", seconds)
        right[arm] = np.stack(rows)
    return Benefit(right, reals.test.labels, reals.classes, settings.flips)


def name_of(arm: str, flips: bool) -> str:
    """An arm's name for people; its crops are not always mirrored."""
    return arm if flips else arm.replace("flips/crops", "crops")


def training_mixes(reals: LabelledImages, fakes: LabelledImages, settings: SyntheticSettings) -> dict[str, TrainingMix]:
    """What the classifiers of each arm are trained on."""
    real, mixed = TrainingMix(reals), TrainingMix(reals, fakes, settings.fake_share)
    return {
        REAL: real,
        CROPS: replace(real, crops=True, flips=settings.flips),
        FAKES: mixed,
        BOTH: replace(mixed, crops=True, flips=settings.flips),
        ALONE: TrainingMix(None, fakes),
    }


def interval(scores: NDArray[np.generic]) -> Estimate:
    """The mean of scores (seeds, images), with an interval over seeds and test images.

    Student's interval over the seeds and the normal one over the images, added as independent errors. It does not cover
    another choice of real training images, nor another generator.
    """
    values = np.asarray(scores, np.float64)
    seeds, images = values.shape
    over_seeds = student(seeds - 1, LEVEL) * values.mean(1).std(ddof=1) / math.sqrt(seeds)
    over_images = 1.96 * values.mean(0).std(ddof=1) / math.sqrt(images)
    value, half = float(values.mean()), math.hypot(over_seeds, over_images)
    return Estimate(value, value - half, value + half)


def _within(found: Estimate, least: float) -> Estimate:
    return Estimate(found.value, max(found.low, least), min(found.high, 1.0))


def _digest(*sets: LabelledImages) -> str:
    whole = hashlib.blake2b(digest_size=6)
    for one in sets:
        whole.update(one.images.tobytes() + one.labels.tobytes())
    return whole.hexdigest()


def _read(file: Path, count: int) -> NDArray[np.uint16] | None:
    try:
        found = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == (count,) else None


def _save(path: Path, predicted: NDArray[np.uint16]) -> None:
    with path.open("wb") as file:  # given a path, np.save would append an extension
        np.save(file, predicted)
