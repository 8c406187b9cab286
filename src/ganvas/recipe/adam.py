"""One player's optimizer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ganvas.errors import InputError
from ganvas.recipe.ramp import Ramp, ends


@dataclass(frozen=True, kw_only=True)
class Adam:
    """One player's optimizer: Adam (Kingma & Ba 2015, arXiv:1412.6980) or AdamW (arXiv:1711.05101)."""

    lr: float | Ramp = 2e-4
    """Learning rate, or a ramp of it over real images (2e-4..5e-5@20000)."""
    beta1: float = 0.5
    """Decay of the first moment; 0.5 after DCGAN, since 0.9 makes the game oscillate."""
    beta2: float | Ramp = 0.999
    """Decay of the second moment, or a ramp of it."""
    weight_decay: float = 0.0
    """Strength of the pull of the weights towards 0."""
    decoupled: bool = False
    """Apply weight decay to the weights themselves (AdamW) instead of through the gradient (Adam)."""

    def __post_init__(self) -> None:
        if any(not math.isfinite(rate) or rate < 0 for rate in ends(self.lr)):
            raise InputError(f"learning rate {self.lr} is not a number of at least 0; try 2e-4.")
        if not all(0 <= beta < 1 for beta in (self.beta1, *ends(self.beta2))):
            raise InputError(f"Adam's betas {self.beta1} and {self.beta2} must lie in [0, 1); try 0.5 and 0.999.")
        if self.weight_decay < 0:
            raise InputError(f"weight decay {self.weight_decay} is negative; give 0 for none, or e.g. 1e-4.")
