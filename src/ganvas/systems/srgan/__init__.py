"""SRResNet and SRGAN: a low-resolution picture to one of 2, 4 or 8 times its sides.

Paper: Ledig et al. 2017, Photo-Realistic Single Image Super-Resolution Using a GAN, arXiv:1609.04802

The generator (SRResNet, figure 4) works at low resolution and doubles at its end by sub-pixel convolution. The
discriminator halves four times while its channels grow from d_width to 8 d_width. Alone, trained on pixels, the
generator is SRResNet; within the game, SRGAN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, final

from ganvas.errors import InputError
from ganvas.recipe import EMA, WHOLE, Adam, Recipe, Schedule
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.reconstruction import Perceptual, Pixel, Stage
from ganvas.recipe.sources import Crops
from ganvas.recipe.system import Translation

if TYPE_CHECKING:
    from typing import Self

    from torch import nn

PHOTOS = 760  # DIV2K's 800 without the twentieth that is held out
EPOCH = 16 * PHOTOS  # of the strategies: 16 crops of every photograph


@final
@dataclass(frozen=True, kw_only=True)
class SRGAN(Translation):
    """Residual blocks at low resolution, sub-pixel doubling, and a discriminator of eight convolutions."""

    scale: Literal[2, 4, 8] = 4
    """How many times the sides grow."""
    size: int = 96
    """Side of the high-resolution crops trained on, in pixels; any picture can be enlarged."""
    channels: int = 3
    """1 for grey, 3 for RGB."""
    g_width: int = 64
    """Channels within the generator."""
    blocks: int = 16
    """Residual blocks of the generator."""
    kernel: int = 3
    """Side of the kernels inside the generator; odd."""
    end_kernel: int = 9
    """Side of its first and last kernel; odd."""
    norm: Literal["batch", "none"] = "batch"
    """Batch normalisation in the residual blocks as in the paper, or none as in EDSR and ESRGAN."""
    padding: Literal["zeros", "reflect"] = "zeros"
    """What convolutions of the generator see beyond the border."""
    final: Literal["tanh", "none"] = "tanh"
    """What ends the generator."""
    base: Literal["none", "bilinear"] = "none"
    """What the generator adds to: nothing as in the paper, or the enlarged input, so that only detail is learnt."""
    d_width: int = 64
    """Channels of the discriminator's first layer; they double to eight times as many."""
    d_hidden: int = 1024
    """Units of its fully connected layer."""
    d_dropout: float = 0.0
    """Probability of dropping one of those units."""
    d_norm: Literal["batch", "none"] = "batch"
    """Batch normalisation in the discriminator."""

    def __post_init__(self) -> None:
        least = max(16, 3 * self.scale)  # a low-resolution pixel on each side is left out of what is measured
        if self.size % self.scale or self.size < least:
            raise InputError(
                f"srgan cannot train on crops of {self.size} px at scale {self.scale}: --system.size must be a multiple"
                f" of the scale, at least {least}; usual is 96."
            )
        if self.kernel % 2 == 0 or self.end_kernel % 2 == 0 or min(self.kernel, self.end_kernel) < 1:
            raise InputError(
                f"srgan with kernels of {self.kernel} and {self.end_kernel} px would shift the picture by half a pixel;"
                " give odd sides, as 3 and 9."
            )
        reach = max(self.kernel, self.end_kernel) // 2
        if self.padding == "reflect" and self.size // self.scale <= reach:
            raise InputError(
                f"srgan cannot reflect {reach} px at the border of low-resolution crops of {self.size // self.scale}"
                f" px; give --system.size {(reach + 1) * self.scale} or more, or --system.padding zeros."
            )
        if self.channels not in (1, 3) or min(self.g_width, self.d_width, self.d_hidden) < 1 or self.blocks < 0:
            raise InputError(
                f"srgan with {self.channels} channels, {self.blocks} blocks and widths {self.g_width}, {self.d_width},"
                f" {self.d_hidden} cannot be; channels must be 1 (grey) or 3 (RGB), the widths at least 1."
            )
        if not 0 <= self.d_dropout < 1:
            raise InputError(f"--system.d-dropout {self.d_dropout} is no probability below 1; try 0.4, or 0 for none.")

    def tiny(self) -> Self:
        """Narrow, one block, on crops of 32 px."""
        return replace(self, size=32, g_width=4, blocks=1, d_width=2, d_hidden=8)

    def generator(self) -> nn.Module:
        """(B, channels, H, W) in [-1, 1] -> (B, channels, scale H, scale W)"""
        from ganvas.systems.srgan.networks import SRResNet

        return SRResNet(
            scale=self.scale,
            channels=self.channels,
            width=self.g_width,
            blocks=self.blocks,
            kernel=self.kernel,
            end_kernel=self.end_kernel,
            norm=self.norm,
            padding=self.padding,
            final=self.final,
            base=self.base,
        )

    def discriminator(self) -> nn.Module:
        """(B, channels, H, W) of any size -> logits (B,)"""
        from ganvas.systems.srgan.networks import discriminator

        return discriminator(
            channels=self.channels, width=self.d_width, hidden=self.d_hidden, dropout=self.d_dropout, norm=self.d_norm
        )


