"""Sanity checks: warnings before training about settings that are valid but probably unintended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from ganvas.recipe import CAP, LEAKING, Recipe
from ganvas.recipe.ramp import Ramp, ends


def sanity_checks(recipe: Recipe) -> list[str]:
    """Sentences about a valid recipe whose parts do not suit each other or its length."""
    return [*recipe.objective.warnings(recipe.penalties), *_late_ramps(recipe), *_augmentation(recipe)]


def _late_ramps(recipe: Recipe) -> Iterator[str]:
    late = {name: ramp for name, ramp in _ramps(recipe, "") if ramp.over > recipe.images}
    if late:
        unfinished = [f"{flag} {ramp} only reaches {ramp.at(recipe.images):.3g}" for flag, ramp in late.items()]
        more = (
            f" and {len(unfinished) - 2} more ramp{'s' if len(unfinished) > 3 else ''}" if len(unfinished) > 2 else ""
        )
        yield (
            f"the run ends at image {recipe.images:,}, before its ramps do: {', '.join(unfinished[:2])}{more}; use"
            f" ramps that end at @{recipe.images}, or --images {max(ramp.over for ramp in late.values())}."
        )


def _augmentation(recipe: Recipe) -> Iterator[str]:
    augment = recipe.augment
    probability, changes = augment.differentiable, " ".join(augment.policy)
    if max(ends(probability)) > CAP and not set(LEAKING).isdisjoint(augment.policy):
        yield (
            f"with --augment.differentiable {probability} the discriminator hardly ever sees an image without the"
            f" changes {changes}, so they leak into the fakes (Karras et al. 2020); use at most {CAP}, or, if the"
            " discriminator has no batch normalization, adapt it with --augment.target 0.6."
        )
    over = augment.adapt_over
    if augment.target and recipe.images < CAP * over:
        yield (
            f"in {recipe.images:,} images an augmentation with --augment.adapt-over {over} reaches at most"
            f" {recipe.images / over:.2g}; use --augment.adapt-over {max(1, recipe.images // 5)}."
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
