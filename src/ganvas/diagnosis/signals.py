"""The signals of a snapshot: both players' scores, and how the fakes differ from the reals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.metrics.sliced_wasserstein import Projections, project, sliced_wasserstein
from ganvas.recipe.objectives import Objective

COUNT = 128  # images of each kind in a snapshot: about the cost of a round
CHANCE = 0.00135  # that of three standard deviations
SIDE = 16  # px to which images are averaged before measuring distances

Signals = dict[str, float]
Logits = Callable[[Tensor, Tensor | None], Tensor]
"""A system's logits (N,), from its discriminator's scores for samples of these classes (N,)."""
Embedding = Callable[[Tensor], Tensor]
"""Samples (N, ...) -> float vectors (N, F) with meaningful distances."""


class Probe:
    """Measures two networks with the same noise and reals every time, without changing them.

    Attributes:
        before: the downsampled fakes of the previous measurement, or None.
    """

    def __init__(
        self,
        inputs: Tensor,
        train: Tensor,
        held_out: Tensor,
        objective: Objective,
        logits: Logits = lambda scores, labels: scores,
        labels: tuple[Tensor | None, Tensor | None, Tensor | None] = (None, None, None),
        embed: Embedding = lambda samples: samples.flatten(1).float(),
    ) -> None:
        """Prepare to measure.

        Args:
            inputs: noise (N, ...) for the generator.
            train: reals (N, ...) that are trained on, in [-1, 1].
            held_out: reals (M, ...) that are not; M may be 0.
            objective: the one whose gradient with respect to the fakes is measured.
            logits: how the system obtains logits from the discriminator's scores.
            labels: the classes of `inputs`, `train` and `held_out` if the discriminator is conditioned on them.
            embed: maps samples to the vectors whose distances are measured; by default flattens them.
        """
        self._embed, self.logits, (self._of_fakes, self._of_train, self._of_held) = embed, logits, labels
        self.inputs, self.train, self.held_out, self.objective = inputs, train, held_out, objective
        self.before: Tensor | None = None
        self._reals = self._embed(train)
        self._spread = _mean_distance(self._reals)
        self._nearest = _nearest(self._reals).median() / self._spread.clamp_min(1e-12)
        self._blind = objective.blind_loss()
        # The distance between two sets of reals, due to sampling alone, is the unit of the fakes' distance.
        # Too few held-out reals would inflate it; in that case it is taken between two halves of the training reals.
        half = len(train) // 2
        many = len(held_out) >= half
        one, other = (train, held_out) if many else (train[:half], train[half : 2 * half])
        self._count = len(train) if many else half
        count = min(len(one), len(other))
        self._projections = self._projected(train[: self._count])
        # Identical images have no distance to serve as the unit.
        self._unit = sliced_wasserstein(self._projected(one[:count]), self._projected(other[:count])) or 1.0

    def measure(self, g: nn.Module, d: nn.Module) -> Signals:
        """Measure both networks as they are trained (in training mode), and restore their buffers.

        Returns:
            logit_real, logit_held_out, logit_fake: D's mean scores; with the relativistic loss, which leaves a constant
                free, relative to the midpoint of reals and fakes.
            accuracy_real, accuracy_held_out, accuracy_fake: fractions that D classifies correctly by sign.
            auc: probability that a training real scores above a fake; 0.5 is chance level, 1 is perfect.
            overfit: probability that a training real scores above a held-out one; 0.5 if D generalizes.
            overfit_noise: standard deviation of `overfit` due to sampling, if its true value is 0.5.
            overfit_limit: what `overfit` exceeds by sampling alone once in a thousand times; 1 with too few held-out.
            gradient: mean norm of the gradient of the generator's loss with respect to one image.
            diversity: mean distance between two fakes / between two reals, after downsampling.
            features: the same for the inputs of D's last layer.
            duplicates: fraction of fakes whose nearest neighbour is less than half as far as is typical for reals, each
                relative to its own mean distance, so that similar but distinct fakes do not count.
            advantage: 1 - D's loss / the lowest loss of a D with constant scores: 1 is perfect, 0 chance level, below 0
                worse than chance. Not for a Wasserstein critic, whose loss has no such scale.
            movement: mean distance that a fake moved since the last snapshot / between two reals.
            distance: sliced Wasserstein distance of the fakes to the training reals / that of held-out reals.
        """
        with _undisturbed(g, d):
            with torch.no_grad():
                fake = g(self.inputs)
            fake = fake.detach().float().requires_grad_()
            score_fake, features_fake = self._score(d, fake, self._of_fakes)
            with torch.no_grad():
                score_real, features_real = self._score(d, self.train, self._of_train)
                held = len(self.held_out) > 0
                score_held = self._score(d, self.held_out, self._of_held)[0] if held else score_real[:0]
            # A paired objective compares each fake with the mean real.
            loss = self.objective.g(score_fake, score_real.mean().expand_as(score_fake))
            (gradient,) = torch.autograd.grad(loss, fake)
        score_fake, fake = score_fake.detach(), fake.detach()
        if self.objective.paired:
            # The objective fixes D's scores only up to a constant, which drifts: set zero to where D is undecided.
            middle = self.objective.undecided(score_real, score_fake)
            score_real, score_held, score_fake = score_real - middle, score_held - middle, score_fake - middle
        embedded = self._embed(fake)
        spread = _mean_distance(embedded)
        found = {
            "logit_real": score_real.mean(),
            "logit_fake": score_fake.mean(),
            "accuracy_real": (score_real > 0).float().mean(),
            "accuracy_fake": (score_fake < 0).float().mean(),
            "auc": _auc(score_real, score_fake),
            # The objective is a mean over the images.
            "gradient": gradient.flatten(1).norm(dim=1).mean() * len(fake),
            "diversity": spread / self._spread.clamp_min(1e-12),
            "features": _mean_distance(features_fake) / _mean_distance(features_real).clamp_min(1e-12),
        }
        # 2-D points can be close without being copies.
        if fake.ndim > 2:
            found["duplicates"] = (_nearest(embedded) < self._nearest * spread / 2).float().mean()
        if self._blind:
            pairs = min(len(score_real), len(score_fake))
            found["advantage"] = 1 - self.objective.d(score_real[:pairs], score_fake[:pairs]) / self._blind
        if len(score_held):
            found["logit_held_out"] = score_held.mean()
            found["accuracy_held_out"] = (score_held > 0).float().mean()
            found["overfit"] = _auc(score_real, score_held)
            # Variance of the Mann-Whitney statistic: (n + m + 1) / (12 n m), without ties.
            n, m = len(score_real), len(score_held)
            noise = math.sqrt((n + m + 1) / (12 * n * m))
            found |= {"overfit_noise": torch.tensor(noise), "overfit_limit": torch.tensor(chance_limit(n, m))}
        if self.before is not None:
            found["movement"] = (embedded - self.before).norm(dim=1).mean() / self._spread.clamp_min(1e-12)
        self.before = embedded
        signals = {name: float(value) for name, value in found.items()}
        signals["distance"] = sliced_wasserstein(self._projections, self._projected(fake[: self._count])) / self._unit
        return signals

    def _projected(self, samples: Tensor) -> Projections:
        """The projections of a set: of the patches of images, and of whatever else as it is embedded."""
        return project(samples if samples.ndim == 4 else self._embed(samples))

    def _score(self, d: nn.Module, samples: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        """D's logits (N,) and the inputs (N, F) of the last linear or convolutional layer that it computed."""
        entered: list[Tensor] = []

        def note(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
            entered[:] = [given[0].detach()]

        layers = [layer for layer in d.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
        hooks = [layer.register_forward_pre_hook(note) for layer in layers]
        try:
            scores = d(samples).float()
        finally:
            for hook in hooks:
                hook.remove()
        return self.logits(scores, labels), entered[0].flatten(1).float()


@contextmanager
def _undisturbed(*networks: nn.Module) -> Iterator[None]:
    """Undo the effects of a forward pass in training mode: batch statistics, spectral norms, `requires_grad`."""
    buffers = [(buffer, buffer.clone()) for network in networks for buffer in network.buffers()]
    thawed = [(p, p.requires_grad) for network in networks for p in network.parameters()]
    try:
        for network in networks:
            network.requires_grad_(False)
        yield
    finally:
        for buffer, copy in buffers:
            buffer.copy_(copy)
        for parameter, requires_grad in thawed:
            parameter.requires_grad_(requires_grad)


def downsampled(images: Tensor) -> Tensor:
    """Images (N, C, H, W), averaged to at most SIDE px, as vectors (N, F)."""
    if images.shape[-1] > SIDE:
        images = functional.adaptive_avg_pool2d(images, SIDE)
    return images.flatten(1).float()


def _mean_distance(vectors: Tensor) -> Tensor:
    return torch.pdist(vectors).mean()


def _nearest(vectors: Tensor) -> Tensor:
    """The distance of each vector (N, F) to its nearest neighbour (N,)."""
    distances = torch.cdist(vectors, vectors)
    return distances.fill_diagonal_(float("inf")).min(dim=1).values


@cache
def chance_limit(n: int, m: int) -> float:
    """What the AUC of n against m scores of one distribution exceeds with a probability of `CHANCE` at most.

    Exact for few (Mann & Whitney 1947), as the normal distribution's three standard deviations for many.
    """
    if min(n, m) > 10:
        return min(1.0, 0.5 + 3 * math.sqrt((n + m + 1) / (12 * n * m)))
    # The orders in which u pairs are the wrong way round are counted by the coefficients of a Gaussian binomial.
    counts = [1] + [0] * (n * m)
    for i in range(1, m + 1):
        for u in range(n * m, n + i - 1, -1):
            counts[u] -= counts[u - n - i]
        for u in range(i, n * m + 1):
            counts[u] += counts[u - i]
    allowed = CHANCE * math.comb(n + m, m)
    wrong = sum(below <= allowed for below in accumulate(counts))
    return 1 - wrong / (n * m)


def _auc(upper: Tensor, lower: Tensor) -> Tensor:
    """Area under the ROC curve: P(a random one of `upper` > a random one of `lower`), ties counted half."""
    difference = upper[:, None] - lower[None, :]
    return (difference > 0).float().mean() + (difference == 0).float().mean() / 2
