"""Remedies for each verdict: changes of the recipe, with their source in the literature and as flags.

They are printed and tried in this order. A change is None if it does not apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

from ganvas.recipe import CAP, LEAKING, Adam, Optimizer, Recipe
from ganvas.recipe.objectives import Objective
from ganvas.recipe.penalties import R1, R2, GradientPenalty, Penalty
from ganvas.recipe.ramp import Ramp, times
from ganvas.runs.again import again
from ganvas.runs.folder import RunFolder

Change = Callable[[Recipe, int], Recipe | None]


@dataclass(frozen=True)
class Remedy:
    """One change of a recipe.

    Attributes:
        name: its description, which identifies it in saved runs.
        change: the recipe and the count of real images seen -> the changed recipe, or None if it does not apply.
        start: the state to continue from: the current one, the best one, or fresh weights if neither is worth keeping.
    """

    name: str
    change: Change
    start: Literal["here", "best", "fresh"] = "best"

    def flags(self, recipe: Recipe, images: int) -> str:
        """The change as command-line flags; empty if it does not apply or cannot be expressed as flags."""
        changed = self.change(recipe, images)
        return "" if changed is None else " ".join(flags(recipe, changed))


def flags(old: Any, new: Any, prefix: str = "--") -> Iterator[str]:
    """The command-line flags that turn one value into another, one for each change."""
    for field in fields(new):
        before, after = getattr(old, field.name), getattr(new, field.name)
        name = f"{prefix}{field.name.replace('_', '-')}"
        if before == after:
            continue
        if is_dataclass(after) and not isinstance(after, Ramp):
            yield from flags(before, after, f"{name}.")
        elif isinstance(after, tuple) and after and is_dataclass(after[0]):
            if list(map(type, before)) != list(map(type, after)):
                yield f"{name} {' '.join(type(one).__name__ for one in after)}"
                before = tuple(type(one)() for one in after)
            for index, (one, other) in enumerate(zip(before, after, strict=True)):
                yield from flags(one, other, f"{name}.{index}.")
        else:
            yield f"{name} {' '.join(map(str, after)) if isinstance(after, tuple) else after}"


def _rates(g: float, d: float) -> Change:
    def change(recipe: Recipe, images: int) -> Recipe:
        slower_g = recipe.adam_g.at_rate(times(recipe.adam_g.lr, g))
        slower_d = recipe.adam_d.at_rate(times(recipe.adam_d.lr, d))
        return replace(recipe, adam_g=slower_g, adam_d=slower_d)

    return change


def _usual(recipe: Recipe, images: int) -> Recipe:
    """DCGAN's optimizers: rates of 2e-4 at most, and beta1 = 0.5 (Radford et al. 2016, section 4)."""

    def tame(adam: Optimizer) -> Optimizer:
        if not isinstance(adam, Adam):
            return adam  # the usual rates are Adam's
        rate = adam.lr.at(images) if isinstance(adam.lr, Ramp) else adam.lr
        return replace(adam, lr=min(rate, 2e-4), beta1=min(adam.beta1, 0.5))

    return replace(recipe, adam_g=tame(recipe.adam_g), adam_d=tame(recipe.adam_d))


def _objective(change: Callable[[Objective], Objective | None]) -> Change:
    def changed(recipe: Recipe, images: int) -> Recipe | None:
        objective = change(recipe.objective)
        return None if objective is None else replace(recipe, objective=objective)

    return changed


def _noise(recipe: Recipe, images: int) -> Recipe | None:
    if recipe.augment.noise:
        return None
    fading = Ramp(0.2, 0.0, 2 * images + 1000 * recipe.batch_size)
    return replace(recipe, augment=replace(recipe.augment, noise=fading))


def _augment(recipe: Recipe, images: int) -> Recipe | None:
    augment = recipe.augment
    if len(recipe.system.shape) < 3 or augment.target:
        return None  # points cannot be augmented, and an adaptive probability needs no help
    limit = 0.9 if set(LEAKING).isdisjoint(augment.policy) else CAP

    def stronger(probability: float) -> float:
        return max(probability, min(limit, round(probability + 0.3, 6)))

    value = augment.differentiable
    more = (
        replace(value, start=stronger(value.start), end=stronger(value.end))
        if isinstance(value, Ramp)
        else stronger(value)
    )
    return replace(recipe, augment=replace(augment, differentiable=more))


def _penalties(*kinds: type[Penalty]) -> Change:
    """The penalties that stabilize the recipe's objective, if they are of these kinds."""

    def change(recipe: Recipe, images: int) -> Recipe | None:
        wanted = recipe.objective.smoothing(recipe.penalties)
        if wanted == recipe.penalties or {type(penalty) for penalty in wanted} != set(kinds):
            return None
        return replace(recipe, penalties=wanted)

    return change


_penalty, _both_ends = _penalties(GradientPenalty), _penalties(R1, R2)


def _bounded_critic(recipe: Recipe, images: int) -> Recipe | None:
    bounded = _penalty(recipe, images) if recipe.objective.critic else None
    return None if bounded is None else _usual(bounded, images)


