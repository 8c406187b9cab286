"""ESRGAN and Real-ESRGAN: super-resolution of photographs that are blurred, noisy and compressed.

Paper: Wang et al. 2021, Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data,
arXiv:2107.10833

The generator is that of Wang et al. 2018, ESRGAN, arXiv:1809.00219, or a compact one for processors; both are named
as other programs name them. The discriminator judges every pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, final

from ganvas.errors import InputError
from ganvas.recipe import EMA, Adam, Recipe, Schedule
from ganvas.recipe.degradations import Blind
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.reconstruction import Perceptual, Pixel
from ganvas.recipe.sources import Crops, Pairs
from ganvas.recipe.system import Translation

if TYPE_CHECKING:
    from typing import Self

    from torch import nn


@final
@dataclass(frozen=True, kw_only=True)
class ESRGAN(Translation):
    """Dense residual blocks, or plain convolutions, against a discriminator that scores every pixel."""

    restores: ClassVar[bool] = True
    scale: Literal[2, 4] = 4
    """Upscaling factor of each side; the rrdb has 4 only."""
    size: int = 128
    """Side of the high-resolution crops trained on, in pixels; images of any size can be upscaled."""
    channels: int = 3
    """1 for grey, 3 for RGB."""
    body: Literal["rrdb", "compact"] = "rrdb"
    """Generator: rrdb, dense blocks as published, or compact, plain convolutions, some fifty times as fast."""
    g_width: int = 64
    """Channels of the generator's hidden layers."""
    blocks: int = 23
    """Dense blocks, or plain convolutions, in the generator."""
    growth: int = 32
    """Channels that each layer of a dense block adds."""
    d_width: int = 64
    """Channels of the discriminator's first layer; grows to eight times as many."""

    def __post_init__(self) -> None:
        if self.size % 8 or self.size < 32:
            raise InputError(f"--system.size {self.size} must be a multiple of 8 and at least 32, such as 128.")
        if self.body == "rrdb" and self.scale != 4:
            raise InputError(f"--system.scale {self.scale} needs --system.body compact; the rrdb has scale 4.")
        if self.channels not in (1, 3) or min(self.g_width, self.growth, self.d_width) < 1 or self.blocks < 0:
            raise InputError(
                f"--system.channels {self.channels} must be 1 (grey) or 3 (RGB), --system.blocks {self.blocks} at"
                f" least 0, and --system.g-width {self.g_width}, --system.growth {self.growth} and --system.d-width"
                f" {self.d_width} at least 1."
            )

    def tiny(self) -> Self:
        """Narrow, with one block, on crops of 32 px."""
        return replace(self, size=32, g_width=4, blocks=1, growth=2, d_width=2)

    def generator(self) -> nn.Module:
        """(B, channels, H, W) in [-1, 1] -> (B, channels, scale H, scale W)"""
        from ganvas.systems.esrgan.networks import Compact, RRDBNet

        shape = {"channels": self.channels, "width": self.g_width, "blocks": self.blocks}
        return Compact(**shape, scale=self.scale) if self.body == "compact" else RRDBNet(**shape, growth=self.growth)

    def discriminator(self) -> nn.Module:
        """(B, channels, H, W), sides multiples of 8 -> logits (B, H, W)"""
        from ganvas.systems.esrgan.networks import UNetDiscriminator

        return UNetDiscriminator(channels=self.channels, width=self.d_width)


def photo_x4() -> Recipe:
    """Photographs as they are at scale 4, by a network for processors; DIV2K or your own photos, for a GPU"""
    return _photo(ESRGAN(body="compact", g_width=48, blocks=14, d_width=16))


def photo_x2() -> Recipe:
    """Photographs as they are at scale 2, by a network for processors; DIV2K or your own photos, for a GPU"""
    return _photo(ESRGAN(scale=2, body="compact", g_width=48, blocks=14, d_width=16))


def pairs_x4() -> Recipe:
    """Super-resolution at scale 4 from your own pairs of small and large pictures; for a GPU"""
    return replace(photo_x4(), data=Pairs(source="small", after="large", scale=4, turn="all"))


def esrgan_x4() -> Recipe:
    """Real-ESRGAN at scale 4 with its published networks, without VGG weights; DIV2K, for a GPU"""
    return _photo(ESRGAN())


def _photo(system: ESRGAN) -> Recipe:
    """A quarter of pixels alone, then the game, with the perceptual terms of the bundled SRGAN."""
    images = 400_000
    early, late = (
        Perceptual(weight=weight, extractor="efficientnet-lite0", layer=layer, loss="l1")
        for weight, layer in ((0.01, (2, 2)), (0.005, (4, 3)))
    )
    return Recipe(
        system=system,
        data=Crops(source="div2k", degradation=Blind()),
        reconstruction=(Pixel(loss="l1", when="both"), early, late),
        adversarial=0.002,
        schedule=Schedule(pretrain=images // 2),
        adam_g=Adam(lr=Ramp(5e-4, 1e-5, images, "cosine"), beta1=0.9),
        adam_d=Adam(lr=1e-4, beta1=0.9),
        ema=EMA(half_life=4_000),
        batch_size=16,
        images=images,
    )
