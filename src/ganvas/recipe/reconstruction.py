"""Reconstruction losses: terms of the generator's loss that compare a fake with its target."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ganvas.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ganvas.recipe.batch import Batch

Stage = Literal["pretrain", "game", "both"]
# Chosen so that the terms are of equal size for the same images: about 0.01 for bicubic upscaling.
LIKE_VGG19: dict[str, dict[str, Any]] = {"vgg19": {}, "efficientnet-lite0": {"layer": (3, 2), "weight": 3e-4}}


class ReconstructionLoss(ABC):
    """One reconstruction loss. Subclasses are frozen dataclasses with `when` among their fields."""

    of: ClassVar[str] = "fake"
    """What it compares with the reals: the fakes, or something else that the system makes, by its name."""
    needs: ClassVar[tuple[str, ...]] = ()
    """What it reads of a batch beside its reals: names that the degradation gives or the system makes."""
    when: Stage
    """Stage in which it applies: pretraining, the game, or both."""

    @abstractmethod
    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """The weighted distance of fakes (B, ...), or of what `of` names, from the batch's targets: a scalar in fp32.

        Raises:
            InputError: as `prepare`.
        """

    def prepare(self, device: torch.device) -> None:  # noqa: B027
        """Load what the term needs, so that anything missing is reported before training begins.

        Raises:
            InputError: something is missing or invalid.
        """

    def by(self, extractor: str) -> ReconstructionLoss:
        """The same loss with another frozen network, if it uses one.

        Raises:
            InputError: there is no network of that name.
        """
        return self

    def due(self, stage: Literal["pretrain", "game"]) -> bool:
        """Whether the term applies in this stage of a run."""
        return self.when in (stage, "both")


@dataclass(frozen=True, kw_only=True)
class Pixel(ReconstructionLoss):
    """Mean distance between pixel values in [-1, 1]."""

    weight: float = 1.0
    """Weight of the term."""
    loss: Literal["l1", "mse"] = "mse"
    """Absolute or squared difference."""
    when: Stage = "pretrain"
    """Stage in which it applies: pretraining, the game, or both."""

    def __post_init__(self) -> None:
        expect_weight("pixel", self.weight)

    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """The distance of images (B, C, H, W) from the batch's reals."""
        return self.weight * _distance(self.loss, fake.float(), batch.real.float())


@dataclass(frozen=True, kw_only=True)
class Perceptual(ReconstructionLoss):
    """Mean distance between features of a frozen network (Ledig et al. 2017, SRGAN, arXiv:1609.04802, equation 5)."""

    weight: float = 1.0
    """Weight of the term."""
    extractor: Literal["vgg19", "efficientnet-lite0"] = "vgg19"
    """The frozen network; efficientnet-lite0 is bundled, vgg19's weights must be installed."""
    layer: tuple[int, int] = (5, 4)
    """(i, j): of vgg19 the j-th convolution before the i-th max-pooling; of efficientnet-lite0 the j-th block after
    the i-th halving of the image."""
    before_activation: bool = False
    """Use vgg19's features before the ReLU, as in ESRGAN; efficientnet-lite0's blocks end without one."""
    loss: Literal["l1", "mse"] = "mse"
    """Absolute or squared difference."""
    when: Stage = "game"
    """Stage in which it applies: pretraining, the game, or both."""

    def __post_init__(self) -> None:
        expect_weight("perceptual", self.weight)

    def network(self, device: torch.device) -> nn.Module:
        """The frozen layers, loaded once.

        Raises:
            InputError: the weights are not installed or not the expected ones, or there is no such layer.
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
        """The same loss with another network, at a layer and weight that give terms of about the same size.

        Raises:
            InputError: there is no network of that name.
        """
        if extractor not in LIKE_VGG19:
            raise InputError(
                f"the perceptual network {extractor!r} is not available; available: {', '.join(LIKE_VGG19)}."
            )
        return replace(self, extractor=extractor, **LIKE_VGG19[extractor])  # type: ignore[arg-type]

    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """The distance of images (B, C, H, W) in [-1, 1] from the batch's reals.

        Raises:
            InputError: as `network`.
        """
        import torch

        network = self.network(fake.device)
        # Strided layers weigh some pixels more than others; if those were always the same ones, a grid would appear in
        # the output. So both images are rolled by the same random shift.
        shift = torch.randint(fake.shape[-1], (2,)).tolist()
        fake, real = fake.roll(shift, (2, 3)), batch.real.roll(shift, (2, 3))
        with torch.no_grad():
            wanted = network(real)
        return self.weight * _distance(self.loss, network(fake).float(), wanted.float())


def expect_weight(kind: str, weight: float, name: str = "weight") -> None:
    """Raises InputError: a weight, or a field of another name, is negative or not finite."""
    if not 0 <= weight < math.inf:
        raise InputError(f"a {kind} loss's {name} must be a finite number of at least 0; got {weight}.")


def _distance(loss: Literal["l1", "mse"], a: Tensor, b: Tensor) -> Tensor:
    from torch.nn import functional

    return functional.l1_loss(a, b) if loss == "l1" else functional.mse_loss(a, b)
