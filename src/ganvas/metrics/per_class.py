"""Per class: how near the fakes of each class are to its reals, where the fakes were made of classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError, listed
from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import mean
from ganvas.metrics.kid import expect_groups, kid
from ganvas.metrics.measure import Evidence, Measure, Quantity


class PerClass(Measure):
    """The KID of each class's fakes to its reals, and how often a classifier sees the class that was asked for.

    The KID is unbiased at any number of images; the others grow as the images of a class get fewer.
    """

    name, formerly, order = "per-class", "by-class", 70
    gives = (
        Quantity("class accuracy", higher_is_better=True, least=0, most=1),
        Quantity("KID", higher_is_better=False),
    )
    needs = frozenset({"features", "labels"})

    def is_default(self, x: Evidence) -> bool:
        """Where the fakes were made of classes."""
        return x.labels is not None

    def compute(self, x: Evidence) -> Iterator[Figure]:
        """The accuracy where the extractor knows these classes, and the KID of each class that has enough images."""
        assert x.labels is not None
        assert x.extractor is not None
        if _same(x.extractor.class_names, x.labels.names):
            right = x.of_fakes.probabilities.argmax(1) == x.labels.fakes
            yield self.figure("class accuracy", mean(right, x.seed), x.on_features)
        for name, fakes, reals in _classes(x):
            if _enough(fakes, reals):
                found = kid(x.of_fakes.features[fakes], x.of_reals.features[reals])
                counts = {"class": name, "fakes": int(fakes.sum()), "reals": int(reals.sum())}
                yield self.figure("KID", found, x.on_features | counts, test_set=f"class {name}")

    def notes(self, x: Evidence) -> Iterable[str]:
        """The classes with too few images."""
        few = [
            f"{name} with {fakes.sum()} and {reals.sum()}"
            for name, fakes, reals in _classes(x)
            if not _enough(fakes, reals)
        ]
        sentence = (
            f"{self.name} leaves out classes of too few fakes and reals: {listed(few)}; more --fakes gives more of"
        )
        return [f"{sentence} both."] if few else []


def worst_first(figures: Iterable[Figure]) -> list[Figure]:
    """The figures of single classes, the worst class first."""
    of_classes = [figure for figure in figures if "class" in figure.protocol]
    return sorted(of_classes, key=lambda figure: -figure.value)


def _classes(x: Evidence) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Of every class which fakes (N,) and which reals (M,) are of it."""
    assert x.labels
    for number, name in enumerate(x.labels.names):
        yield name, x.labels.fakes == number, x.labels.reals == number


def _enough(fakes: NDArray[np.bool_], reals: NDArray[np.bool_]) -> bool:
    try:
        expect_groups(int(fakes.sum()), int(reals.sum()))
    except InputError:
        return False
    return True


def _same(known: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Whether an extractor's classes are these; MNIST calls its first one 0 - zero."""
    return bool(known) and len(names) == len(known) and all(map(str.startswith, names, known))
