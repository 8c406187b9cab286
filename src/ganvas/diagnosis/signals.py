"""What one look at the game measures: both players' scores, and how the fakes differ from the reals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.metrics.sliced_wasserstein import project, sliced_wasserstein
from ganvas.recipe.objectives import Objective

COUNT = 128  # pictures of each kind in a look: about the work of three updates
SIDE = 16  # px to which pictures are averaged before their distances are taken: what is seen from afar

Signals = dict[str, float]
Logits = Callable[[Tensor, Tensor | None], Tensor]
"""A system's logits (N,) in what its discriminator made of pictures of these classes (N,)."""
Embedding = Callable[[Tensor], Tensor]
"""Samples (N, ...) -> float vectors (N, F) whose distances mean something."""


class Probe:
    """Looks at two networks with the same noise and the same reals every time, and leaves no trace in them.

    Attributes:
        before: the fakes of the last look, seen from afar, or None.
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
        """Prepare to look.

        Args:
            inputs: noise (N, ...) for the generator.
            train: reals (N, ...) that are trained on, in [-1, 1].
            held_out: reals (M, ...) that are not; M may be 0.
            objective: the generator's, whose gradient is measured.
            logits: what the system reads in the discriminator's scores.
            labels: the classes of `inputs`, `train` and `held_out`, where the discriminator is told of them.
            embed: what samples are compared by; by default all their numbers.
        """
        self._embed, self.logits, (self._of_fakes, self._of_train, self._of_held) = embed, logits, labels
        self.inputs, self.train, self.held_out, self.objective = inputs, train, held_out, objective
        self.before: Tensor | None = None
        self._reals = self._embed(train)
        self._spread = _mean_distance(self._reals)
        self._nearest = _nearest(self._reals).median() / self._spread.clamp_min(1e-12)
        self._blind = objective.blind_loss()
        # What sampling alone does to the distance of two sets of reals: the unit of the fakes' distance.
        # Too few held-out ones would make it large; then the halves of the others serve.
        half = len(train) // 2
        many = len(held_out) >= half
        one, other = (train, held_out) if many else (train[:half], train[half : 2 * half])
        self._count = len(train) if many else half
        count = min(len(one), len(other))
        self._projections = project(train[: self._count])
        # Images that are all alike have no distance to measure by.
        self._unit = sliced_wasserstein(project(one[:count]), project(other[:count])) or 1.0

    def look(self, g: nn.Module, d: nn.Module) -> Signals:
        """Measure, with both networks as they play (in training mode), restoring their buffers.

        Returns:
            logit_real, logit_held_out, logit_fake: D's mean scores; in the relativistic game, which leaves their level
                free, about the middle of reals' and fakes'.
            accuracy_real, accuracy_held_out, accuracy_fake: shares that D tells rightly by the sign of its score.
            auc: chance that a training real scores above a fake; 0.5 is blind, 1 is certain.
            overfit: chance that a training real scores above a held-out one; 0.5 where D only learned what is general.
            overfit_noise: standard deviation that `overfit` has by the choice of the pictures where it is 0.5 in truth.
            gradient: mean norm of the generator's loss's gradient with respect to one picture.
            diversity: mean distance between two fakes / between two reals, pictures seen from afar.
            features: the same of what enters D's last layer.
            duplicates: share of fakes with a neighbour nearer than half of what is usual for reals, both in units of
                their own mean distance, so that fakes which are all alike but each its own do not count.
            advantage: 1 - D's loss / the least loss of a D that scores all alike: 1 is certain, 0 blind, less worse
                than blind. Not for Wasserstein's critic, whose loss has no such scale.
            movement: mean distance that a fake went since the last look / between two reals.
            distance: sliced Wasserstein distance to the training reals / that of held-out reals to them.
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
            # Against the mean real, where each fake is judged against one.
            loss = self.objective.g(score_fake, score_real.mean().expand_as(score_fake))
            (gradient,) = torch.autograd.grad(loss, fake)
        score_fake, fake = score_fake.detach(), fake.detach()
        if self.objective.paired:
            # The game fixes no level of D's scores, which drifts: zero is where D is undecided.
            middle = self.objective.undecided(score_real, score_fake)
            score_real, score_held, score_fake = score_real - middle, score_held - middle, score_fake - middle
        afar = self._embed(fake)
        apart = _mean_distance(afar)
        found = {
            "logit_real": score_real.mean(),
            "logit_fake": score_fake.mean(),
            "accuracy_real": (score_real > 0).float().mean(),
            "accuracy_fake": (score_fake < 0).float().mean(),
            "auc": _chance_above(score_real, score_fake),
            # The objective is a mean over the pictures.
            "gradient": gradient.flatten(1).norm(dim=1).mean() * len(fake),
            "diversity": apart / self._spread.clamp_min(1e-12),
            "features": _mean_distance(features_fake) / _mean_distance(features_real).clamp_min(1e-12),
        }
        # On the plane points lie close without being copies.
        if fake.ndim == 4:
            found["duplicates"] = (_nearest(afar) < self._nearest * apart / 2).float().mean()
        if self._blind:
            pairs = min(len(score_real), len(score_fake))
            found["advantage"] = 1 - self.objective.d(score_real[:pairs], score_fake[:pairs]) / self._blind
        if len(score_held):
            found["logit_held_out"] = score_held.mean()
            found["accuracy_held_out"] = (score_held > 0).float().mean()
            found["overfit"] = _chance_above(score_real, score_held)
            # Mann and Whitney's: (n + m + 1) / (12 n m), without ties.
            n, m = len(score_real), len(score_held)
            found["overfit_noise"] = torch.tensor((n + m + 1) / (12 * n * m)).sqrt()
        if self.before is not None:
            found["movement"] = (afar - self.before).norm(dim=1).mean() / self._spread.clamp_min(1e-12)
        self.before = afar
        signals = {name: float(value) for name, value in found.items()}
        signals["distance"] = sliced_wasserstein(self._projections, project(fake[: self._count])) / self._unit
        return signals

    def _score(self, d: nn.Module, pictures: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        """D's logits (N,) and what entered the last layer with weights that it computed (N, F)."""
        entered: list[Tensor] = []

        def note(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
            entered[:] = [given[0].detach()]

        layers = [layer for layer in d.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
        hooks = [layer.register_forward_pre_hook(note) for layer in layers]
        try:
            scores = d(pictures).float()
        finally:
            for hook in hooks:
                hook.remove()
        return self.logits(scores, labels), entered[0].flatten(1).float()


@contextmanager
def _undisturbed(*networks: nn.Module) -> Iterator[None]:
    """Undo what a forward pass in training mode does: batch statistics, spectral norms, who is thawed."""
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


def seen_from_afar(pictures: Tensor) -> Tensor:
    """Images (N, C, H, W), averaged to at most SIDE px, as vectors (N, F)."""
    if pictures.shape[-1] > SIDE:
        pictures = functional.adaptive_avg_pool2d(pictures, SIDE)
    return pictures.flatten(1).float()


def _mean_distance(vectors: Tensor) -> Tensor:
    return torch.pdist(vectors).mean()


def _nearest(vectors: Tensor) -> Tensor:
    """The distance of each vector (N, F) to its nearest neighbour (N,)."""
    distances = torch.cdist(vectors, vectors)
    return distances.fill_diagonal_(float("inf")).min(dim=1).values


def _chance_above(upper: Tensor, lower: Tensor) -> Tensor:
    """P(a random one of `upper` > a random one of `lower`), ties counted half: the area under the ROC curve."""
    difference = upper[:, None] - lower[None, :]
    return (difference > 0).float().mean() + (difference == 0).float().mean() / 2
