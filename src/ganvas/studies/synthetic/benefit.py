"""The only question that matters: does a classifier learn more with the fakes than without?

The same classifier, the same number of updates, five diets; tested on real pictures that nothing here was made from
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
from scipy.stats import t as student

from ganvas.files import write_atomically
from ganvas.metrics.intervals import LEVEL, Estimate
from ganvas.studies.synthetic.classifier import Diet, Lesson, learn, probabilities
from ganvas.studies.synthetic.reals import Labelled, Reals
from ganvas.studies.synthetic.settings import Settings

REAL, CROPS, FAKES, BOTH, ALONE = "real", "real + flips/crops", "real + fakes", "real + both", "fakes alone"
ARMS = (REAL, CROPS, FAKES, BOTH, ALONE)

Right = NDArray[np.bool_]


@dataclass(frozen=True)
class Judgement:
    """Which test pictures each arm's classifiers named rightly.

    Attributes:
        right: of each arm, bool (seeds, test pictures).
        labels: classes of the test pictures (N,).
        classes: their names.
        flips: whether pictures were mirrored where they were cropped.
    """

    right: dict[str, Right]
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
        """Share of the test pictures named rightly, of one class or of all; its interval within 0 .. 1."""
        return _within(interval(self._of(arm, label)), 0)

    def gain(self, arm: str, over: str, label: int | None = None) -> Estimate:
        """How much more of them one arm names rightly than another, compared seed by seed and picture by picture; its
        interval within -1 .. 1."""
        return _within(interval(self._of(arm, label).astype(np.float64) - self._of(over, label)), -1)

    def name(self, arm: str) -> str:
        """What people read."""
        return name_of(arm, self.flips)

    @property
    def decisive(self) -> Estimate:
        """The gain that decides: of real + both over the better arm without fakes."""
        return self.gain(BOTH, self.rival)

    @property
    def helps(self) -> bool:
        """Whether the whole interval of the decisive gain lies above 0."""
        return self.decisive.low > 0

    @property
    def sentence(self) -> str:
        """The answer."""
        found = self.decisive
        both, rival = self.accuracy(BOTH).value, self.accuracy(self.rival).value
        how = (
            f"{BOTH} reaches an accuracy of {both:.4f} on held-out real pictures, {self.name(self.rival)} {rival:.4f}:"
            f" {found.value:+.4f}, 95 % interval {found.low:+.4f} .. {found.high:+.4f}, over {self.seeds} seeds and"
            f" {len(self.labels):,} pictures"
        )
        if self.helps:
            return f"The fakes help: {how}."
        if found.high < 0:
            return f"The fakes do not help, they hurt: {how}."
        return f"The fakes do not help as far as can be told: {how}."

    def _of(self, arm: str, label: int | None) -> Right:
        return self.right[arm] if label is None else self.right[arm][:, self.labels == label]


def judge(
    reals: Reals,
    fakes: Labelled,
    settings: Settings,
    folder: Path,
    device: str = "cpu",
    advance: Callable[[str, float], object] = lambda done, seconds: None,
) -> Judgement:
    """Train and test every arm with every seed; what is in `folder` already is not done again.

    Args:
        folder: where the classes named for the test pictures are kept: for each set of pictures learnt from a folder,
            in it for each classifier a file.
        device: where to compute.
        advance: told of each classifier, when it is tested, with the seconds that it took; 0 for what was kept.

    Raises:
        InputError: a file cannot be written.
    """
    lesson = Lesson(len(reals.classes), settings.updates, settings.precision, device)
    diets = diets_of(reals.train, fakes, settings)
    kept = folder / _digest(reals.train, fakes, reals.test)
    right: dict[str, Right] = {}
    for arm in ARMS:
        rows = []
        for seed in range(settings.seed, settings.seed + settings.seeds):
            file = kept / f"{arm.replace(' + ', '-').replace('/', '-').replace(' ', '-')}-{seed}.npy"
            named, seconds = _kept(file, len(reals.test)), 0.0
            if named is None:
                began = time.monotonic()
                found = probabilities(learn(diets[arm], lesson, seed), reals.test.images, lesson)
                named = found.argmax(1).astype(np.uint16)
                write_atomically(file, partial(_save, named=named))
                seconds = time.monotonic() - began
            rows.append(named == reals.test.labels)
            advance(f"{name_of(arm, settings.flips)}, seed {seed}", seconds)
        right[arm] = np.stack(rows)
    return Judgement(right, reals.test.labels, reals.classes, settings.flips)


def name_of(arm: str, flips: bool) -> str:
    """What people read of an arm, whose crops are not always mirrored."""
    return arm if flips else arm.replace("flips/crops", "crops")


def diets_of(reals: Labelled, fakes: Labelled, settings: Settings) -> dict[str, Diet]:
    """What the classifiers of each arm learn from."""
    real, mixed = Diet(reals), Diet(reals, fakes, settings.fake_share)
    return {
        REAL: real,
        CROPS: replace(real, crops=True, flips=settings.flips),
        FAKES: mixed,
        BOTH: replace(mixed, crops=True, flips=settings.flips),
        ALONE: Diet(None, fakes),
    }


def interval(scores: NDArray[np.generic]) -> Estimate:
    """The mean of scores (seeds, pictures), with an interval that covers other seeds and other test pictures.

    Student's interval over the seeds and the normal one over the pictures, added as independent errors are. It does not
    cover another choice of real pictures to learn from, nor another generator.
    """
    values = np.asarray(scores, np.float64)
    seeds, pictures = values.shape
    over_seeds = student.ppf((1 + LEVEL) / 2, seeds - 1) * values.mean(1).std(ddof=1) / math.sqrt(seeds)
    over_pictures = 1.96 * values.mean(0).std(ddof=1) / math.sqrt(pictures)
    value, half = float(values.mean()), math.hypot(over_seeds, over_pictures)
    return Estimate(value, value - half, value + half)


def _within(found: Estimate, least: float) -> Estimate:
    return Estimate(found.value, max(found.low, least), min(found.high, 1.0))


def _digest(*sets: Labelled) -> str:
    whole = hashlib.blake2b(digest_size=6)
    for one in sets:
        whole.update(one.images.tobytes() + one.labels.tobytes())
    return whole.hexdigest()


def _kept(file: Path, count: int) -> NDArray[np.uint16] | None:
    try:
        found = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == (count,) else None


def _save(path: Path, named: NDArray[np.uint16]) -> None:
    with path.open("wb") as file:  # given a name, save would add an ending to it
        np.save(file, named)
