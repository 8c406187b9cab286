"""The real images: those for training, and those that only the evaluation sees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageMode

from ganvas.data import Dataset, load
from ganvas.data.decode import Unusable, open_image
from ganvas.data.listing import open_source
from ganvas.errors import InputError
from ganvas.files import write_atomically
from ganvas.imaging.grid import Pixels
from ganvas.recipe.sources import Images
from ganvas.studies.synthetic.settings import SyntheticSettings

Labels = NDArray[np.int64]

LEAST_TEST = 10  # test images of a class: fewer say nothing
PROBED = 16  # images of a source that decide its size and channels
SIDES = (16, 32, 64)  # of the default recipe


@dataclass(frozen=True)
class LabelledImages:
    """Images uint8 (N, H, W, C) and their class numbers int64 (N,)."""

    images: Pixels
    labels: Labels

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class RealSplit:
    """The images for training and for testing, of one size.

    Attributes:
        train: for the generator and the classifiers.
        test: for the evaluation alone.
        classes: their names.
        fingerprint: of the sources.
        shared: test images that were dropped because equal ones are in `train`.
    """

    train: LabelledImages
    test: LabelledImages
    classes: tuple[str, ...]
    fingerprint: str
    shared: int


def form_of(source: str) -> tuple[int, int]:
    """Size and channels for the images of a source, by a few of them: the smallest side of SIDES that loses nothing,
    and 3 channels if any has colour.

    Raises:
        InputError: there is no such source, or none of these images can be opened.
    """
    items = open_source(source).items
    found = []
    for index in np.linspace(0, len(items) - 1, min(PROBED, len(items))).round().astype(int):
        try:
            image = open_image(items[index].read())
        except Unusable:
            continue
        found.append((min(image.size), ImageMode.getmode(image.mode).basemode != "L"))
    if not found:
        raise InputError(f"none of the first images tried in {source} can be opened; check it with ganvas data.")
    side = min(side for side, _ in found)
    size = next((known for known in SIDES if known >= side), SIDES[-1])
    return size, 3 if any(colour for _, colour in found) else 1


def read_reals(settings: SyntheticSettings, size: int, channels: int) -> RealSplit:
    """Split the source class by class; the same for the same seed.

    Raises:
        InputError: labels are missing, there are too few classes or images, or the test source has other classes.
    """
    whole = _labelled(settings.source, size, channels)
    random = np.random.default_rng(settings.seed)
    train, test = [], []
    assert whole.labels is not None
    for number, name in enumerate(whole.classes):
        members = random.permutation(np.flatnonzero(whole.labels == number))
        if len(members) < 2:
            raise InputError(
                f"class {name} of {whole.name} has {_count(len(members))}, but needs at least 2; add images, or leave"
                " the class out."
            )
        aside = 0 if settings.test else round(settings.test_share * len(members))
        left = len(members) - aside
        if settings.real_per_class > left or left < 2:
            raise InputError(
                f"class {name} of {whole.name} has {_count(left)} to train on, fewer than"
                f" {max(2, settings.real_per_class)}; give a smaller --real-per-class or --test-share."
            )
        test.append(members[:aside])
        train.append(members[aside:][: settings.real_per_class or None])
    learned, fingerprint = _take(whole, np.sort(np.concatenate(train))), whole.fingerprint
    if settings.test:
        other = _labelled(settings.test, size, channels)
        if other.classes != whole.classes:
            raise InputError(
                f"--test {settings.test} has the classes {', '.join(other.classes)}, but {whole.name} has"
                f" {', '.join(whole.classes)}; give a test source with the same classes."
            )
        held_out, fingerprint = _take(other, np.arange(len(other))), fingerprint + other.fingerprint
    else:
        held_out = _take(whole, np.sort(np.concatenate(test)))
    kept, shared = _without(held_out, learned)
    counts = np.bincount(kept.labels, minlength=len(whole.classes))
    if counts.min() < LEAST_TEST:
        raise InputError(
            f"class {whole.classes[int(counts.argmin())]} has {_count(int(counts.min()))} to test on, fewer than"
            f" {LEAST_TEST}; give a larger --test-share, or a separate source with --test."
        )
    return RealSplit(learned, kept, whole.classes, fingerprint, shared)


def write_reals(reals: RealSplit, path: Path) -> None:
    """Write the training images as an .npz source, so that no training can reach the others.

    Raises:
        InputError: the file cannot be written.
    """

    def write(part: Path) -> None:
        with part.open("wb") as file:  # given a path, np.savez would append an extension
            np.savez(file, images=reals.train.images, labels=reals.train.labels, classes=np.array(reals.classes))

    write_atomically(path, write)


def _labelled(source: str, size: int, channels: int) -> Dataset:
    found = load(Images(source=source, held_out=0), size=size, channels=channels, progress=True)
    if found.labels is None:
        raise InputError(
            f"the images of {source} have no classes ({found.unlabelled or 'there are no labels'}); give a folder with"
            " a subfolder for each class, or a parquet or npz file with labels."
        )
    if len(found.classes) < 2:
        raise InputError(f"{source} has only one class; give at least two.")
    return found


def _take(dataset: Dataset, index: Labels) -> LabelledImages:
    assert dataset.labels is not None
    return LabelledImages(dataset.take(index), dataset.labels[index])


def _without(test: LabelledImages, known: LabelledImages) -> tuple[LabelledImages, int]:
    """The test images that are not among those known, and the number of those that are."""
    seen = {image.tobytes() for image in known.images}
    new = np.array([image.tobytes() not in seen for image in test.images], bool)
    return LabelledImages(test.images[new], test.labels[new]), int((~new).sum())


def _count(images: int) -> str:
    return "1 image" if images == 1 else f"{images} images"
