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
    """Learning rate, or a ramp over real images seen (2e-4..5e-5@20000)."""
    beta1: float = 0.5
    """Decay of the first moment; DCGAN's 0.5, since 0.9 makes the game oscillate."""
    beta2: float | Ramp = 0.999
    """Decay of the second moment, or a ramp."""
    weight_decay: float = 0.0
    """Weight decay; 0 disables it."""
    decoupled: bool = False
    """Apply weight decay to the weights themselves (AdamW) instead of through the gradient (Adam)."""

    def __post_init__(self) -> None:
        if any(not math.isfinite(rate) or rate < 0 for rate in ends(self.lr)):
            raise InputError(f"the learning rate must be a number of at least 0, such as 2e-4; got {self.lr}.")
        if not all(0 <= beta < 1 for beta in (self.beta1, *ends(self.beta2))):
            raise InputError(
                f"Adam's betas must lie in [0, 1), such as 0.5 and 0.999; got {self.beta1} and {self.beta2}."
            )
        if self.weight_decay < 0:
            raise InputError(
                f"weight decay {self.weight_decay} is negative; use 0 to disable it, or a value such as 1e-4."
            )
