"""A recipe turned into what a round does: a list of phases, each moving one player by named terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganvas.data import Batch
from ganvas.errors import InputError
from ganvas.recipe import WHOLE, Recipe
from ganvas.training.augmentation import as_seen

Terms = dict[str, Tensor]
Player = Literal["g", "d"]


@dataclass(frozen=True)
class Phase:
    """One player's updates in a round, from `start` until `stop` images seen (None: the run's end)."""

    player: Player
    terms: Callable[[nn.Module, nn.Module, Batch], Terms]
    repeat: int = 1
    start: int = 0
    stop: int | None = None

    def active(self, images: int) -> bool:
        """Whether the phase runs in a round that starts at this count of images."""
        return self.start <= images and (self.stop is None or images < self.stop)


def phases(recipe: Recipe) -> tuple[Phase, ...]:
    """The phases of a recipe, in the order of a round: discriminator first (Goodfellow et al. 2014, algorithm 1)."""

    def seen(pictures: Tensor, batch: Batch) -> Tensor:
        return as_seen(pictures, recipe.augment, batch.images_seen)

    def d_terms(g: nn.Module, d: nn.Module, batch: Batch) -> Terms:
        with torch.no_grad():
            fake = recipe.system.fake(g, batch)
        terms = {"d/adversarial": recipe.objective.d(*_scores(d, seen(batch.real, batch), seen(fake, batch)))}
        for penalty in recipe.penalties:
            terms[f"d/{type(penalty).__name__}"] = penalty.term(d, batch.real, fake)
        return terms

    def g_terms(g: nn.Module, d: nn.Module, batch: Batch) -> Terms:
        fake = recipe.system.fake(g, batch)
        terms = {"g/adversarial": recipe.adversarial * recipe.objective.g(d(seen(fake, batch)))}
        return terms | content_terms("game", fake, batch)

    def pretrain_terms(g: nn.Module, d: nn.Module, batch: Batch) -> Terms:
        return content_terms("pretrain", recipe.system.fake(g, batch), batch)

    def content_terms(stage: str, fake: Tensor, batch: Batch) -> Terms:
        terms: Terms = {}
        for content in recipe.content:
            if content.when in (stage, "both"):
                name = f"g/{type(content).__name__}"
                terms[name] = terms.get(name, 0) + content.term(fake, batch.real)
        return terms

    plan = recipe.plan
    pretrain = Phase("g", pretrain_terms, stop=None if plan.pretrain == WHOLE else plan.pretrain)
    if plan.pretrain == WHOLE:
        return (pretrain,)
    game = (
        *_around(Phase("d", d_terms, plan.d_per_g), plan.freeze_d),
        *_around(Phase("g", g_terms, plan.g_per_d), plan.freeze_g),
    )
    if not plan.pretrain:
        return game
    return pretrain, *(replace(phase, start=max(phase.start, plan.pretrain)) for phase in game)


def check(recipe: Recipe, d: nn.Module) -> None:
    """Refuse a recipe whose parts do not fit each other.

    Raises:
        InputError: a per-picture penalty meets a discriminator that mixes the pictures of a batch.
    """
    if recipe.penalties and _mixes_pictures(d):
        raise InputError(
            f"{type(recipe.penalties[0]).__name__} constrains the discriminator picture by picture, but this one has"
            " batch normalisation, which mixes them; give --system.d-norm none."
        )


def _scores(d: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Score both sets: in one pass where pictures do not mix, apart where batch statistics would join them."""
    if _mixes_pictures(d):
        return d(real), d(fake)
    real_scores, fake_scores = d(torch.cat([real, fake])).split([len(real), len(fake)])
    return real_scores, fake_scores


def _mixes_pictures(d: nn.Module) -> bool:
    return any(isinstance(layer, _BatchNorm) for layer in d.modules())


def _around(phase: Phase, frozen: tuple[int, int]) -> list[Phase]:
    start, stop = frozen
    if start == stop:
        return [phase]
    before = Phase(phase.player, phase.terms, phase.repeat, 0, start)
    after = Phase(phase.player, phase.terms, phase.repeat, stop)
    return [before, after] if start else [after]
