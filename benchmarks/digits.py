"""How good the digits of runs on the bundled digits are: do classifiers agree on them, and does every digit occur?

    python benchmarks/digits.py RUN [RUN ...]

Of 2,048 fakes of each run's model, seed 7, at 16 px. Two classifiers of scikit-learn, a support vector machine and five
nearest neighbours, learn the part of the digits that the runs train on, averaged to 8 px; the third is the one that
ganvas ships, which learned MNIST. A fake that is no digit is one on which they differ.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

import ganvas
from ganvas.data import open_data
from ganvas.inference.generator import Generator
from ganvas.metrics.extractors.digits import Digits

FAKES, SEED = 2_048, 7


def main(runs: list[str]) -> None:
    """Print a row of a Markdown table for each run, after one for the held-out digits."""
    recipe = ganvas.named_recipe("dcgan-digits")
    train, held_out = open_data(recipe.data, recipe.system.shape).split(recipe.data.held_out)
    machine, neighbours, shipped = SVC(gamma=0.001, C=10), KNeighborsClassifier(5), Digits()
    for learner in (machine, neighbours):
        learner.fit(_features(train.spread(len(train))), train.spread_labels(len(train)))
    print("| images | SVM and neighbours agree | SVM and shipped agree | rarest | commonest |\n|---|--:|--:|--:|--:|")
    for name in ("", *runs):
        pixels = _fakes(name) if name else held_out.spread(len(held_out))
        features = _features(pixels)
        one, two = machine.predict(features), neighbours.predict(features)
        three = shipped.extract(pixels).probabilities.argmax(1)
        shares = np.bincount(three, minlength=10) / len(three)
        rarest, commonest = (f"{shares[digit]:.1%} (the {digit})" for digit in (shares.argmin(), shares.argmax()))
        agreements = f"{np.mean(one == two):.1%} | {np.mean(one == three):.1%}"
        print(f"| {name or 'held-out reals'} | {agreements} | {rarest} | {commonest} |")


def _fakes(run: str) -> NDArray[np.uint8]:
    generator = ganvas.open(run)
    assert isinstance(generator, Generator)
    return generator.generate(FAKES, seed=SEED)


def _features(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """uint8 (N, 16, 16, 1) -> (N, 64) in 0..16, as scikit-learn has them."""
    averages: NDArray[np.float64] = pixels.reshape(len(pixels), 8, 2, 8, 2).mean((2, 4)) / 255 * 16
    return averages.reshape(len(pixels), 64)


if __name__ == "__main__":
    main(sys.argv[1:])
