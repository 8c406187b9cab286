"""pix2pix: one picture made into another, learned from pairs of them.

Paper: Isola et al. 2017, Image-to-Image Translation with Conditional Adversarial Networks, arXiv:1611.07004

The generator is a U-Net without normalization, for images of any size, and its change is added to the image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, final

from ganvas.errors import InputError
from ganvas.recipe import EMA, Adam, Recipe
from ganvas.recipe.reconstruction import Pixel
from ganvas.recipe.sources import Pairs
from ganvas.recipe.system import Translation

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor, nn

    from ganvas.recipe.batch import Batch


@final
@dataclass(frozen=True, kw_only=True)
class Pix2Pix(Translation):
    """A U-Net against a critic of patches that sees both pictures."""

    scale: Literal[1] = 1
    """Upscaling factor of each side; the pictures of a pair are of one size."""
    size: int = 256
    """Side of the crops trained on, in pixels; images of any size can be used."""
    channels: int = 3
    """1 for grey, 3 for RGB, of both pictures."""
    g_width: int = 32
    """Channels of the generator's first layer; grows to sixteen times as many."""
    halvings: int = 5
    """How often the generator halves the image; each doubles how far it sees."""
    d_width: int = 64
    """Channels of the critic's first layer; grows to eight times as many."""

    def __post_init__(self) -> None:
        if not 1 <= self.halvings <= 8:
            raise InputError(f"--system.halvings {self.halvings} must be from 1 to 8, such as 5.")
        step = 2**self.halvings
        if self.size % step or self.size < 24:
            raise InputError(
                f"--system.size {self.size} must be a multiple of {step}, since the generator halves it"
                f" {self.halvings} times, and at least 24, such as 256."
            )
        if self.channels not in (1, 3) or self.scale != 1 or min(self.g_width, self.d_width) < 1:
            raise InputError(
                f"--system.channels {self.channels} must be 1 (grey) or 3 (RGB), --system.scale {self.scale} must be 1,"
                f" and --system.g-width {self.g_width} and --system.d-width {self.d_width} at least 1."
            )

    @property
    def judged_shape(self) -> tuple[int, ...]:
        """(2 channels, size, size)"""
        return 2 * self.channels, self.size, self.size

    def tiny(self) -> Self:
        """Narrow, on crops of 32 px."""
        return replace(self, size=32, g_width=4, halvings=3, d_width=2)

    def generator(self) -> nn.Module:
        """(B, channels, H, W) in [-1, 1], sides multiples of 2^halvings -> the same, changed"""
        from ganvas.systems.pix2pix.networks import UNet

        return UNet(channels=self.channels, width=self.g_width, halvings=self.halvings)

    def discriminator(self) -> nn.Module:
        """Input and output (B, 2 channels, H, W), sides of at least 24 -> logits (B, H / 8 - 2, W / 8 - 2)"""
        from ganvas.nn.critic import PatchCritic

        return PatchCritic(channels=2 * self.channels, width=self.d_width)

    def judged(self, samples: Tensor, batch: Batch) -> Tensor:
        """Each sample behind the input that it was made of, or belongs to."""
        import torch

        return torch.cat([batch["input"], samples], 1)


def pix2pix() -> Recipe:
    """From before to after: whatever your own pairs of pictures show; for a GPU"""
    return Recipe(
        system=Pix2Pix(),
        data=Pairs(source="pairs"),
        reconstruction=(Pixel(loss="l1", when="both"),),
        adversarial=0.01,
        adam_g=Adam(lr=2e-4, beta1=0.5),
        adam_d=Adam(lr=2e-4, beta1=0.5),
        ema=EMA(half_life=2_000),
        batch_size=4,
        images=200_000,
    )
