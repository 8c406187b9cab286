"""What is tried: the recipe with other learning rates and penalties, and for how long."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from fractions import Fraction

from ganvas.errors import InputError
from ganvas.recipe import Optimizer, Recipe
from ganvas.recipe.ramp import ends, times
from ganvas.studies.tuning.search import Search
from ganvas.tasks import task_of

SHARE, ROUNDS = 0.02, 200  # of the whole run, and at least so many rounds: the default length of a first trial
LEAST = 20  # rounds of a trial: fewer say nothing
FURTHER = 3  # finalists see so many times the images, and one candidate in so many becomes a finalist


@dataclass(frozen=True)
class TuningCandidate:
    """The recipe with its learning rates and penalties scaled."""

    recipe: Recipe
    lr: float
    """The factor of both learning rates."""
    penalty: float
    """The factor of the strength of every penalty."""

    @property
    def is_own(self) -> bool:
        """Whether it is the unchanged recipe."""
        return self.lr == self.penalty == 1

    @property
    def label(self) -> str:
        """For people: lr x4, gamma x1/4."""
        strength = f", {self.recipe.penalties[0].strength} x{_fraction(self.penalty)}" if self.recipe.penalties else ""
        return f"lr x{_fraction(self.lr)}{strength}"

    def run(self, seed: int) -> str:
        """The name of its trial's folder."""
        strength = f"-{self.recipe.penalties[0].strength}-x{self.penalty:g}" if self.recipe.penalties else ""
        return f"lr-x{self.lr:g}{strength}-seed{seed}"


def candidates_of(recipe: Recipe, search: Search) -> list[TuningCandidate]:
    """All combinations of the factors, the unchanged recipe among them.

    Raises:
        InputError: the recipe cannot be tuned.
    """
    _expect_tunable(recipe)
    factors = sorted({1.0, *search.factors})
    rates = factors if any((*ends(recipe.adam_g.lr), *ends(recipe.adam_d.lr))) else [1.0]
    strong = [end for penalty in recipe.penalties for end in ends(getattr(penalty, penalty.strength))]
    strengths = factors if any(strong) else [1.0]
    made = [TuningCandidate(_changed(recipe, lr, by), lr, by) for by, lr in itertools.product(strengths, rates)]
    if len(made) < 2:
        raise InputError(
            "there is nothing to tune; give factors other than 1 (--search.factors 0.25 1 4) and a recipe with a"
            " learning rate or a penalty above 0."
        )
    return made


def first_images(recipe: Recipe, search: Search) -> int:
    """Real images of each first trial: an even number of whole rounds.

    Raises:
        InputError: they are too few to compare, or too many for the finalists to end within the run.
    """
    batches = recipe.batch_size * recipe.schedule.d_per_g
    asked = search.images or max(SHARE * recipe.images, ROUNDS * batches)
    images = 2 * batches * math.ceil(asked / (2 * batches))
    most, least = recipe.images // FURTHER, LEAST * batches
    if most < least:
        raise InputError(
            f"a run of {recipe.images:,} images is too short to be tuned: trials need {least:,} images ({LEAST}"
            f" rounds), and finalists {FURTHER} times as many; compare whole runs with ganvas study."
        )
    if search.images and images < least:
        raise InputError(
            f"--search.images {search.images} is too few for a trial; give at least {least:,}"
            f" ({LEAST} rounds of {batches})."
        )
    if search.images and images > most:
        raise InputError(
            f"--search.images {search.images} is too many for a trial: finalists see {FURTHER} times as many, more than"
            f" the run's {recipe.images:,}; give at most {most:,}."
        )
    return min(images, most // (2 * batches) * 2 * batches)


def _expect_tunable(recipe: Recipe) -> None:
    task = task_of(recipe)
    if not task.has_features:
        made = f"restores {task.unit}" if task.has_originals else f"makes {task.unit} from noise"
        raise InputError(
            f"{type(recipe.system).__name__} {made}, but ganvas tune ranks images made from noise by the features of an"
            " extractor; compare whole runs with ganvas study."
        )
    if recipe.steering.mode == "treat":
        raise InputError(
            "--steering treat changes the learning rates during a run, so that its trials cannot be compared; leave it"
            " out."
        )


def _changed(recipe: Recipe, lr: float, strength: float) -> Recipe:
    def rate(optimizer: Optimizer) -> Optimizer:
        return optimizer.at_rate(times(optimizer.lr, lr))

    penalties = tuple(penalty.scaled(strength) for penalty in recipe.penalties)
    return replace(recipe, adam_g=rate(recipe.adam_g), adam_d=rate(recipe.adam_d), penalties=penalties)


def _fraction(factor: float) -> str:
    near = Fraction(factor).limit_denominator(100)
    return str(near) if float(near) == factor else f"{factor:g}"
