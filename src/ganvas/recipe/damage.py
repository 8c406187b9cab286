"""Reconstruction losses for the repair of photographs, whose damage is known in training.

They read the masks `hole`, `scratch` and `stain` (B, 1, H, W) and the `strengths` (B, defects) of a degradation such as
`Aged`, and what a generator makes beside its images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganvas.recipe.reconstruction import ReconstructionLoss, Stage, expect_weight

if TYPE_CHECKING:
    from torch import Tensor

    from ganvas.recipe.batch import Batch

MASKS = ("hole", "scratch", "stain")
LOST = ("hole", "scratch")  # where nothing of the photograph is left
AREA = 8  # side of the squares, in pixels, whose mean is the tone


def masks_of(batch: Batch, names: tuple[str, ...] = MASKS) -> Tensor:
    """The masks of a batch as one tensor (B, masks, H, W) of 0 and 1, fp32."""
    import torch

    return torch.cat([batch[name].float() for name in names], 1)


@dataclass(frozen=True, kw_only=True)
class _Weighted(ReconstructionLoss):
    """A loss with a weight."""

    weight: float = 1.0
    """Weight of the term."""
    when: Stage = "both"
    """Stage in which it applies: pretraining, the game, or both."""

    def __post_init__(self) -> None:
        expect_weight(type(self).__name__, self.weight)


@dataclass(frozen=True, kw_only=True)
class Focal(_Weighted):
    """Cross-entropy of the damage found, mostly of pixels that are not yet sure (Lin et al. 2017, arXiv:1708.02002)."""

    needs: ClassVar[tuple[str, ...]] = ("damage", *MASKS)
    gamma: float = 2.0
    """How fast sure pixels lose their weight, at least 0; 0 is plain cross-entropy."""

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_weight("Focal", self.gamma, "gamma")

    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """weight * E[(1 - p)^gamma * -log p], p being the probability given to the truth of each pixel and kind."""
        from torch.nn import functional

        logits, masks = batch["damage"].float(), masks_of(batch)
        entropy = functional.binary_cross_entropy_with_logits(logits, masks, reduction="none")
        return self.weight * ((1 - (-entropy).exp()) ** self.gamma * entropy).mean()


class Dice(_Weighted):
    """One minus the overlap of the damage found and the true one (Milletari et al. 2016, arXiv:1606.04797, eq. 2).

    Of rare pixels as well: a scratch counts by what share of it is found.
    """

    needs = ("damage", *MASKS)

    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """weight * E[1 - 2 |p m| / (|p|^2 + |m|^2)] over the kinds, each over the whole batch."""
        found, masks = batch["damage"].float().sigmoid(), masks_of(batch)
        sums = [part.sum((0, 2, 3)) for part in (found * masks, found.square() + masks.square())]
        # The 1 keeps a kind that is nowhere in the batch at a loss of 0 once nothing of it is found.
        return self.weight * (1 - (2 * sums[0] + 1) / (sums[1] + 1)).mean()


@dataclass(frozen=True, kw_only=True)
class Filled(_Weighted):
    """Absolute difference of pixels, larger where they were lost (Liu et al. 2018, arXiv:1804.07723, section 3.3)."""

    needs: ClassVar[tuple[str, ...]] = LOST
    lost: float = 6.0
    """Weight of pixels under holes and scratches, at least 0; all others have weight 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_weight("Filled", self.lost, "lost")

    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """weight * E[w |fake - real|] of images (B, C, H, W) in [-1, 1], w being `lost` or 1."""
        lost = masks_of(batch, LOST).amax(1, keepdim=True)
        far = (fake.float() - batch.real.float()).abs()
        return self.weight * (far * (1 + (self.lost - 1) * lost)).mean()


class Tone(_Weighted):
    """Absolute difference of the toned image from the target, both as means of 8 x 8 pixels, where nothing was lost.

    So the tone head learns tone and colours, as curves and light of image enhancement are learned (Moran et al. 2020,
    CURL, arXiv:1911.13175), and not what is finer.
    """

    needs = ("toned", *LOST)

    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """weight * E|mean toned - mean real| over the squares, each weighted by its share of pixels that are left."""
        from torch.nn import functional

        left = 1 - masks_of(batch, LOST).amax(1, keepdim=True)
        off = functional.avg_pool2d((batch["toned"].float() - batch.real.float()) * left, AREA, ceil_mode=True)
        return self.weight * off.abs().mean()


class Strengths(_Weighted):
    """Absolute difference of the strengths estimated from the true ones (as the noise level of Guo et al. 2019, CBDNet,
    arXiv:1807.04686)."""

    needs = ("estimates", "strengths")

    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """weight * E|estimates - strengths| (B, defects), each in [0, 1]."""
        return self.weight * (batch["estimates"].float() - batch["strengths"].float()).abs().mean()
