"""The phases of a round, derived from the recipe: each updates one player by named loss terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
from ganvas.recipe.penalties import PenaltyInputs
from ganvas.recipe.system import System
from ganvas.training.ada import SIGN, sign
from ganvas.training.augmentation import augment

Terms = dict[str, Tensor]
Player = Literal["g", "d"]


@dataclass(frozen=True)
class Phase:
    """One player's updates in a round, from `start` to `stop` images seen (None: the end of the run)."""

    player: Player
    terms: Callable[[nn.Module, nn.Module, Batch], Terms]
    repeat: int = 1
    start: int = 0
    stop: int | None = None

    def active(self, images: int) -> bool:
        """Whether the phase is part of a round that starts after this many images."""
        return self.start <= images and (self.stop is None or images < self.stop)


@dataclass(frozen=True)
class RoundContext:
    """What the terms of a round depend on."""

    recipe: Recipe
    probability: Tensor | None = None
    """The augmentation probability if it is adaptive."""

    def augment(self, samples: Tensor, batch: Batch) -> Tensor:
        """Augment samples for the discriminator."""
        return augment(samples, self.recipe.augment, batch.images_seen, self.probability)

    def labels(self, batch: Batch) -> Tensor | None:
        """The classes of a batch if the networks are conditioned on them, else None."""
        return batch.labels if self.recipe.system.classes else None


def phases(recipe: Recipe, probability: Tensor | None = None) -> tuple[Phase, ...]:
    """The phases of a recipe in their order within a round: discriminator first (Goodfellow et al. 2014, algorithm 1).

    Args:
        probability: the augmentation probability if it is adaptive.
    """
    context, schedule = RoundContext(recipe, probability), recipe.schedule
    pretrain = Phase(
        "g", partial(pretrain_terms, context), stop=None if schedule.pretrain == WHOLE else schedule.pretrain
    )
    if schedule.pretrain == WHOLE:
        return (pretrain,)
    game = (
        *_around(Phase("d", partial(d_terms, context), schedule.d_per_g), schedule.freeze_d),
        *_around(Phase("g", partial(g_terms, context), schedule.g_per_d), schedule.freeze_g),
    )
    if not schedule.pretrain:
        return game
    return pretrain, *(replace(phase, start=max(phase.start, schedule.pretrain)) for phase in game)


def d_terms(context: RoundContext, g: nn.Module, d: nn.Module, batch: Batch) -> Terms:
    """The discriminator's terms: the objective, the classes and the penalties that are due."""
    recipe, system, objective = context.recipe, context.recipe.system, context.recipe.objective
    with torch.no_grad():
        fake = system.judged(system.fake(g, batch), batch)
    real = system.judged(batch.real, batch)
    due = [penalty for penalty in recipe.penalties if penalty.due(batch.images_seen // recipe.batch_size)]
    sloped = any(penalty.needs == "slopes" for penalty in due)
    samples = torch.cat([real, fake]).requires_grad_(sloped)
    scores = _scores(d, context.augment(samples, batch))
    labels = context.labels(batch)
    real_logits, fake_logits = (system.logits(part, labels) for part in scores.chunk(2))
    terms = {"d/adversarial": objective.d(real_logits, fake_logits)}
    terms |= _class_terms("d", system, scores, [labels, labels])
    if recipe.augment.target:
        terms[SIGN] = sign(objective, real_logits, fake_logits)
    slopes = None
    if sloped:
        # The penalties reuse the scores of the game: scoring again would double the cost.
        (both,) = torch.autograd.grad(real_logits.sum() + fake_logits.sum(), samples, create_graph=True)
        real_slopes, fake_slopes = both.chunk(2)
        slopes = real_slopes, fake_slopes
    inputs = PenaltyInputs(real, fake, lambda x: system.logits(d(x), labels), batch.images_seen, slopes)
    return terms | _summed("d", ((penalty, penalty.term(inputs)) for penalty in due))


def g_terms(context: RoundContext, g: nn.Module, d: nn.Module, batch: Batch) -> Terms:
    """The generator's terms in the game: the objective, the classes and the reconstruction losses."""
    system, objective = context.recipe.system, context.recipe.objective
    made = system.outputs(g, batch)
    fake = made["fake"]
    scores = d(context.augment(system.judged(fake, batch), batch))
    labels = context.labels(batch)
    real_logits = None
    if objective.paired:
        with torch.no_grad():
            real_logits = system.logits(d(context.augment(system.judged(batch.real, batch), batch)), labels)
    loss = objective.g(system.logits(scores, labels), real_logits)
    terms = {"g/adversarial": context.recipe.adversarial * loss} | _class_terms("g", system, scores, [labels])
    return terms | _reconstruction_terms("game", context.recipe, made, batch)


def pretrain_terms(context: RoundContext, g: nn.Module, d: nn.Module, batch: Batch) -> Terms:
    """The generator's terms in pretraining: the reconstruction losses alone."""
    return _reconstruction_terms("pretrain", context.recipe, context.recipe.system.outputs(g, batch), batch)


def _class_terms(player: Player, system: System, scores: Tensor, labels: list[Tensor | None]) -> Terms:
    logits = system.class_logits(scores)
    known = [label for label in labels if label is not None]
    if logits is None or not known:
        return {}
    return {f"{player}/classes": functional.cross_entropy(logits.float(), torch.cat(known))}


def _reconstruction_terms(
    stage: Literal["pretrain", "game"], recipe: Recipe, made: Mapping[str, Tensor], batch: Batch
) -> Terms:
    beside = batch.beside(made)
    return _summed("g", ((loss, loss.term(made[loss.of], beside)) for loss in recipe.reconstruction if loss.due(stage)))


def _summed(player: Player, parts: Iterable[tuple[object, Tensor]]) -> Terms:
    """Terms named after their classes; several of one class are added."""
    terms: Terms = {}
    for part, term in parts:
        name = f"{player}/{type(part).__name__}"
        terms[name] = terms.get(name, 0) + term
    return terms


def check(recipe: Recipe, d: nn.Module) -> None:
    """Reject a recipe whose discriminator does not suit its penalties or augmentation.

    Raises:
        InputError: the discriminator mixes the images of a batch, but a penalty or ADA needs independent scores.
    """
    if recipe.penalties and _mixes_samples(d):
        raise InputError(
            f"{type(recipe.penalties[0]).__name__} constrains the discriminator image by image, but batch normalization"
            " mixes the images of a batch; use --system.d-norm none."
        )
    if recipe.augment.target and _mixes_samples(d):
        raise InputError(
            f"--augment.target {recipe.augment.target} detects overfitting from the score of each image, but batch"
            " normalization makes all reals of a batch score alike; use --system.d-norm spectral or none."
        )


def _scores(d: nn.Module, samples: Tensor) -> Tensor:
    """Score reals followed by as many fakes: in one pass, or separately if batch statistics would mix them."""
    if not _mixes_samples(d):
        scores: Tensor = d(samples)
        return scores
    return torch.cat([d(part) for part in samples.chunk(2)])


def _mixes_samples(d: nn.Module) -> bool:
    return any(isinstance(layer, _BatchNorm) for layer in d.modules())


def _around(phase: Phase, frozen: tuple[int, int]) -> list[Phase]:
    start, stop = frozen
    if start == stop:
        return [phase]
    before = Phase(phase.player, phase.terms, phase.repeat, 0, start)
    after = Phase(phase.player, phase.terms, phase.repeat, stop)
    return [before, after] if start else [after]
