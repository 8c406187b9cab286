"""What ties a fake to the picture it should be: terms of the generator beside the game's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.errors import InputError

Stage = Literal["pretrain", "game", "both"]


@dataclass(frozen=True, kw_only=True)
class Pixel:
    """Mean distance of the pixels, of values in [-1, 1]."""

    weight: float = 1.0
    """Factor of the term."""
    loss: Literal["l1", "mse"] = "mse"
    """Absolute or squared difference."""
    when: Stage = "pretrain"
    """In pretraining, in the game, or in both."""

    def __post_init__(self) -> None:
        _expect_weight("pixel", self.weight)

    def term(self, fake: Tensor, real: Tensor) -> Tensor:
        """Of pictures (B, C, H, W) and what they should be."""
        return self.weight * _distance(self.loss, fake.float(), real.float())


@dataclass(frozen=True, kw_only=True)
class Perceptual:
    """Mean distance of a frozen network's features (Ledig et al. 2017, SRGAN, arXiv:1609.04802, equation 5)."""

    weight: float = 1.0
    """Factor of the term."""
    extractor: Literal["vgg19", "efficientnet-lite0"] = "vgg19"
    """The frozen network; vgg19's weights must be at hand, efficientnet-lite0 comes with a package."""
    layer: tuple[int, int] = (5, 4)
    """(i, j): of vgg19 the j-th convolution before the i-th max-pooling; of efficientnet-lite0 the j-th block after
    the i-th halving of the picture."""
    before_activation: bool = False
    """Take vgg19's features before the ReLU, as ESRGAN does; efficientnet-lite0's blocks end without one anyway."""
    loss: Literal["l1", "mse"] = "mse"
    """Absolute or squared difference."""
    when: Stage = "game"
    """In pretraining, in the game, or in both."""

    def __post_init__(self) -> None:
        _expect_weight("perceptual", self.weight)

    def network(self, device: torch.device) -> nn.Module:
        """The frozen layers, loaded once.

        Raises:
            InputError: the weights are not at hand, are others, or there is no such layer.
        """
        from ganvas.metrics.extractors.stages import layers_up_to

        return layers_up_to(self.extractor, self.layer, self.before_activation, device)

    def term(self, fake: Tensor, real: Tensor) -> Tensor:
        """Of pictures (B, C, H, W) in [-1, 1] and what they should be.

        Raises:
            InputError: as `network`.
        """
        network = self.network(fake.device)
        # Layers with strides see some pixels better than others; were these always the same of an enlarged picture, its
        # grid would show. So both are moved alike, at random; what leaves on one side comes in on the other.
        shift = torch.randint(fake.shape[-1], (2,)).tolist()
        fake, real = fake.roll(shift, (2, 3)), real.roll(shift, (2, 3))
        with torch.no_grad():
            wanted = network(real)
        return self.weight * _distance(self.loss, network(fake).float(), wanted.float())


ReconstructionLoss = Pixel | Perceptual


def _expect_weight(kind: str, weight: float) -> None:
    if not 0 <= weight < math.inf:
        raise InputError(f"a {kind} term of weight {weight} draws no fake to its original; give a number of 0 or more.")


def _distance(loss: Literal["l1", "mse"], a: Tensor, b: Tensor) -> Tensor:
    return functional.l1_loss(a, b) if loss == "l1" else functional.mse_loss(a, b)
