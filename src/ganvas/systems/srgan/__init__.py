"""SRResNet and SRGAN: super-resolution by a factor of 2, 4 or 8.

Paper: Ledig et al. 2017, Photo-Realistic Single Image Super-Resolution Using a GAN, arXiv:1609.04802

The generator (SRResNet, figure 4) works at low resolution and upsamples at the end by sub-pixel convolution. The
discriminator halves four times while its channels grow from d_width to 8 d_width. Trained on pixels alone, the
generator is SRResNet; trained adversarially, SRGAN.
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

PHOTOS = 760  # DIV2K's 800 without the 5 % held out
EPOCH = 16 * PHOTOS  # in the strategies: 16 crops of every photograph


@final
@dataclass(frozen=True, kw_only=True)
class SRGAN(Translation):
    """Residual blocks at low resolution, sub-pixel doubling, and a discriminator of eight convolutions."""

    scale: Literal[2, 4, 8] = 4
    """Upscaling factor of each side."""
    size: int = 96
    """Side of the high-resolution crops trained on, in pixels; images of any size can be upscaled."""
    channels: int = 3
    """1 for grey, 3 for RGB."""
    g_width: int = 64
    """Channels of the generator's hidden layers."""
    blocks: int = 16
    """Residual blocks in the generator."""
    kernel: int = 3
    """Side of the generator's inner kernels; odd."""
    end_kernel: int = 9
    """Side of the generator's first and last kernel; odd."""
    norm: Literal["batch", "none"] = "batch"
    """Normalization in the residual blocks: batch as in the paper, or none as in EDSR and ESRGAN."""
    padding: Literal["zeros", "reflect"] = "zeros"
    """Padding of the generator's convolutions."""
    final: Literal["tanh", "none"] = "tanh"
    """Final activation of the generator."""
    base: Literal["none", "bilinear"] = "none"
    """Image added to the output: none as in the paper, or the upscaled input, so that only detail is learned."""
    d_width: int = 64
    """Channels of the discriminator's first layer; grows to eight times as many."""
    d_hidden: int = 1024
    """Units of the discriminator's fully connected layer."""
    d_dropout: float = 0.0
    """Dropout on these units."""
    d_norm: Literal["batch", "none"] = "batch"
    """Normalization in the discriminator: batch or none."""

    def __post_init__(self) -> None:
        least = max(16, 3 * self.scale)  # measuring excludes one low-resolution pixel on each side
        if self.size % self.scale or self.size < least:
            raise InputError(
                f"--system.size {self.size} must be a multiple of the scale {self.scale} and at least {least}, such"
                " as 96."
            )
        if self.kernel % 2 == 0 or self.end_kernel % 2 == 0 or min(self.kernel, self.end_kernel) < 1:
            raise InputError(
                f"--system.kernel {self.kernel} and --system.end-kernel {self.end_kernel} must be odd, such as 3 and"
                " 9, or the image would shift by half a pixel."
            )
        reach = max(self.kernel, self.end_kernel) // 2
        if self.padding == "reflect" and self.size // self.scale <= reach:
            raise InputError(
                f"low-resolution crops of {self.size // self.scale} px are too small to reflect {reach} px at the"
                f" border; use --system.size {(reach + 1) * self.scale} or more, or --system.padding zeros."
            )
        if self.channels not in (1, 3) or min(self.g_width, self.d_width, self.d_hidden) < 1 or self.blocks < 0:
            raise InputError(
                f"--system.channels {self.channels} must be 1 (grey) or 3 (RGB), --system.blocks {self.blocks} at"
                f" least 0, and --system.g-width {self.g_width}, --system.d-width {self.d_width} and --system.d-hidden"
                f" {self.d_hidden} at least 1."
            )
        if not 0 <= self.d_dropout < 1:
            raise InputError(
                f"--system.d-dropout must be at least 0 (off) and below 1, such as 0.4; got {self.d_dropout}."
            )

    def tiny(self) -> Self:
        """Narrow, with one block, on crops of 32 px."""
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
    """SRResNet at scale 4, trained on pixels alone; DIV2K, for a GPU"""
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
    """SRGAN at scale 4, starting from the bundled SRResNet, without VGG weights; DIV2K"""
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
    """Strategy 1 of 4: generator and discriminator alternate from the first batch; DIV2K, for a GPU"""
    return _strategy()


def srgan_pretrain() -> Recipe:
    """Strategy 2 of 4: ten epochs of the generator on its perceptual loss, then ten of both; DIV2K, for a GPU"""
    return replace(_strategy(), reconstruction=(_perceptual("both"),), schedule=Schedule(pretrain=10 * EPOCH))


def srresnet() -> Recipe:
    """Strategy 3 of 4: ten epochs of SRResNet on pixels, then ten of both; DIV2K, for a GPU"""
    return replace(_strategy(), reconstruction=(Pixel(), _perceptual()), schedule=Schedule(pretrain=10 * EPOCH))


def srresnet_g1d2() -> Recipe:
    """Strategy 4 of 4: like strategy 3, with two discriminator updates per generator update; DIV2K, for a GPU"""
    return replace(srresnet(), schedule=Schedule(pretrain=10 * EPOCH, d_per_g=2))


def _strategy() -> Recipe:
    """The settings of all four: the paper's networks and loss weights, 20 epochs, a tenth of the rate after 10."""
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
    # The paper scales VGG's features by 1 / 12.75, hence the squared distance by 1 / 12.75^2 = 0.006.
    return Perceptual(weight=0.006, when=when)
