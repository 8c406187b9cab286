"""What ties a fake to the image it should be: terms of the generator beside the game's."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ganvas.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ganvas.recipe.batch import Batch

Stage = Literal["pretrain", "game", "both"]
# At the same distance of images the terms are of the same size: some 0.01 for bicubic upscaling.
LIKE_VGG19: dict[str, dict[str, Any]] = {"vgg19": {}, "efficientnet-lite0": {"layer": (3, 2), "weight": 3e-4}}


class ReconstructionLoss(ABC):
    """One term. Subclasses are frozen dataclasses with `when` among their fields."""

    when: Stage
    """In pretraining, in the game, or in both."""

    @abstractmethod
    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """How far fakes (B, ...) are from what the batch says they should be: a scalar in fp32, with its weight.

        Raises:
            InputError: as `prepare`.
        """

    def prepare(self, device: torch.device) -> None:  # noqa: B027
        """Load what the term needs, so that whatever is missing is said before anything is begun.

        Raises:
            InputError: something is missing, or is not what it should be.
        """

    def by(self, extractor: str) -> ReconstructionLoss:
        """The same by another frozen network, where it is by one.

        Raises:
            InputError: there is none of that name.
        """
        return self

    def due(self, stage: Literal["pretrain", "game"]) -> bool:
        """Whether the term is taken in this stage of a run."""
        return self.when in (stage, "both")


@dataclass(frozen=True, kw_only=True)
class Pixel(ReconstructionLoss):
    """Mean distance of the pixels, of values in [-1, 1]."""

    weight: float = 1.0
    """Factor of the term."""
    loss: Literal["l1", "mse"] = "mse"
    """Absolute or squared difference."""
    when: Stage = "pretrain"
    """In pretraining, in the game, or in both."""

    def __post_init__(self) -> None:
        _expect_weight("pixel", self.weight)

    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """Of images (B, C, H, W) and the batch's reals."""
        return self.weight * _distance(self.loss, fake.float(), batch.real.float())


@dataclass(frozen=True, kw_only=True)
class Perceptual(ReconstructionLoss):
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

    def prepare(self, device: torch.device) -> None:
        """Load the network.

        Raises:
            InputError: as `network`.
        """
        self.network(device)

    def by(self, extractor: str) -> Perceptual:
        """The same by another network, at the layer and with the weight that give terms of about the same size.

        Raises:
            InputError: there is none of that name.
        """
        if extractor not in LIKE_VGG19:
            raise InputError(f"there is no perceptual term by {extractor!r}; give {' or '.join(LIKE_VGG19)}.")
        return replace(self, extractor=extractor, **LIKE_VGG19[extractor])  # type: ignore[arg-type]

    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """Of images (B, C, H, W) in [-1, 1] and the batch's reals.

        Raises:
            InputError: as `network`.
        """
        import torch

        network = self.network(fake.device)
        # Layers with strides see some pixels better than others; were these always the same of an upscaled image, its
        # grid would show. So both are moved alike, at random; what leaves on one side comes in on the other.
        shift = torch.randint(fake.shape[-1], (2,)).tolist()
        fake, real = fake.roll(shift, (2, 3)), batch.real.roll(shift, (2, 3))
        with torch.no_grad():
            wanted = network(real)
        return self.weight * _distance(self.loss, network(fake).float(), wanted.float())


def _expect_weight(kind: str, weight: float) -> None:
    if not 0 <= weight < math.inf:
        raise InputError(f"a {kind} term of weight {weight} draws no fake to its original; give a number of 0 or more.")


def _distance(loss: Literal["l1", "mse"], a: Tensor, b: Tensor) -> Tensor:
    from torch.nn import functional

    return functional.l1_loss(a, b) if loss == "l1" else functional.mse_loss(a, b)
