"""What is tried: the recipe with other rates and other penalties, and for how long."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from fractions import Fraction

from ganvas.errors import InputError
from ganvas.recipe import Adam, Recipe
from ganvas.recipe.ramp import ends, times
from ganvas.studies.tuning.settings import Search
from ganvas.tasks import task_of

SHARE, ROUNDS = 0.02, 200  # of the whole run, and rounds at least: the default length of a first probe
LEAST = 20  # rounds of a probe: less says nothing
FURTHER = 3  # times as many images for the finalists; and one candidate in as many becomes one


@dataclass(frozen=True)
class Candidate:
    """The recipe with other values."""

    recipe: Recipe
    lr: float
    """The factor of both learning rates."""
    penalty: float
    """The factor of the strength of every penalty."""

    @property
    def is_own(self) -> bool:
        """Whether it is the recipe as it was given."""
        return self.lr == self.penalty == 1

    @property
    def label(self) -> str:
        """As people read it: lr x4, gamma x1/4."""
        strength = f", {self.recipe.penalties[0].strength} x{_fraction(self.penalty)}" if self.is_bound else ""
        return f"lr x{_fraction(self.lr)}{strength}"

    @property
    def is_bound(self) -> bool:
        """Whether there is a penalty to be tuned."""
        return bool(self.recipe.penalties)

    def run(self, seed: int) -> str:
        """The name of its probe's folder."""
        strength = f"-{self.recipe.penalties[0].strength}-x{self.penalty:g}" if self.is_bound else ""
        return f"lr-x{self.lr:g}{strength}-seed{seed}"


def candidates_of(recipe: Recipe, search: Search) -> list[Candidate]:
    """All combinations of the factors; with the recipe as it is among them.

    Raises:
        InputError: the recipe cannot be tuned so.
    """
    _expect_tunable(recipe)
    factors = sorted({1.0, *search.factors})
    rates = factors if any((*ends(recipe.adam_g.lr), *ends(recipe.adam_d.lr))) else [1.0]
    strong = [end for penalty in recipe.penalties for end in ends(getattr(penalty, penalty.strength))]
    strengths = factors if any(strong) else [1.0]
    made = [Candidate(_changed(recipe, lr, by), lr, by) for by, lr in itertools.product(strengths, rates)]
    if len(made) < 2:
        raise InputError(
            "there is nothing to tune: give factors other than 1 (--search.factors 0.25 1 4), and a recipe with a"
            " learning rate or a penalty above 0."
        )
    return made


def first_images(recipe: Recipe, search: Search) -> int:
    """Real images of each first probe: whole rounds, and an even number of them.

    Raises:
        InputError: they are too few to tell anything, or too many for the finalists to end within the run.
    """
    batches = recipe.batch_size * recipe.schedule.d_per_g
    asked = search.images or max(SHARE * recipe.images, ROUNDS * batches)
    images = 2 * batches * math.ceil(asked / (2 * batches))
    most, least = recipe.images // FURTHER, LEAST * batches
    if most < least:
        raise InputError(
            f"a run of {recipe.images:,} images is too short to be tuned on a part of it: probes need {least:,} images"
            f" ({LEAST} rounds), and finalists {FURTHER} times as many; race whole runs with ganvas study."
        )
    if search.images and images < least:
        raise InputError(
            f"--search.images {search.images} is too short a probe to tell anything; give at least {least:,}"
            f" ({LEAST} rounds of {batches})."
        )
    if search.images and images > most:
        raise InputError(
            f"--search.images {search.images} is too long a probe: finalists see {FURTHER} times as many, which is more"
            f" than the run's {recipe.images:,}; give at most {most:,}."
        )
    return min(images, most // (2 * batches) * 2 * batches)


def _expect_tunable(recipe: Recipe) -> None:
    task = task_of(recipe)
    if not task.has_features:
        made = f"restores {task.unit}" if task.has_originals else f"makes {task.unit} from noise"
        raise InputError(
            f"{type(recipe.system).__name__} {made}, and ganvas tune ranks images made from noise by the features of an"
            " extractor; race whole runs with ganvas study."
        )
    if recipe.steering.mode == "treat":
        raise InputError(
            "--steering treat changes the rates while a run goes, so that its probes would not tell them apart; leave"
            " it out."
        )


def _changed(recipe: Recipe, lr: float, strength: float) -> Recipe:
    def rate(adam: Adam) -> Adam:
        return replace(adam, lr=times(adam.lr, lr))

    penalties = tuple(penalty.scaled(strength) for penalty in recipe.penalties)
    return replace(recipe, adam_g=rate(recipe.adam_g), adam_d=rate(recipe.adam_d), penalties=penalties)


def _fraction(factor: float) -> str:
    near = Fraction(factor).limit_denominator(100)
    return str(near) if float(near) == factor else f"{factor:g}"
