"""Augmentation that adapts: as strong as D's scores of the reals say that it must be."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganvas.recipe import CAP, Recipe
from ganvas.recipe.objectives import Objective

EVERY = 4  # batches of D from one step of the probability to the next
SIGN, CHANCE = "d/sign", "augment/p"


def sign(objective: Objective, real: Tensor, fake: Tensor) -> Tensor:
    """The mean sign of D's scores of the reals as seen, about the score at which D is undecided.

    r_t of Karras et al. (2020, arXiv:2006.06676, section 3): 0 while reals and fakes look alike to D, 1 once it is sure
    of every real.

    Args:
        objective: whose optimal D, where reals and fakes are as likely, scores the zero of the sign: 0 for the hinge,
            the label's middle for least squares, and its logit for cross-entropy. The relativistic game leaves D's
            scores free up to a constant, which drifts; what lies midway between the mean real and the mean fake is then
            the zero, as it is in the other games for scores that scatter alike.
        real: (B,) scores.
        fake: (B,) scores.
    """
    with torch.no_grad():
        real, fake = real.float(), fake.float()
        return (real - objective.undecided(real, fake)).sign().mean()


class Adaptive:
    """The probability of the changes, which follows the sign. Part of a run's state.

    Attributes:
        chance: the probability now, a scalar on the device.
    """

    def __init__(self, start: float, device: torch.device) -> None:
        self.chance = torch.tensor(start, device=device)
        self._signs: list[Tensor] = []

    def step(self, terms: dict[str, Tensor], recipe: Recipe) -> dict[str, Tensor]:
        """Take a round's terms; what to log beside them.

        Every fourth time p moves by sign(r_t - target) * images / adapt_over, within 0 and the cap (section 3 there).
        """
        self._signs += [terms[SIGN]] if SIGN in terms else []
        if len(self._signs) == EVERY:
            images = EVERY * recipe.schedule.d_per_g * recipe.batch_size
            above = torch.stack(self._signs).mean() - recipe.augment.target
            self.chance = (self.chance + above.sign() * (images / recipe.augment.adapt_over)).clamp(0, CAP)
            self._signs = []
        return {CHANCE: self.chance}

    def notes(self) -> dict[str, Any]:
        """Its state, as plain data."""
        return {"chance": float(self.chance), "signs": [float(sign) for sign in self._signs]}

    def load(self, notes: dict[str, Any]) -> None:
        """Restore what `notes` gave."""
        device = self.chance.device
        self.chance = torch.tensor(notes["chance"], device=device)
        self._signs = [torch.tensor(sign, device=device) for sign in notes["signs"]]
