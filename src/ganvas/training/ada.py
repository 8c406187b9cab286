"""Adaptive discriminator augmentation (ADA): as strong as D's scores of the reals require."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganvas.recipe import CAP, Recipe
from ganvas.recipe.objectives import Objective

EVERY = 4  # batches of D between two steps of the probability
SIGN, PROBABILITY = "d/sign", "augment/p"


def sign(objective: Objective, real: Tensor, fake: Tensor) -> Tensor:
    """The mean sign of D's scores of the augmented reals, relative to the score of an undecided D.

    r_t of Karras et al. (2020, arXiv:2006.06676, section 3): 0 while D cannot tell reals from fakes, 1 once it is sure
    of every real.

    Args:
        objective: determines the zero of the sign, the score of an optimal D where reals and fakes are equally likely:
        0
            for the hinge loss, the labels' midpoint for least squares, and its logit for cross-entropy. The
            relativistic loss defines scores only up to a constant, which drifts; there the zero is midway between the
            mean real and the mean fake.
        real: (B,) scores.
        fake: (B,) scores.
    """
    with torch.no_grad():
        real, fake = real.float(), fake.float()
        return (real - objective.undecided(real, fake)).sign().mean()


class AdaptiveAugmentation:
    """The augmentation probability, adapted to the sign. Part of a run's state.

    Attributes:
        probability: the current value, a scalar on the device.
    """

    def __init__(self, start: float, device: torch.device) -> None:
        self.probability = torch.tensor(start, device=device)
        self._signs: list[Tensor] = []

    def step(self, terms: dict[str, Tensor], recipe: Recipe) -> dict[str, Tensor]:
        """Update the probability from a round's terms, and return it as a term for the log.

        Every fourth batch p moves by sign(r_t - target) * images / adapt_over, between 0 and the cap (section 3 there).
        """
        self._signs += [terms[SIGN]] if SIGN in terms else []
        if len(self._signs) == EVERY:
            images = EVERY * recipe.schedule.d_per_g * recipe.batch_size
            above = torch.stack(self._signs).mean() - recipe.augment.target
            self.probability = (self.probability + above.sign() * (images / recipe.augment.adapt_over)).clamp(0, CAP)
            self._signs = []
        return {PROBABILITY: self.probability}

    def notes(self) -> dict[str, Any]:
        """The state as plain data."""
        return {"chance": float(self.probability), "signs": [float(sign) for sign in self._signs]}

    def load(self, notes: dict[str, Any]) -> None:
        """Restore the state from `notes`."""
        device = self.probability.device
        self.probability = torch.tensor(notes["chance"], device=device)
        self._signs = [torch.tensor(sign, device=device) for sign in notes["signs"]]
