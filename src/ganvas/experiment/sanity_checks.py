"""What is allowed, but will hardly be what was meant: said before the training, in one sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from ganvas.recipe import CAP, LEAKING, Recipe
from ganvas.recipe.ramp import Ramp, ends


def sanity_checks(recipe: Recipe) -> list[str]:
    """Sentences on a recipe that can be played, but whose parts do not fit each other or its length."""
    return [*recipe.objective.misfits(recipe.penalties), *_late_ramps(recipe), *_augmentation(recipe)]


def _late_ramps(recipe: Recipe) -> Iterator[str]:
    late = {name: ramp for name, ramp in _ramps(recipe, "") if ramp.over > recipe.images}
    if late:
        told = [f"{flag} {ramp} reaches {ramp.at(recipe.images):.3g} only" for flag, ramp in late.items()]
        more = f" and {len(told) - 2} more" if len(told) > 2 else ""
        yield (
            f"the run ends at image {recipe.images:,}, before its ramps do: {', '.join(told[:2])}{more}; give ramps"
            f" that end at @{recipe.images}, or --images {max(ramp.over for ramp in late.values())}."
        )


def _augmentation(recipe: Recipe) -> Iterator[str]:
    augment = recipe.augment
    chance, changes = augment.differentiable, " ".join(augment.policy)
    if max(ends(chance)) > CAP and not set(LEAKING).isdisjoint(augment.policy):
        yield (
            f"with --augment.differentiable {chance} the discriminator hardly ever sees a picture without the changes"
            f" {changes}, so that the generator learns to make changed ones (Karras et al. 2020); give {CAP} or less,"
            " or let it adapt: --augment.target 0.6, for a discriminator without batch normalisation."
        )
    over = augment.adapt_over
    if augment.target and recipe.images < CAP * over:
        yield (
            f"in {recipe.images:,} images an augmentation that adapts over {over:,} comes to"
            f" {recipe.images / over:.2g} at most; give --augment.adapt-over {max(1, recipe.images // 5)}."
        )


def _ramps(value: Any, name: str) -> Iterator[tuple[str, Ramp]]:
    if isinstance(value, Ramp):
        yield f"--{name.replace('_', '-')}", value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _ramps(getattr(value, field.name), f"{name}.{field.name}" if name else field.name)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _ramps(item, f"{name}.{index}")
