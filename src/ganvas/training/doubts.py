"""What is allowed, but will hardly be what was meant: said before the training, in one sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from ganvas.objectives import Relativistic, Wasserstein
from ganvas.penalties import R1, R2, GradientPenalty
from ganvas.ramp import Ramp, ends
from ganvas.recipe import CAP, LEAKING, Recipe


def doubts(recipe: Recipe) -> list[str]:
    """Sentences on a recipe that can be played, but whose parts do not fit each other or its length."""
    return [*_misfits(recipe), *_late_ramps(recipe), *_augmentation(recipe)]


def _misfits(recipe: Recipe) -> Iterator[str]:
    kinds = {type(penalty) for penalty in recipe.penalties}
    zero_centred = " and ".join(sorted(kind.__name__ for kind in kinds & {R1, R2}))
    if isinstance(recipe.objective, Wasserstein):
        if zero_centred:
            yield (
                f"{zero_centred} pulls the critic's slope to 0, and Wasserstein's critic measures a distance only where"
                " its slope is 1; take GradientPenalty, or the Relativistic objective."
            )
        elif not kinds:
            yield "nothing bounds Wasserstein's critic, so that its scores will run away; give it a GradientPenalty."
    if isinstance(recipe.objective, Relativistic):
        if GradientPenalty in kinds:
            yield (
                "GradientPenalty holds the discriminator's slope at 1, and the Relativistic game is at rest only where"
                " it is 0; take R1 and R2."
            )
        elif kinds != {R1, R2}:
            yield (
                "the Relativistic game is known to converge only with both R1 and R2 (Huang et al. 2024), and"
                f" this one has {zero_centred or 'no penalty'}; it may diverge."
            )


def _late_ramps(recipe: Recipe) -> Iterator[str]:
    late = {name: ramp for name, ramp in _ramps(recipe, "") if ramp.over > recipe.images}
    if late:
        names = ", ".join(f"{name} ({ramp}, so far as {ramp.at(recipe.images):.3g})" for name, ramp in late.items())
        what = "a ramp goes" if len(late) == 1 else f"{len(late)} ramps go"
        yield f"{what} on beyond the run's end at image {recipe.images:,}: {names}; shorten it, or give more --images."


def _augmentation(recipe: Recipe) -> Iterator[str]:
    augment = recipe.augment
    chance, changes = augment.differentiable, " ".join(augment.policy)
    if max(ends(chance)) > CAP and not set(LEAKING).isdisjoint(augment.policy):
        yield (
            f"with --augment.differentiable {chance}, above {CAP}, {changes} leave so few pictures as they are that G"
            " cannot tell which were changed, and makes changed ones (Karras et al. 2020, section 2.2); give"
            f" {CAP} or less, or let it adapt with --augment.target 0.6."
        )
    over = augment.adapt_over
    if augment.target and recipe.images < CAP * over:
        yield (
            f"in {recipe.images:,} images an augmentation that adapts over {over:,} comes to"
            f" {recipe.images / over:.2g} at most; give --augment.adapt-over {max(1, recipe.images // 5)}."
        )


def _ramps(value: Any, name: str) -> Iterator[tuple[str, Ramp]]:
    if isinstance(value, Ramp):
        yield name, value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _ramps(getattr(value, field.name), f"{name}.{field.name}" if name else field.name)
    elif isinstance(value, tuple):
        for item in value:
            yield from _ramps(item, f"{name}.{type(item).__name__}")