def _fewer_d(recipe: Recipe, images: int) -> Recipe | None:
    schedule = recipe.schedule
    if schedule.d_per_g > 1:
        return replace(recipe, schedule=replace(schedule, d_per_g=max(1, schedule.d_per_g // 2)))
    return replace(recipe, schedule=replace(schedule, g_per_d=schedule.g_per_d + 1))


def _more_d(recipe: Recipe, images: int) -> Recipe | None:
    schedule = recipe.schedule
    if schedule.g_per_d > 1:
        return replace(recipe, schedule=replace(schedule, g_per_d=max(1, schedule.g_per_d // 2)))
    return replace(recipe, schedule=replace(schedule, d_per_g=2 * schedule.d_per_g))


def _freeze_g(recipe: Recipe, images: int) -> Recipe | None:
    pause = (images, images + 100 * recipe.batch_size)
    if recipe.schedule.freeze_g[1] > images or recipe.schedule.freeze_d[1] > images:
        return None
    return replace(recipe, schedule=replace(recipe.schedule, freeze_g=pause, freeze_d=(0, 0)))


REMEDIES: dict[str, tuple[Remedy, ...]] = {
    "healthy": (),
    "d-dominates": (
        Remedy(
            "non-saturating loss for G (Goodfellow et al. 2014, section 3)",
            _objective(lambda game: game.with_full_gradient()),
        ),
        Remedy("the usual rates and momentum (Radford et al. 2016)", _usual),
        Remedy("lower D's rate", _rates(1.0, 0.25)),
        Remedy("smooth D's label of reals (Salimans et al. 2016)", _objective(lambda game: game.with_smooth_labels())),
        Remedy("noise on D's input, fading (Arjovsky & Bottou 2017)", _noise),
        Remedy("fewer D updates", _fewer_d),
        Remedy("R1 and R2 (Huang et al. 2024)", _both_ends),
        Remedy("a gradient penalty (Gulrajani et al. 2017)", _penalty),
    ),
    "g-dominates": (
        Remedy("the usual rates and momentum (Radford et al. 2016)", _usual),
        Remedy("raise D's rate", _rates(0.5, 8.0)),
        Remedy("more D updates", _more_d),
        Remedy("freeze G for a while", _freeze_g, "here"),
        Remedy("lower G's rate", _rates(0.25, 1.0)),
    ),
    "mode-collapse": (
        Remedy("the usual rates and momentum (Radford et al. 2016)", _usual),
        Remedy("R1 and R2 (Huang et al. 2024)", _both_ends),
        Remedy("a gradient penalty (Gulrajani et al. 2017)", _penalty),
        Remedy("lower both rates", _rates(0.5, 0.5)),
        Remedy("noise on D's input, fading (Arjovsky & Bottou 2017)", _noise),
        Remedy("more D updates", _more_d),
    ),
    "partial-collapse": (
        Remedy("the usual rates and momentum (Radford et al. 2016)", _usual),
        Remedy("R1 and R2 (Huang et al. 2024)", _both_ends),
        Remedy("a gradient penalty (Gulrajani et al. 2017)", _penalty),
        Remedy("lower G's rate", _rates(0.5, 1.0)),
        Remedy("noise on D's input, fading (Arjovsky & Bottou 2017)", _noise),
        Remedy("more D updates", _more_d),
    ),
    "d-overfits": (
        Remedy("augment reals and fakes alike (Zhao et al. 2020)", _augment),
        Remedy("lower D's rate", _rates(1.0, 0.25)),
        Remedy("augment more strongly (Karras et al. 2020)", _augment),
        Remedy("noise on D's input, fading (Arjovsky & Bottou 2017)", _noise),
    ),
    "oscillation": (
        Remedy("the usual rates and momentum (Radford et al. 2016)", _usual),
        Remedy("lower both rates", _rates(0.25, 0.25)),
        Remedy("R1 and R2 (Huang et al. 2024)", _both_ends),
        Remedy("a gradient penalty (Gulrajani et al. 2017)", _penalty),
        Remedy("lower both rates again", _rates(0.25, 0.25)),
    ),
    "divergence": (
        Remedy("a gradient penalty at the usual rates (Gulrajani et al. 2017)", _bounded_critic, "fresh"),
        Remedy("the usual rates and momentum (Radford et al. 2016)", _usual, "fresh"),
        Remedy("R1 and R2 (Huang et al. 2024)", _both_ends, "fresh"),
        Remedy("a gradient penalty (Gulrajani et al. 2017)", _penalty, "fresh"),
        Remedy("lower both rates", _rates(0.25, 0.25), "fresh"),
    ),
    "past-best": (
        Remedy("back to the best with the usual rates (Radford et al. 2016)", _usual),
        Remedy("back to the best with lower rates", _rates(0.25, 0.25)),
        Remedy("augment reals and fakes alike (Zhao et al. 2020)", _augment),
    ),
}


def advice(verdict: str, recipe: Recipe, images: int, folder: RunFolder | None = None) -> list[str]:
    """The remedies for a verdict that apply to a recipe, one line each: as flags, or as a command for a run."""
    lines = []
    for remedy in REMEDIES[verdict]:
        flags = remedy.flags(recipe, images)
        if flags:
            lines.append(f"{remedy.name}: {again(folder, flags) if folder else flags}")
    return lines
