"""Studies that ganvas knows by name: the four strategies of super-resolution, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from ganvas.errors import InputError
from ganvas.recipe import Optimizer, Recipe
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.serialization import to_plain
from ganvas.studies.study import Study, changed
from ganvas.systems import named_recipe
from ganvas.tasks import task_of

STRATEGIES = ("srgan-g1d1", "srgan-pretrain", "srresnet", "srresnet-g1d2")
TEST_SETS = ("Set5", "Set14", "BSD100")


def strategies(
    *,
    data: str = "",
    images: int = 0,
    seeds: Sequence[int] = (0, 1),
    on: Sequence[str] = TEST_SETS,
    extractor: str = "",
    changes: Mapping[str, Any] | None = None,
) -> Study:
    """The four strategies for training SRGAN, on the same photographs and the same budget.

    Args:
        data: the photographs, as in --data; by default those of the recipes.
        images: length of every run; pretraining and ramps keep their share of it. 0 keeps that of the recipes.
        seeds: for every strategy.
        on: test sets on which the finished runs are scored.
        extractor: network of the perceptual terms, in place of vgg19, whose weights are not bundled.
        changes: fields of every recipe by their dotted paths, such as ``{"system.blocks": 4}``.

    Raises:
        InputError: a field, a value or a test set cannot be used.
    """
    recipes = {}
    for name in STRATEGIES:
        recipe = changed(named_recipe(name), changes or {}, f"the study strategies, {name}")
        if data:
            recipe = replace(recipe, data=replace(recipe.data, source=data))  # type: ignore[type-var]
        if extractor:
            recipe = replace(recipe, reconstruction=tuple(loss.by(extractor) for loss in recipe.reconstruction))
        recipes[name] = at_length(recipe, images) if images else recipe
    return study_of(recipes, name="strategies", seeds=seeds, on=on)


def study_of(recipes: Mapping[str, Recipe], *, name: str, seeds: Sequence[int], on: Sequence[str] = ()) -> Study:
    """A study that compares whole recipes, which must have the same data and budget.

    Raises:
        InputError: they differ in data, budget or scale, or a test set is not available.
    """
    if not recipes:
        raise InputError(f"the study {name} has no recipes; give at least one.")
    (leader, first), *others = recipes.items()
    for other, recipe in others:
        for what, value, wanted in zip(_SAME, _budget(recipe), _budget(first), strict=True):
            if value != wanted:
                raise InputError(
                    f"the study {name} is not a fair comparison: {other} has {what} {value}, {leader} has {wanted};"
                    " give all the same."
                )
    if on and not task_of(first).has_originals:
        raise InputError(
            f"the study {name} scores on {on[0]}, but {leader} has no originals to compare with; leave on out."
        )
    variants = {
        other: {
            field.name: to_plain(getattr(recipe, field.name))
            for field in fields(Recipe)
            if getattr(recipe, field.name) != getattr(first, field.name)
        }
        for other, recipe in recipes.items()
    }
    return Study(
        recipe=first, name=name, variants=variants, seeds=tuple(seeds), evaluate={"on": list(on)} if on else {}
    )


_SAME = ("the data", "images", "batch_size", "the scale", "the crops of size", "the channels")


def _budget(recipe: Recipe) -> tuple[Any, ...]:
    system, data = recipe.system, recipe.data
    about = getattr(system, "scale", 1), system.shape[-1], system.shape[0]
    return to_plain(data), recipe.images, recipe.batch_size, *about


def at_length(recipe: Recipe, images: int) -> Recipe:
    """The recipe at another length; pretraining, freezes and ramps keep their share of it.

    Raises:
        InputError: the recipe cannot have this length.
    """

    def scaled(count: int) -> int:
        return count if count <= 0 else max(1, round(count * images / recipe.images))

    def ramp(value: float | Ramp) -> float | Ramp:
        return replace(value, over=scaled(value.over)) if isinstance(value, Ramp) else value

    def optimizer(value: Optimizer) -> Optimizer:
        return value.at_rate(ramp(value.lr))

    schedule = recipe.schedule
    return replace(
        recipe,
        images=images,
        schedule=replace(
            schedule,
            pretrain=scaled(schedule.pretrain),
            freeze_d=(scaled(schedule.freeze_d[0]), scaled(schedule.freeze_d[1])),
            freeze_g=(scaled(schedule.freeze_g[0]), scaled(schedule.freeze_g[1])),
        ),
        adam_g=optimizer(recipe.adam_g),
        adam_d=optimizer(recipe.adam_d),
        augment=replace(
            recipe.augment,
            differentiable=ramp(recipe.augment.differentiable),
            adapt_over=scaled(recipe.augment.adapt_over),
            noise=ramp(recipe.augment.noise),
        ),
    )
