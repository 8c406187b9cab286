"""What one command of ganvas augment is asked for: a value, without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ganvas.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that decides the pictures and the judgement; kept in settings.json beside them."""

    source: str
    """Where the real pictures and their labels come from: a name, or the path of a folder, zip, parquet or npz file."""
    per_class: int
    """Accepted pictures wanted of every class."""
    real_per_class: int = 0
    """Real pictures of every class that anything learns from; 0 is all that are not held out."""
    test: str = ""
    """Source of the real pictures to test on; empty is a share of `source`."""
    test_share: float = 0.2
    """Share of `source` held out to test on, of every class, where `test` is empty."""
    model: str = ""
    """Conditional run or model file to take; empty trains one."""
    recipe: str = ""
    """Recipe of the generator to train; empty is a small conditional DCGAN of the pictures' size with DiffAugment."""
    images: int = 0
    """Real images in the generator's training; 0 is 200,000, or those of the named recipe."""
    size: int = 0
    """Side in pixels of the pictures of the default recipe; 0 is what fits the source."""
    candidates: float = 5.0
    """Candidates made for every picture wanted."""
    confidence: float = 0.5
    """Least probability of its class that a classifier of the reals must give to a candidate."""
    realness: float = 0.1
    """Share of what is left of each class's candidates that D finds least real, which is rejected."""
    copies: float = 0.01
    """Share of a class's reals that lie as near to another as a candidate that counts as a copy; 0 rejects none."""
    flips: bool = True
    """Mirror pictures in the arms with flips and crops; wrong for digits and letters."""
    fake_share: float = 0.5
    """Share of fakes in a batch of the arms that learn from both."""
    updates: int = 600
    """Updates of every classifier, the same in all arms."""
    seeds: int = 3
    """Classifiers trained in each arm."""
    seed: int = 0
    """Decides which reals are taken, the generator, its noise and the first classifier."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the classifiers; bf16 is twice as quick on processors that have it."""

    def __post_init__(self) -> None:
        least = {"per_class": 1, "updates": 1, "seeds": 2, "real_per_class": 0, "images": 0, "size": 0, "seed": 0}
        for name, bound in least.items():
            value = getattr(self, name)
            if value < bound:
                why = "; an interval needs at least two" if name == "seeds" else ""
                raise InputError(f"--{_flag(name)} {value} cannot be; give at least {bound}{why}.")
        if self.real_per_class == 1:
            raise InputError("--real-per-class 1 leaves nothing to tell a copy by; give at least 2, or 0 for all.")
        shares = {"test_share": (0, 0.9), "confidence": (0, 1), "realness": (0, 0.95), "copies": (0, 0.5)}
        for name, (low, high) in {**shares, "fake_share": (0.05, 0.95)}.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"--{_flag(name)} {getattr(self, name)} must lie in {low}..{high}.")
        if not (math.isfinite(self.candidates) and self.candidates >= 1):
            raise InputError(f"--candidates {self.candidates} is less than one for a picture wanted; usual is 5.")
        if self.model and (self.recipe or self.images or self.size):
            raise InputError(
                f"--model {self.model} is trained already; leave out --recipe, --images and --size, or leave it out."
            )
        if self.recipe and self.size:
            raise InputError(f"--size {self.size} is for the default recipe; {self.recipe} has a size of its own.")
        if not self.test and not self.test_share:
            raise InputError("--test-share 0 leaves no real pictures to test on; give e.g. 0.2, or --test SOURCE.")


def _flag(name: str) -> str:
    return name.replace("_", "-")
