"""What is measured of each class by itself, where the fakes were made of classes."""

from __future__ import annotations

import numpy as np

from ganvas.errors import InputError, listed
from ganvas.evaluation.measures import Figure, Inputs, figure
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.intervals import mean
from ganvas.metrics.kid import expect_groups, kernel_distance

MEASURE = "by-class"
KID, ACCURACY = "KID on class", "class accuracy"
DIGITS = "0123456789"


def by_class(inputs: Inputs) -> tuple[list[Figure], list[str]]:
    """The KID of each class's fakes to its reals, and a sentence on the classes with too few of them.

    The KID is unbiased at any number of pictures; the others grow as the pictures of a class get fewer. Where the
    extractor is a classifier of the same classes, also the share of fakes that it takes for the class asked for.
    """
    of, classes = inputs.extractor, inputs.sets.classes
    assert classes is not None  # as the caller has seen to
    about = {"extractor": of.name, "weights": of.weights, "resize": of.resize, **inputs.sets.protocol}
    found, few = [], []
    if _knows(of, classes.names):
        right = inputs.fake.probabilities.argmax(1) == classes.fakes
        found.append(figure(ACCURACY, mean(right, inputs.seed), about))
    for number, name in enumerate(classes.names):
        fake, real = inputs.fake.features[classes.fakes == number], inputs.real.features[classes.reals == number]
        try:
            expect_groups(len(fake), len(real))
        except InputError:
            few.append(f"{name} with {len(fake)} and {len(real)}")
            continue
        counts = {"class": name, "fakes": len(fake), "reals": len(real)}
        found.append(figure(f"{KID} {name}", kernel_distance(fake, real), about | counts))
    if not few:
        return found, []
    note = f"{MEASURE} leaves out classes of too few fakes and reals: {listed(few)}; more --fakes gives more of both."
    return found, [note]


def _knows(extractor: Extractor, names: tuple[str, ...]) -> bool:
    """Whether the extractor's classes are these; MNIST calls its first one 0 - zero."""
    return extractor.name == "digits" and len(names) == len(DIGITS) and all(map(str.startswith, names, DIGITS))


def worst_first(figures: tuple[Figure, ...]) -> list[Figure]:
    """The figures of single classes, the worst class first."""
    of_classes = [found for found in figures if found.measure.startswith(KID)]
    return [of_classes[i] for i in np.argsort([-found.estimate.value for found in of_classes], kind="stable")]
