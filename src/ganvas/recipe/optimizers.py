"""Optimizers: how one player's weights follow from their gradients."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from ganvas.errors import InputError
from ganvas.recipe.ramp import Ramp, at, ends

if TYPE_CHECKING:
    import torch


class Optimizer(ABC):
    """One player's optimizer. Subclasses are frozen dataclasses."""

    lr: float | Ramp
    """Learning rate, or a ramp over real images seen."""
    weight_decay: float
    """Weight decay; 0 disables it."""
    clip: float = 0.0
    """Largest norm of the whole gradient, to which a larger one is scaled down; 0 disables it."""

    @abstractmethod
    def torch_kind(self) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
        """The optimizer of torch, and its arguments besides the parameters and those in `settings`.

        Its whole state has to be tensors in `state`, by parameter: a checkpoint keeps nothing else.
        """

    def settings(self, images: int) -> dict[str, Any]:
        """What may change, for torch's parameter groups, once `images` real images have been seen."""
        return {"lr": at(self.lr, images), "weight_decay": self.weight_decay}

    def at_rate(self, lr: float | Ramp) -> Self:
        """The same at another learning rate."""
        return replace(self, lr=lr)  # type: ignore[type-var]

    def __post_init__(self) -> None:
        if any(not math.isfinite(rate) or rate < 0 for rate in ends(self.lr)):
            raise InputError(f"the learning rate must be a number of at least 0, such as 2e-4; got {self.lr}.")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise InputError(
                f"weight decay must be a number of at least 0, such as 1e-4 (0 disables it); got {self.weight_decay}."
            )


@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, arXiv:1412.6980) or AdamW (arXiv:1711.05101)."""

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
    clip: float = 0.0
    """Largest norm of the gradient, to which a larger one is scaled (Pascanu et al. 2013); 0 disables it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.clip) and self.clip >= 0):
            raise InputError(f"Adam's clip must be a norm of at least 0, such as 5 (0 disables it); got {self.clip}.")
        if not all(0 <= beta < 1 for beta in (self.beta1, *ends(self.beta2))):
            raise InputError(
                f"Adam's betas must lie in [0, 1), such as 0.5 and 0.999; got {self.beta1} and {self.beta2}."
            )

    def torch_kind(self) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
        """Fused: one pass over memory instead of a dozen."""
        import torch

        return torch.optim.AdamW if self.decoupled else torch.optim.Adam, {"fused": True}

    def settings(self, images: int) -> dict[str, Any]:
        """With the betas."""
        return super().settings(images) | {"betas": (self.beta1, at(self.beta2, images))}


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted (Sutskever et al. 2013)."""

    lr: float | Ramp = 1e-2
    """Learning rate, or a ramp over real images seen (1e-2..1e-3@20000)."""
    momentum: float = 0.0
    """Share of the last step that the next one keeps; 0 is plain descent."""
    nesterov: bool = False
    """Nesterov's momentum."""
    weight_decay: float = 0.0
    """Weight decay, through the gradient; 0 disables it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _expect_share("momentum", self.momentum, "0.9")
        if self.nesterov and not self.momentum:
            raise InputError("Nesterov's momentum needs a momentum above 0, such as 0.9; give one, or leave it out.")

    def torch_kind(self) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
        """Without dampening."""
        import torch

        return torch.optim.SGD, {"momentum": self.momentum, "nesterov": self.nesterov}


@dataclass(frozen=True, kw_only=True)
class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton 2012), with which the first Wasserstein GAN was trained (arXiv:1701.07875)."""

    lr: float | Ramp = 5e-5
    """Learning rate, or a ramp over real images seen (5e-5..1e-5@20000)."""
    alpha: float = 0.99
    """Decay of the mean of squared gradients."""
    momentum: float = 0.0
    """Share of the last step that the next one keeps."""
    weight_decay: float = 0.0
    """Weight decay, through the gradient; 0 disables it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _expect_share("alpha", self.alpha, "0.99")
        _expect_share("momentum", self.momentum, "0.9")

    def torch_kind(self) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
        """Not centered."""
        import torch

        return torch.optim.RMSprop, {"alpha": self.alpha, "momentum": self.momentum}


def _expect_share(name: str, value: float, usual: str) -> None:
    if not 0 <= value < 1:
        raise InputError(f"the optimizer's {name} must lie in [0, 1), such as {usual}; got {value}.")
