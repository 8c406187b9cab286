"""A recipe turned into what a round does: a list of phases, each moving one player by named terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from ganvas.errors import InputError
from ganvas.recipe import WHOLE, Recipe
from ganvas.recipe.batch import Batch
from ganvas.recipe.penalties import Scored
from ganvas.recipe.system import System
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


@dataclass(frozen=True)
class Round:
    """What the terms of a round are computed by."""

    recipe: Recipe
    chance: Tensor | None = None
    """The probability of the augmentation's changes where it adapts."""

    def seen(self, samples: Tensor, batch: Batch) -> Tensor:
        """Samples as the discriminator sees them."""
        return as_seen(samples, self.recipe.augment, batch.images_seen, self.chance)

    def labels(self, batch: Batch) -> Tensor | None:
        """The classes of a batch, where the networks are told of them."""
        return batch.labels if self.recipe.system.classes else None


def phases(recipe: Recipe, chance: Tensor | None = None) -> tuple[Phase, ...]:
    """The phases of a recipe, in the order of a round: discriminator first (Goodfellow et al. 2014, algorithm 1).

    Args:
        chance: the probability of the augmentation's changes where it adapts.
    """
    now, schedule = Round(recipe, chance), recipe.schedule
    pretrain = Phase("g", partial(pretrain_terms, now), stop=None if schedule.pretrain == WHOLE else schedule.pretrain)
    if schedule.pretrain == WHOLE:
        return (pretrain,)
    game = (
        *_around(Phase("d", partial(d_terms, now), schedule.d_per_g), schedule.freeze_d),
        *_around(Phase("g", partial(g_terms, now), schedule.g_per_d), schedule.freeze_g),
    )
    if not schedule.pretrain:
        return game
    return pretrain, *(replace(phase, start=max(phase.start, schedule.pretrain)) for phase in game)


def d_terms(now: Round, g: nn.Module, d: nn.Module, batch: Batch) -> Terms:
    """The discriminator's: the game, the classes, and the penalties that are due."""
    recipe, system, objective = now.recipe, now.recipe.system, now.recipe.objective
    with torch.no_grad():
        fake = system.fake(g, batch)
    due = [penalty for penalty in recipe.penalties if penalty.due(batch.images_seen // recipe.batch_size)]
    sloped = any(penalty.needs == "slopes" for penalty in due)
    samples = torch.cat([batch.real, fake]).requires_grad_(sloped)
    scores = _scores(d, now.seen(samples, batch))
    labels = now.labels(batch)
    real_logits, fake_logits = (system.logits(part, labels) for part in scores.chunk(2))
    terms = {"d/adversarial": objective.d(real_logits, fake_logits)}
    terms |= _class_terms("d", system, scores, [labels, labels])
    if recipe.augment.target:
        terms[SIGN] = sign(objective, real_logits, fake_logits)
    slopes = None
    if sloped:
        # The scores of the game serve the penalties too: scoring again would double the cost.
        (both,) = torch.autograd.grad(real_logits.sum() + fake_logits.sum(), samples, create_graph=True)
        real_slopes, fake_slopes = both.chunk(2)
        slopes = real_slopes, fake_slopes
    scored = Scored(batch.real, fake, lambda x: system.logits(d(x), labels), batch.images_seen, slopes)
    return terms | _summed("d", ((penalty, penalty.term(scored)) for penalty in due))


def g_terms(now: Round, g: nn.Module, d: nn.Module, batch: Batch) -> Terms:
    """The generator's in the game: the objective, the classes, and what ties fakes to their originals."""
    system, objective = now.recipe.system, now.recipe.objective
    fake = system.fake(g, batch)
    scores = d(now.seen(fake, batch))
    labels = now.labels(batch)
    real_logits = None
    if objective.paired:
        with torch.no_grad():
            real_logits = system.logits(d(now.seen(batch.real, batch)), labels)
    loss = objective.g(system.logits(scores, labels), real_logits)
    terms = {"g/adversarial": now.recipe.adversarial * loss} | _class_terms("g", system, scores, [labels])
    return terms | _reconstruction_terms("game", now.recipe, fake, batch)


def pretrain_terms(now: Round, g: nn.Module, d: nn.Module, batch: Batch) -> Terms:
    """The generator's before the game: what ties fakes to their originals, alone."""
    return _reconstruction_terms("pretrain", now.recipe, now.recipe.system.fake(g, batch), batch)


def _class_terms(player: Player, system: System, scores: Tensor, labels: list[Tensor | None]) -> Terms:
    guessed = system.class_logits(scores)
    told = [label for label in labels if label is not None]
    if guessed is None or not told:
        return {}
    return {f"{player}/classes": functional.cross_entropy(guessed.float(), torch.cat(told))}


def _reconstruction_terms(stage: Literal["pretrain", "game"], recipe: Recipe, fake: Tensor, batch: Batch) -> Terms:
    return _summed("g", ((loss, loss.term(fake, batch)) for loss in recipe.reconstruction if loss.due(stage)))


def _summed(player: Player, parts: Iterable[tuple[object, Tensor]]) -> Terms:
    """Terms by the names of their classes; several of one class add up."""
    terms: Terms = {}
    for part, term in parts:
        name = f"{player}/{type(part).__name__}"
        terms[name] = terms.get(name, 0) + term
    return terms


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
