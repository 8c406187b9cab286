"""R3GAN: residual blocks without normalisation, in a game that converges by itself.

Paper: Huang et al. 2024, The GAN is dead; long live the GAN! A Modern Baseline GAN, arXiv:2501.05441

The relativistic pairing loss with R1 and R2 needs none of the usual tricks, so both networks are plain: inverted
bottlenecks with grouped 3x3 convolutions, an initialisation that stands in for normalisation (Zhang et al. 2019,
arXiv:1901.09321), a learned 4x4 basis to begin at and its mirror to end in, and resampling with the taps [1, 3, 3, 1].
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from ganvas.errors import InputError
from ganvas.recipe import EMA, Adam, Augment, Recipe
from ganvas.recipe.objectives import Relativistic
from ganvas.recipe.penalties import R1, R2
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.sources import Images
from ganvas.recipe.system import Synthesis

if TYPE_CHECKING:
    from typing import Self

    from torch import nn

EXPANSION = 2  # of a block's inner width


@final
@dataclass(frozen=True, kw_only=True)
class R3GAN(Synthesis):
    """The paper's configuration E (section 4), for pictures of 4 px times a power of two."""

    size: int = 32
    """Side of the square pictures in pixels: 4 times 2 for every width but the first."""
    channels: int = 3
    """1 for grey, 3 for RGB."""
    latent: int = 64
    """Length of the noise vector z."""
    classes: int = 0
    """Classes that both networks are told of; 0 is none."""
    widths: tuple[int, ...] = (768, 768, 768, 768)
    """Channels at 4 px, 8 px, ... up to the size, in both networks."""
    blocks: int = 2
    """Residual blocks at each of these sizes."""
    group: int = 16
    """Channels in a group of the 3x3 convolutions."""
    embedding: int = 64
    """Length of the generator's embedding of a class."""

    def __post_init__(self) -> None:
        if not self.widths or self.size != 4 << (len(self.widths) - 1):
            wanted = max(1, (max(4, self.size) // 4).bit_length())
            known = self.widths or (256,)
            more = [max(self.group // EXPANSION, known[-1] >> shift) for shift in range(1, wanted)]
            such = " ".join(map(str, [*known, *more][:wanted]))
            raise InputError(
                f"r3gan with {len(self.widths)} widths makes no pictures of {self.size} px: it needs one width for 4 px"
                f" and one more for every doubling; give --system.size {4 << (wanted - 1)} --system.widths {such}."
            )
        if self.channels not in (1, 3) or min(self.latent, self.blocks, self.group, self.embedding, *self.widths) < 1:
            raise InputError(
                f"r3gan with {self.channels} channels, latent {self.latent}, widths {self.widths} and {self.blocks}"
                " blocks cannot be; channels must be 1 (grey) or 3 (RGB), the others at least 1."
            )
        if any(EXPANSION * width % self.group for width in self.widths):
            raise InputError(
                f"r3gan's widths {self.widths}, doubled, cannot be split into groups of {self.group} channels; give"
                f" widths that {math.lcm(self.group, EXPANSION) // EXPANSION} divides, or another --system.group."
            )
        if self.classes < 0 or self.classes == 1:
            raise InputError(f"--system.classes {self.classes} cannot be; give 0 (none) or at least 2.")

    def tiny(self) -> Self:
        """Narrow, grey, at 16 px."""
        return replace(self, size=16, channels=1, widths=(16, 8, 8), blocks=1, group=8, latent=8)

    def generator(self) -> nn.Module:
        """z (B, latent + classes) -> (B, channels, size, size), about in [-1, 1]."""
        from ganvas.systems.r3gan.networks import Generator

        return Generator(latent=self.latent, embedding=self.embedding, **self._shared())

    def discriminator(self) -> nn.Module:
        """(B, channels, size, size) -> logits (B,), or (B, classes)."""
        from ganvas.systems.r3gan.networks import Discriminator

        return Discriminator(**self._shared())

    def _shared(self) -> dict[str, Any]:
        """What both networks are built from."""
        return {
            "channels": self.channels,
            "classes": self.classes,
            "widths": self.widths,
            "blocks": self.blocks,
            "expansion": EXPANSION,
            "group": self.group,
        }


def r3gan_cifar10() -> Recipe:
    """CIFAR-10 at 32 px as published: 250 million images, for many GPUs"""
    return _published(R3GAN(), "cifar10", gamma=(0.05, 0.005), p=0.55, half_life=5_000_000, batch=512, images=250)


def r3gan_ffhq64() -> Recipe:
    """Faces at 64 px as published for FFHQ, for many GPUs; give your pictures by --data"""
    system = R3GAN(size=64, widths=(768, 768, 768, 768, 384))
    return _published(system, "celeba", gamma=(2.0, 0.2), p=0.3, half_life=500_000, batch=256, images=150)


def r3gan_small() -> Recipe:
    """CIFAR-10 at 32 px with a small network, in less than an hour on two cores"""
    over = 400_000
    adam = Adam(lr=Ramp(1e-3, 2.5e-4, over, "cosine"), beta1=0.0, beta2=Ramp(0.9, 0.99, over, "cosine"))
    penalty = Ramp(20.0, 2.0, over, "cosine")
    return Recipe(
        system=R3GAN(widths=(256, 192, 96, 32), blocks=1),
        data=Images(source="cifar10"),
        objective=Relativistic(),
        penalties=(R1(gamma=penalty), R2(gamma=penalty)),
        adam_g=adam,
        adam_d=adam,
        ema=EMA(half_life=20_000),
        augment=Augment(flip=True),
        batch_size=64,
        images=over,
        precision="bf16",
    )


def _published(
    system: R3GAN, source: str, *, gamma: tuple[float, float], p: float, half_life: int, batch: int, images: int
) -> Recipe:
    """What fades follows one half-cosine over 20 million images (appendix); `images` are millions."""

    def ramp(start: float, end: float) -> Ramp:
        return Ramp(start, end, 20_000_000, "cosine")

    adam = Adam(lr=ramp(2e-4, 5e-5), beta1=0.0, beta2=ramp(0.9, 0.99))
    penalty = ramp(*gamma)
    return Recipe(
        system=system,
        data=Images(source=source),
        objective=Relativistic(),
        penalties=(R1(gamma=penalty), R2(gamma=penalty)),
        adam_g=adam,
        adam_d=adam,
        ema=EMA(half_life=ramp(0, half_life)),
        augment=Augment(
            flip=True, differentiable=ramp(0, p), policy=("blit", "geometry", "tone", "cut"), tone_factor=0.5
        ),
        batch_size=batch,
        images=images * 1_000_000,
        precision="bf16",
    )
