"""A recipe turned into what a round does: a list of phases, each moving one player by named terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from ganvas.errors import InputError
from ganvas.recipe import WHOLE, Recipe
from ganvas.recipe.batch import Batch
from ganvas.recipe.objectives import Relativistic
from ganvas.recipe.penalties import R1, R2, GradientPenalty, due
from ganvas.training.ada import SIGN, sign
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


def phases(recipe: Recipe, chance: Tensor | None = None) -> tuple[Phase, ...]:
    """The phases of a recipe, in the order of a round: discriminator first (Goodfellow et al. 2014, algorithm 1).

    Args:
        chance: the probability of the augmentation's changes where it adapts.
    """

    system, objective = recipe.system, recipe.objective

    def seen(pictures: Tensor, batch: Batch) -> Tensor:
        return as_seen(pictures, recipe.augment, batch.images_seen, chance)

    def d_terms(g: nn.Module, d: nn.Module, batch: Batch) -> Terms:
        with torch.no_grad():
            fake = system.fake(g, batch)
        now = [penalty for penalty in recipe.penalties if due(penalty, batch.images_seen // recipe.batch_size)]
        smooth = not all(isinstance(penalty, GradientPenalty) for penalty in now)
        pictures = torch.cat([batch.real, fake]).requires_grad_(smooth)
        scores = _scores(d, seen(pictures, batch))
        labels = batch.labels if system.classes else None
        real_logits, fake_logits = (system.logits(part, labels) for part in scores.chunk(2))
        terms = {"d/adversarial": objective.d(real_logits, fake_logits)}
        terms |= class_terms("d", scores, [labels, labels])
        if recipe.augment.target:
            terms[SIGN] = sign(objective, real_logits, fake_logits)
        if smooth:
            # The scores of the game serve the penalties too: scoring again would double the cost.
            (slopes,) = torch.autograd.grad(real_logits.sum() + fake_logits.sum(), pictures, create_graph=True)
            parts = dict(zip((R1, R2), slopes.chunk(2), strict=True))
        for penalty in now:
            name = f"d/{type(penalty).__name__}"
            if isinstance(penalty, GradientPenalty):
                term = penalty.term(lambda x: system.logits(d(x), labels), batch.real, fake)
            else:
                term = penalty.term(parts[type(penalty)], batch.images_seen)
            terms[name] = terms.get(name, 0) + term
        return terms

    def g_terms(g: nn.Module, d: nn.Module, batch: Batch) -> Terms:
        fake = system.fake(g, batch)
        scores = d(seen(fake, batch))
        labels = batch.labels if system.classes else None
        logits = system.logits(scores, labels)
        if isinstance(objective, Relativistic):
            with torch.no_grad():
                real_logits = system.logits(d(seen(batch.real, batch)), labels)
            loss = objective.g(logits, real_logits)
        else:
            loss = objective.g(logits)
        terms = {"g/adversarial": recipe.adversarial * loss} | class_terms("g", scores, [labels])
        return terms | content_terms("game", fake, batch)

    def class_terms(player: Player, scores: Tensor, labels: list[Tensor | None]) -> Terms:
        guessed = system.class_logits(scores)
        told = [label for label in labels if label is not None]
        if guessed is None or not told:
            return {}
        return {f"{player}/classes": functional.cross_entropy(guessed.float(), torch.cat(told))}

    def pretrain_terms(g: nn.Module, d: nn.Module, batch: Batch) -> Terms:
        return content_terms("pretrain", recipe.system.fake(g, batch), batch)

    def content_terms(stage: str, fake: Tensor, batch: Batch) -> Terms:
        terms: Terms = {}
        for content in recipe.reconstruction:
            if content.when in (stage, "both"):
                name = f"g/{type(content).__name__}"
                terms[name] = terms.get(name, 0) + content.term(fake, batch.real)
        return terms

    plan = recipe.schedule
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
        InputError: what regards pictures one by one meets a discriminator that mixes the pictures of a batch.
    """
    if recipe.penalties and _mixes_pictures(d):
        raise InputError(
            f"{type(recipe.penalties[0]).__name__} constrains the discriminator picture by picture, but this one has"
            " batch normalisation, which mixes them; give --system.d-norm none."
        )
    if recipe.augment.target and _mixes_pictures(d):
        raise InputError(
            f"--augment.target {recipe.augment.target} reads from each picture's score whether D knows it by heart,"
            " but this one has batch normalisation, by which all reals of a batch score alike; give --system.d-norm"
            " spectral or none."
        )


def _scores(d: nn.Module, pictures: Tensor) -> Tensor:
    """Score reals and, behind them, as many fakes: in one pass, or apart where batch statistics would join them."""
    if not _mixes_pictures(d):
        scores: Tensor = d(pictures)
        return scores
    return torch.cat([d(part) for part in pictures.chunk(2)])


def _mixes_pictures(d: nn.Module) -> bool:
    return any(isinstance(layer, _BatchNorm) for layer in d.modules())


def _around(phase: Phase, frozen: tuple[int, int]) -> list[Phase]:
    start, stop = frozen
    if start == stop:
        return [phase]
    before = Phase(phase.player, phase.terms, phase.repeat, 0, start)
    after = Phase(phase.player, phase.terms, phase.repeat, stop)
    return [before, after] if start else [after]
