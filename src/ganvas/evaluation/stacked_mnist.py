"""The upper bound of mode coverage on Stacked MNIST: the figures of reals that nothing was trained on."""

from __future__ import annotations

from ganvas.data import load
from ganvas.evaluation.features import remembered
from ganvas.metrics.extractors import open_extractor
from ganvas.metrics.measure import untracked
from ganvas.metrics.stacked_modes import CLASSES, DIGITS, FAKES, UNSEEN, as_digits, labels_of, spread
from ganvas.recipe.sources import Images


def of_reals(size: int, count: int = FAKES) -> dict[str, float]:
    """The figures of the measure modes of MNIST's test digits, which neither the GAN nor the classifier has seen.

    Raises:
        InputError: MNIST is not available.
    """
    stacks = load(Images(source=UNSEEN), size=size, channels=DIGITS, progress=True).take(slice(count))
    digits = as_digits(stacks)
    seen = remembered(open_extractor("digits"), digits, untracked("", 0))
    found = spread(labels_of(seen.probabilities), CLASSES)
    return {"modes": found.modes.value, "modes covered": found.covered.value, "modes KL": found.kl.value}