def srresnet_x4() -> Recipe:
    """SRResNet alone, four times the sides, trained on pixels without a game; DIV2K"""
    images = 2_000 * PHOTOS
    return Recipe(
        system=SRGAN(norm="none", base="bilinear", final="none"),
        data=Crops(source="div2k"),
        reconstruction=(Pixel(loss="l1"),),
        adam_g=Adam(lr=Ramp(4e-4, 1e-6, images, "cosine"), beta1=0.9),
        schedule=Schedule(pretrain=WHOLE),
        ema=EMA(half_life=10_000),
        batch_size=16,
        images=images,
    )


def srgan_x4() -> Recipe:
    """SRGAN on from the SRResNet that ganvas brings, four times the sides, without VGG's weights; DIV2K"""
    images = 50 * PHOTOS
    early, late = (
        Perceptual(weight=weight, extractor="efficientnet-lite0", layer=layer, loss="l1")
        for weight, layer in ((0.01, (2, 2)), (0.005, (4, 3)))
    )
    adam = Adam(lr=Ramp(1e-4, 1e-5, images // 2, "step"), beta1=0.9)
    return Recipe(
        system=SRGAN(norm="none", base="bilinear", final="none", d_width=32),
        data=Crops(source="div2k"),
        reconstruction=(Pixel(loss="l1", when="game"), early, late),
        adversarial=0.005,
        start="srresnet-x4",
        adam_g=adam,
        adam_d=adam,
        ema=EMA(half_life=4_000),
        batch_size=8,
        images=images,
    )


def srgan_g1d1() -> Recipe:
    """Strategy 1 of 4: generator and discriminator take turns from the first batch on; DIV2K"""
    return _strategy()


def srgan_pretrain() -> Recipe:
    """Strategy 2 of 4: ten epochs of the generator on its perceptual term alone, then ten of both; DIV2K"""
    return replace(_strategy(), reconstruction=(_perceptual("both"),), schedule=Schedule(pretrain=10 * EPOCH))


def srresnet() -> Recipe:
    """Strategy 3 of 4: ten epochs of SRResNet on pixels, then ten of both; DIV2K"""
    return replace(_strategy(), reconstruction=(Pixel(), _perceptual()), schedule=Schedule(pretrain=10 * EPOCH))


def srresnet_g1d2() -> Recipe:
    """Strategy 4 of 4: as the third, with two updates of the discriminator to one of the generator; DIV2K"""
    return replace(srresnet(), schedule=Schedule(pretrain=10 * EPOCH, d_per_g=2))


def _strategy() -> Recipe:
    """What the four share: the paper's networks and weights of terms, 20 epochs, a tenth of the rate after 10."""
    adam = Adam(lr=Ramp(1e-4, 1e-5, 10 * EPOCH, "step"), beta1=0.9)
    return Recipe(
        system=SRGAN(),
        data=Crops(source="div2k"),
        reconstruction=(_perceptual(),),
        adversarial=1e-3,
        adam_g=adam,
        adam_d=adam,
        batch_size=16,
        images=20 * EPOCH,
    )


def _perceptual(when: Stage = "game") -> Perceptual:
    # The paper divides VGG's features by 12.75, their squares by its square.
    return Perceptual(weight=0.006, when=when)
