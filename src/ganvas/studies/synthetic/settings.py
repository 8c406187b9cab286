"""The settings of ganvas augment: a value, without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ganvas.errors import InputError


@dataclass(frozen=True, kw_only=True)
class SyntheticSettings:
    """All that decides the images and their evaluation; kept in settings.json beside them."""

    source: str
    """Source of the labelled real images: a name, or the path of a folder, zip, parquet or npz file."""
    per_class: int
    """Accepted images wanted of every class."""
    real_per_class: int = 0
    """Real training images of every class; 0 is all that are not held out."""
    test: str = ""
    """Source of the real test images; empty is a share of `source`."""
    test_share: float = 0.2
    """Share of every class of `source` that is held out for testing, if `test` is empty."""
    model: str = ""
    """Conditional run or model file to use; empty trains a generator."""
    recipe: str = ""
    """Recipe of the generator to train; empty is a small conditional DCGAN with DiffAugment."""
    images: int = 0
    """Real images in the generator's training; 0 is 200,000, or as in the named recipe."""
    size: int = 0
    """Side in pixels of the default recipe's images; 0 is what fits the source."""
    candidates: float = 5.0
    """Candidates generated for every image wanted."""
    confidence: float = 0.5
    """Minimum probability of a candidate's class by a classifier trained on the reals."""
    realness: float = 0.1
    """Share of each class's remaining candidates, those that D finds least real, that is rejected."""
    copies: float = 0.01
    """A copy is nearer to a real than all but this share of its class's reals are to another; 0 rejects none."""
    flips: bool = True
    """Mirror images in the arms with flips and crops; wrong for digits and letters."""
    fake_share: float = 0.5
    """Share of fakes in a batch, in the arms that train on both."""
    updates: int = 600
    """Updates of every classifier, the same in all arms."""
    seeds: int = 3
    """Classifiers trained for each arm."""
    seed: int = 0
    """Seed of the choice of reals, the generator, its noise and the first classifier."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the classifiers; bf16 is twice as fast on processors that support it."""

    def __post_init__(self) -> None:
        least = {"per_class": 1, "updates": 1, "seeds": 2, "real_per_class": 0, "images": 0, "size": 0, "seed": 0}
        for name, bound in least.items():
            value = getattr(self, name)
            if value < bound:
                why = " (an interval needs two)" if name == "seeds" else ""
                raise InputError(f"--{_flag(name)} must be at least {bound}; got {value}{why}.")
        if self.real_per_class == 1:
            raise InputError("--real-per-class 1 is too few to detect copies; give at least 2, or 0 for all.")
        shares = {"test_share": (0, 0.9), "confidence": (0, 1), "realness": (0, 0.95), "copies": (0, 0.5)}
        for name, (low, high) in {**shares, "fake_share": (0.05, 0.95)}.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"--{_flag(name)} {getattr(self, name)} must be in {low}..{high}.")
        if not (math.isfinite(self.candidates) and self.candidates >= 1):
            raise InputError(f"--candidates must be at least 1 for each image wanted; got {self.candidates}.")
        if self.model and (self.recipe or self.images or self.size):
            raise InputError(
                f"--model {self.model} is already trained; leave out either --model, or --recipe, --images and --size."
            )
        if self.recipe and self.size:
            raise InputError(f"--size {self.size} is for the default recipe; {self.recipe} has its own size.")
        if not self.test and not self.test_share:
            raise InputError("--test-share 0 leaves no real test images; give e.g. 0.2, or --test SOURCE.")


def _flag(name: str) -> str:
    return name.replace("_", "-")
