"""The real pictures: those that everything learns from, and those that nothing but the judgement ever sees."""

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
from ganvas.studies.synthetic.settings import Settings

Labels = NDArray[np.int64]

LEAST_TEST = 10  # pictures of a class: fewer tell nothing of it
LOOKED_AT = 16  # pictures of a source by which its size and colours are found
SIDES = (16, 32, 64)  # that the default recipe knows


@dataclass(frozen=True)
class Labelled:
    """Images uint8 (N, H, W, C) and their class numbers int64 (N,)."""

    images: Pixels
    labels: Labels

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Reals:
    """Both parts, of one size.

    Attributes:
        train: what anything may learn from.
        test: what the judgement alone sees.
        classes: their names.
        fingerprint: of the sources.
        shared: pictures that were to be tested on, and are not, since equal ones are learnt from.
    """

    train: Labelled
    test: Labelled
    classes: tuple[str, ...]
    fingerprint: str
    shared: int


def form_of(source: str) -> tuple[int, int]:
    """Size and channels for the pictures of a source: the smallest side of SIDES that loses nothing, and whether there
    is colour, by a few of them.

    Raises:
        InputError: there is no such source, or none of the pictures looked at can be opened.
    """
    items = open_source(source).items
    found = []
    for index in np.linspace(0, len(items) - 1, min(LOOKED_AT, len(items))).round().astype(int):
        try:
            picture = open_image(items[index].read())
        except Unusable:
            continue
        found.append((min(picture.size), ImageMode.getmode(picture.mode).basemode != "L"))
    if not found:
        raise InputError(f"none of the pictures of {source} looked at can be opened; examine it with ganvas data.")
    side = min(side for side, _ in found)
    size = next((known for known in SIDES if known >= side), SIDES[-1])
    return size, 3 if any(colour for _, colour in found) else 1


def read_reals(settings: Settings, size: int, channels: int) -> Reals:
    """Split the source class by class, the same for the same seed.

    Raises:
        InputError: labels are missing, there are too few classes or pictures, or the test source has other classes.
    """
    whole = _labelled(settings.source, size, channels)
    random = np.random.default_rng(settings.seed)
    train, test = [], []
    assert whole.labels is not None
    for number, name in enumerate(whole.classes):
        members = random.permutation(np.flatnonzero(whole.labels == number))
        if len(members) < 2:
            raise InputError(
                f"class {name} of {whole.name} has {_many(len(members))}, and at least 2 are needed to learn it; add"
                " pictures of it, or leave the class out."
            )
        aside = 0 if settings.test else round(settings.test_share * len(members))
        left = len(members) - aside
        if settings.real_per_class > left or left < 2:
            raise InputError(
                f"class {name} of {whole.name} has {_many(left)} to learn from, fewer than"
                f" {max(2, settings.real_per_class)}; give a smaller --real-per-class or --test-share."
            )
        test.append(members[:aside])
        train.append(members[aside:][: settings.real_per_class or None])
    learnt, fingerprint = _take(whole, np.sort(np.concatenate(train))), whole.fingerprint
    if settings.test:
        other = _labelled(settings.test, size, channels)
        if other.classes != whole.classes:
            raise InputError(
                f"--test {settings.test} has the classes {', '.join(other.classes)}, and {whole.name} has"
                f" {', '.join(whole.classes)}; give a test source with the same classes."
            )
        held_out, fingerprint = _take(other, np.arange(len(other))), fingerprint + other.fingerprint
    else:
        held_out = _take(whole, np.sort(np.concatenate(test)))
    kept, shared = _without(held_out, learnt)
    counts = np.bincount(kept.labels, minlength=len(whole.classes))
    if counts.min() < LEAST_TEST:
        raise InputError(
            f"{_many(int(counts.min()))} of class {whole.classes[int(counts.argmin())]} would be tested on, and fewer"
            f" than {LEAST_TEST} tell nothing; give a larger --test-share, or more in a source of its own with --test."
        )
    return Reals(learnt, kept, whole.classes, fingerprint, shared)


def write_reals(reals: Reals, path: Path) -> None:
    """Keep the pictures to learn from as an .npz source, so that no training can reach the others.

    Raises:
        InputError: the file cannot be written.
    """

    def write(part: Path) -> None:
        with part.open("wb") as file:  # given a name, savez would add an ending to it
            np.savez(file, images=reals.train.images, labels=reals.train.labels, classes=np.array(reals.classes))

    write_atomically(path, write)


def _labelled(source: str, size: int, channels: int) -> Dataset:
    found = load(Images(source=source, held_out=0), size=size, channels=channels, progress=True)
    if found.labels is None:
        raise InputError(
            f"the pictures of {source} are not sorted by class ({found.unlabelled or 'they have no labels'}); give a"
            " folder with a folder for each class, or a parquet or npz file with labels."
        )
    if len(found.classes) < 2:
        raise InputError(f"{source} has one class alone, which leaves nothing to classify; give two classes or more.")
    return found


def _take(dataset: Dataset, index: Labels) -> Labelled:
    assert dataset.labels is not None
    return Labelled(dataset.take(index), dataset.labels[index])


def _without(pictures: Labelled, known: Labelled) -> tuple[Labelled, int]:
    """The pictures that are not among those known, and how many were."""
    seen = {picture.tobytes() for picture in known.images}
    new = np.array([picture.tobytes() not in seen for picture in pictures.images], bool)
    return Labelled(pictures.images[new], pictures.labels[new]), int((~new).sum())


def _many(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"
